"""Cache, compress and tag public pages: a page cache, gzip, and ETags.

Public pages are cached for a minute by path, query and language.

    GET ─► cached? ─► yes: send it
              └─────► no: render it, and cache it if it is public

A page may be a minute old, as in any other cache (`Cache-Control: max-age=60`), and is never
invalidated. Rate-limited pages are not cached.

A form contains a signed time, its stamp. Pages are cached with a placeholder for it, which is
replaced by the stamp of each request. A page with a form also shows whether proof of work is
needed, which may change with each form that is sent, so any request but GET drops those pages.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cachetools import TTLCache
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperround.core.languages import PARAMETER
from paperround.core.rates import RateLimitStatus
from paperround.web.language import page_language, set_query
from paperround.web.security import parameter_names
from paperround.web.templates import PUBLIC_HEADERS, STAMP

SECONDS = 60.0
MAX_BYTES = 8 * 2**20
"""The most bytes of cached pages with a form, and likewise of all others."""

_PUBLIC = PUBLIC_HEADERS["cache-control"].encode()
_LANGUAGE = b"accept-language"
_KINDS = (b"text/html", b"application/xml")
_STAMP = STAMP.encode()

Header = tuple[bytes, bytes]
Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A response with status 200; `size` is its size in the cache, in bytes."""

    headers: tuple[Header, ...]
    body: bytes
    size: int


