"""The routes of the site are analysed once for a test process, and not once for each site.

A process of Paperround has one site; a test process has thousands, and each would read the
signatures of its handlers anew: a third of what a test on a site costs.
"""

from typing import Any

from fastapi import APIRouter
from starlette.routing import BaseRoute

from paperround.web.app import Site


class RoutesOnce:
    """Has every site share the routes that the first one made of each router."""

    def __init__(self) -> None:
        self._made: dict[int, list[BaseRoute]] = {}
        self._include = Site.include_router

    def start(self) -> None:
        """From now on."""
        include, made = self._include, self._made

        def share(site: Site, router: APIRouter, **how: Any) -> None:
            routes = site.router.routes
            if id(router) in made:
                routes.extend(made[id(router)])
                return
            before = len(routes)
            include(site, router, **how)
            made[id(router)] = routes[before:]

        Site.include_router = share  # type: ignore[assignment, method-assign]
