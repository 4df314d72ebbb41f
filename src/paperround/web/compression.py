"""Gzip for public pages and static files: a page of sixty papers shrinks to a seventh.

A page of one reader is never compressed. It holds links that are keys and repeats what it was
asked, so its compressed length would let an attacker guess the keys (BREACH).
"""

import re
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from paperround.web.guard import App, Receive, Scope, Send

LEAST = 1024
"""Bytes below which an answer fits into one packet anyway."""
LEVEL = 4
_PERSONAL = "{token}"


def public_paths(routers: Iterable[APIRouter]) -> tuple[re.Pattern[str], ...]:
    """The paths of the pages that are for everybody: those whose address holds no token."""
    routes = (route for router in routers for route in router.routes)
    return tuple(
        route.path_regex
        for route in routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and _PERSONAL not in route.path
    )


def compressed(app: App, pages: Iterable[re.Pattern[str]]) -> App:
    """`app`, with gzip for GET requests to a path that one of `pages` matches and for static
    files, where the client accepts it."""
    public = tuple(pages)
    packing = GZipMiddleware(app, minimum_size=LEAST, compresslevel=LEVEL)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        is_public = scope["type"] == "http" and scope["method"] == "GET" and _matches(scope["path"])
        await (packing if is_public else app)(scope, receive, send)

    def _matches(path: str) -> bool:
        return path.startswith("/static/") or any(one.match(path) for one in public)

    return run