class PageCache:
    """The public pages of one process. It is used in the event loop only, so it needs no lock."""

    def __init__(
        self,
        stamp: Callable[[], str],
        *,
        seconds: float = SECONDS,
        max_bytes: int = MAX_BYTES,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stamp = stamp

        def new_cache() -> TTLCache[Key, CachedPage]:
            return TTLCache(max_bytes, seconds, timer, getsizeof=lambda page: page.size)

        self._pages, self._forms = new_cache(), new_cache()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return `app` with its public pages served from the cache."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "GET":
                await app(scope, receive, send)
                self._forms.clear()
                return
            key = (page_language(), scope["path"], scope["query_string"])
            page = self._pages.get(key) or self._forms.get(key)
            if page is None:
                page = await _capture(app, scope, receive, send, sum(map(len, key)))
                if page is not None and not scope[RATE_STATUSES]:
                    pages = self._forms if _STAMP in page.body else self._pages
                    if page.size <= pages.maxsize:
                        pages[key] = page
            if page is not None:
                await self._send_page(page, send)

        return run

    async def _send_page(self, page: CachedPage, send: Send) -> None:
        body = page.body
        if _STAMP in body:
            body = body.replace(_STAMP, self._stamp().encode())
        headers = [*page.headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _capture(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, overhead: int
) -> CachedPage | None:
    """Return the response of `app` if it may be cached, else send it. `overhead` is the size of its
    key in bytes."""
    headers: tuple[Header, ...] | None = None
    parts: list[bytes] = []

    async def record(message: Message) -> None:
        nonlocal headers
        if message["type"] == "http.response.start" and _may_be_cached(message):
            headers = tuple(
                one for one in message["headers"] if one[0].lower() != b"content-length"
            )
        elif headers is None:
            await send(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, record)
    if headers is None:
        return None
    body = b"".join(parts)
    size = overhead + sum(len(name) + len(value) for name, value in headers) + len(body)
    return CachedPage(headers, body, size)


def _may_be_cached(message: Message) -> bool:
    """Whether a response is a page that depends only on its URL and the visitor's language."""
    headers = {name.lower(): value for name, value in message["headers"]}
    return (
        message["status"] == 200
        and headers.get(b"cache-control") == _PUBLIC
        and headers.get(b"content-type", b"").startswith(_KINDS)
        and headers.get(b"vary", _LANGUAGE) == _LANGUAGE
        and b"set-cookie" not in headers
    )


def drop_unknown(app: ASGIApp, pages: Iterable[APIRoute]) -> ASGIApp:
    """Return `app` without the query parameters that these pages do not know: each would make
    another page in the cache, and is in the links of a page that others get."""
    known = [(one.path_regex, {PARAMETER, *parameter_names(one.dependant)}) for one in pages]

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["query_string"]:
            taken = (names for path, names in known if path.match(scope["path"]))
            if (names := next(taken, None)) is not None:
                fields = scope["query_string"].split(b"&")
                kept = [one for one in fields if one.partition(b"=")[0].decode("latin-1") in names]
                scope = {**scope, "query_string": b"&".join(kept)}
                set_query(scope["query_string"].decode("latin-1"))
        await app(scope, receive, send)

    return run


# Gzip for public pages and static files: a page of sixty papers shrinks to a seventh.
#
# Personal pages are never compressed. They contain secret links and repeat their input, so the
# compressed length would let an attacker guess the secrets (BREACH).

MIN_GZIP_BYTES = 1024
"""Bytes below which a response fits into one packet anyway."""
GZIP_LEVEL = 4


def compress(app: ASGIApp, routers: Iterable[APIRouter]) -> ASGIApp:
    """Return `app` with gzip for static files, and for the GET routes of `routers` without a token
    in their path."""
    routes = [one for router in routers for one in router.routes if isinstance(one, APIRoute)]
    gets = [one for one in routes if "GET" in (one.methods or ()) and "{token}" not in one.path]
    gzip = GZipMiddleware(app, minimum_size=MIN_GZIP_BYTES, compresslevel=GZIP_LEVEL)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        is_public = False
        if scope["type"] == "http" and scope["method"] == "GET":
            path = scope["path"]
            is_public = path.startswith("/static/") or any(r.path_regex.match(path) for r in gets)
        await (gzip if is_public else app)(scope, receive, send)

    return run


# Every cacheable response gets an ETag, and a 304 if the client has it already (RFC 9110). For
# clients that send no ETag back, a `Last-Modified` that the handler sets does the same.
#
# This middleware does it for all handlers: it buffers each response whose `Cache-Control` allows
# caching, and adds a hash of its bytes if it has no ETag. It also adds the rate-limit headers of
# rate-limited routes.

RATE_STATUSES = "paperround.standings"
"""The key of the request's rate-limit statuses in its scope."""

_NOT_MODIFIED_HEADERS = frozenset(
    b"cache-control date etag last-modified link ratelimit ratelimit-policy vary".split()
)
"""Headers that a 304 repeats."""


def add_etags(app: ASGIApp) -> ASGIApp:
    """Return `app` with ETags, 304 responses and rate-limit headers."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        statuses: list[RateLimitStatus] = []
        start: Message | None = None
        parts: list[bytes] = []

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_rate_headers(statuses)]
                message = {**message, "headers": headers}
                rule = _header(headers, b"cache-control") or b"no-store"
                is_cacheable = message["status"] == 200 and b"no-store" not in rule
                if scope["method"] == "GET" and is_cacheable:
                    start = message
                    return
            elif start is not None:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await _finish(scope, send, start, b"".join(parts))
                return
            await send(message)

        await app({**scope, RATE_STATUSES: statuses}, receive, send_tagged)

    return run


async def _finish(scope: Scope, send: Send, start: Message, body: bytes) -> None:
    headers = start["headers"]
    tag = _header(headers, b"etag")
    if tag is None:  # a strong one
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        headers = [*headers, (b"etag", tag)]
    if _matches_etag(scope, tag) or _is_unmodified(scope, _header(headers, b"last-modified")):
        headers = [pair for pair in headers if pair[0].lower() in _NOT_MODIFIED_HEADERS]
        start, body = {**start, "status": 304}, b""
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(headers: Iterable[Header], wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _matches_etag(scope: Scope, tag: bytes) -> bool:
    """Whether `If-None-Match` has the tag, weak or strong, or `*` (RFC 9110, 13.1.2)."""
    lines = [value for name, value in scope["headers"] if name == b"if-none-match"]
    named = [one.strip().removeprefix(b"W/") for line in lines for one in line.split(b",")]
    return tag.removeprefix(b"W/") in named or b"*" in named


def _is_unmodified(scope: Scope, changed: bytes | None) -> bool:
    """Whether nothing changed after `If-Modified-Since`, which counts only in a request without
    `If-None-Match` (RFC 9110, 13.1.3)."""
    since = _http_date(_header(scope["headers"], b"if-modified-since"))
    moment = _http_date(changed)
    if since is None or moment is None or _header(scope["headers"], b"if-none-match") is not None:
        return False
    return moment <= since


def _http_date(value: bytes | None) -> datetime | None:
    """Parse the date of a header, which is in UTC; None without one, or if it is invalid."""
    try:
        return parsedate_to_datetime((value or b"").decode("latin-1")).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _rate_headers(statuses: Iterable[RateLimitStatus]) -> list[Header]:
    """Return `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) for the
    limit that the client is closest to."""
    nearest = min(statuses, key=lambda one: one.remaining, default=None)
    if nearest is None:
        return []
    policy = f'"{nearest.policy}";q={nearest.limit};w={nearest.window}'
    left = f'"{nearest.policy}";r={nearest.remaining};t={nearest.reset}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
