"""A public page asked for with a slash at its end leads to the one without.

    GET /trending/?period=week ─► a public page without the slash? ─► 308 /trending?period=week

Written against the protocol, above the routes: no route has to exist twice. Where it leads is the
path that was asked for and nothing else, without a host, and only where a page of ours answers to
it; so it begins like that page, and never with two slashes.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from fastapi import APIRouter
from fastapi.routing import APIRoute

from paperround.web.answers import KEPT
from paperround.web.guard import App, Receive, Scope, Send

_SLASH = b"/"
_PERSONAL = "{token}"
_AS_WRITTEN = "%/:@!$&'()*+,;=?~"
"""What stays of an address as it was sent, beside letters, digits and `-._`."""


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


def without_slash(app: App, pages: tuple[re.Pattern[str], ...]) -> App:
    """`app`; but whoever asks for one of `pages` with slashes behind it is told the address."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        address = _meant(scope, pages) if _ends_with_slash(scope) else None
        if address is None:
            await app(scope, receive, send)
            return
        headers = [
            (b"location", address.encode("ascii")),
            (b"cache-control", KEPT["cache-control"].encode()),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body"})

    return run


def _ends_with_slash(scope: Scope) -> bool:
    """Whether a page is asked for with a slash at its end. One that is written `%2F` is part of a
    name."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: bytes = scope.get("raw_path", b"")
    return path.endswith(_SLASH)


def _meant(scope: Scope, pages: tuple[re.Pattern[str], ...]) -> str | None:
    """The address without the slash; None where no page of ours has it."""
    path: bytes = scope["raw_path"].rstrip(_SLASH)
    if not any(page.match(unquote(path)) for page in pages):
        return None
    query: bytes = scope["query_string"]
    return quote(path + b"?" + query if query else path, safe=_AS_WRITTEN)
