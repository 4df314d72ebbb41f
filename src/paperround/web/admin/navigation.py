"""The navigation of the admin pages, without pages that are not installed."""

from functools import cache

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from paperround.core.languages import marked

PAGES = (
    (marked("Overview"), "/admin"),
    (marked("Lists"), "/admin/lists"),
    (marked("Editions"), "/admin/editions"),
    (marked("Deliveries"), "/admin/deliveries"),
    (marked("Subscribers"), "/admin/people"),
    (marked("Bounces"), "/admin/bounces"),
    (marked("Feeds"), "/admin/feeds"),
    (marked("Channels"), "/admin/channels"),
    (marked("Ranking"), "/admin/ranking"),
    (marked("Figures"), "/admin/figures"),
    (marked("API keys"), "/admin/keys"),
    (marked("Operators"), "/admin/operators"),
    (marked("Audit log"), "/admin/audit"),
    (marked("Doctor"), "/admin/doctor"),
)
"""The title and the path of each page, in the order of the navigation."""


@cache
def pages_of(app: FastAPI) -> tuple[tuple[str, str], ...]:
    """Return the pages that `app` has: a plugin that is not installed leaves no dead link."""
    paths = {route.path for route in iter_route_contexts(app.routes)}
    return tuple((title, path) for title, path in PAGES if path in paths)
