"""Time requests by route, for `/metrics`.

The route is its template (`/papers/{paper}`), never the path: paths contain tokens and searches.
"""

from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperround.core.measures import REQUESTS

CACHED, REFUSED, UNKNOWN, FILES = "cached", "refused", "unknown", "/static"
"""Names for pages from the cache, requests refused before routing, paths without a route, and
static files."""

_ROUTE = "paperround.route"


def time_requests(app: ASGIApp) -> ASGIApp:
    """Return `app` with each response timed until its last byte is passed to the server."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        found: dict[str, str] = {}
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = perf_counter()
        try:
            await app({**scope, _ROUTE: found}, receive, send_noted)
        finally:
            unseen = CACHED if status < 400 else REFUSED
            REQUESTS.add(perf_counter() - begun, found.get("route", unseen), f"{status // 100}xx")

    return run


def note_route(app: ASGIApp) -> ASGIApp:
    """Return the router `app`, which reports the route it chose to `time_requests`."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                scope.get(_ROUTE, {})["route"] = _template(scope)

    return run


def _template(scope: MutableMapping[str, Any]) -> str:
    route = scope.get("route")
    if route is not None:
        return str(route.path)
    return FILES if scope["path"].startswith(f"{FILES}/") else UNKNOWN
