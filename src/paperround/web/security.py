"""The security middleware: checks that every request passes before any handler, in this order.

    no websockets ─► headers ─► client address ─► host ─► body limits ─► cross-site ─► HEAD
    ─► the application

It is plain ASGI, so that it also covers error pages and routes of the framework.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperround.core.languages import marked

BODY_SECONDS = 10.0
"""How long a client may take to send a request body."""

PUBLIC_BODY = 64 * 1024
LARGE_BODY = 1024 * 1024
LIBRARY_BODY = 4 * 1024 * 1024
"""Enough for a library of a thousand papers with abstracts."""
_LIBRARY_PATH = re.compile(r"/preferences/[^/]+/library")
ADMIN = "/api/v1/admin/"
HOOKS = "/hooks/"

CLIENT = "paperround.client"
"""The key of the client's address in the scope."""

_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::[0-9]{1,5})?")
_ADDRESS_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:%(images)s; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"interest-cohort=(), browsing-topics=()"),
)
NO_STORE = (b"cache-control", b"no-store")
HSTS = (b"strict-transport-security", b"max-age=31536000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Settings of the security middleware. `images` is the origin of the operator's logo, if any,
    which pages may show."""

    hosts: frozenset[str]
    proxies: tuple[IPv4Network | IPv6Network, ...]
    https: bool
    cookieless: tuple[str, ...]
    images: str = ""
    seconds: float = BODY_SECONDS

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The security headers of every response that does not set its own."""
        images = f" {self.images}" if self.images else ""
        policy = CONTENT_SECURITY_POLICY % {"images": images}
        headers = ((b"content-security-policy", policy.encode("ascii")), *HEADERS)
        return (*headers, HSTS) if self.https else headers


Refuse = Callable[[HTTPException, str], Response]
"""Returns the response for a refusal: a page or JSON, depending on the path."""


def security_middleware(app: ASGIApp, rules: Rules, refuse: Refuse) -> ASGIApp:
    """Return `app` inside the security middleware. Websockets are refused, as no page uses them."""

    headers = rules.headers

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path = str(scope["path"])
        send = _with_headers(send, headers)
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        scope[CLIENT] = client_address(scope, rules.proxies)
        try:
            _check_host(scope, rules.hosts)
            body = await _read_body(scope, receive, _body_limit(path), rules.seconds)
            if _is_cross_site(scope, rules):
                raise HTTPException(
                    403,
                    marked(
                        "This form can be sent only from this site. Reload the page and try again."
                    ),
                )
        except HTTPException as error:
            await refuse(error, path)(scope, receive, send)
            return
        await app(scope, _replay(body, receive), send)

    return run


def _with_headers(send: Send, security_headers: Iterable[tuple[bytes, bytes]]) -> Send:
    """Add the security headers that a handler did not set itself."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in headers}
            headers += [pair for pair in (*security_headers, NO_STORE) if pair[0] not in names]
            message = {**message, "headers": [p for p in headers if p[0].lower() != b"server"]}
        await send(message)

    return with_headers


def _without_body(send: Send) -> Send:
    """Drop the body, to answer HEAD as GET."""

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return without_body


# --- client address and host -------------------------------------------------------------------


def client_address(scope: Scope, proxies: Iterable[IPv4Network | IPv6Network]) -> str | None:
    """Return the client's address: the peer, or behind trusted proxies the one they forward.

    `X-Forwarded-For` is read from the right, past trusted proxies only: the first address that is
    not one is the client. Entries further left were sent by the client and are ignored.
    """
    peer = scope.get("client")
    address = _parse_address(peer[0]) if peer else None
    trusted = tuple(proxies)
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [hop for line in lines for hop in line.decode("latin-1").split(",")]
    for hop in reversed([one for one in map(str.strip, hops) if one]):
        if address is None or not any(address in network for network in trusted):
            break
        address = _parse_address(hop)
    return None if address is None else str(address)


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address, without its port, converting IPv4-mapped IPv6 to IPv4; None if it is
    invalid."""
    with_port = _ADDRESS_AND_PORT.fullmatch(text)
    try:
        found = ip_address((with_port[1] if with_port else text).strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _check_host(scope: Scope, hosts: frozenset[str]) -> None:
    """Raise HTTPException: 400 for a missing, repeated or invalid Host (RFC 9112, 3.2), 421 for an
    unknown one, so that it never gets into a link, an email or a cache. `[::1]:80` is `::1`,
    `Example.org.:80` is `example.org`."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    found = _HOST.fullmatch(lines[0]) if len(lines) == 1 else None
    if found is None or not str(scope["path"]).startswith("/"):
        raise HTTPException(400, marked("A request must name one host, and a path on it."))
    if (found["v6"] or found["name"].rstrip(".")).lower() not in hosts:
        raise HTTPException(421, marked("This server does not serve that host."))


# --- body limits -------------------------------------------------------------------------------


def _body_limit(path: str) -> int:
    """Return the largest body for this path, in bytes."""
    if _LIBRARY_PATH.fullmatch(path):
        return LIBRARY_BODY
    return LARGE_BODY if path.startswith((ADMIN, HOOKS)) else PUBLIC_BODY


async def _read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes:
    """Read the whole body before the application starts. Raises HTTPException for one that is too
    large, too slow or incomplete, or of which a proxy could see another end."""
    too_large = HTTPException(413, marked("A request can have at most %(all)s bytes.", all=limit))
    stated = [value for name, value in scope["headers"] if name == b"content-length"]
    if stated and any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        raise HTTPException(400, marked("A request must state its length in one way only."))
    if any(not value.isdigit() or _exceeds(value, limit) for value in stated):
        raise too_large
    parts, size, more = [], 0, True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HTTPException(
                        400, marked("The request ended before its body was complete.")
                    )
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise too_large
                more = message.get("more_body", False)
    except TimeoutError:
        times = format(seconds, "g")
        detail = marked("A request must arrive within %(times)s seconds.", times=times)
        raise HTTPException(408, detail) from None
    return b"".join(parts)


def _exceeds(digits: bytes, limit: int) -> bool:
    """Whether a number is above `limit`. A very long one is not parsed: Python refuses to."""
    written = digits.lstrip(b"0")
    return len(written) > len(str(limit)) or int(written or b"0") > limit


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


# --- cross-site requests -----------------------------------------------------------------------


def _is_cross_site(scope: Scope, rules: Rules) -> bool:
    """Whether an unsafe request with a cookie comes from another site.

    The routes in `cookieless` never read a cookie and accept posts from elsewhere: from mail
    programs and from sign-up forms on other sites.
    """
    if scope["method"] not in UNSAFE or str(scope["path"]).startswith(rules.cookieless):
        return False
    return any(name == b"cookie" for name, _ in scope["headers"]) and is_foreign(scope)


def is_foreign(scope: Scope) -> bool:
    """Whether a request was not sent by one of our own pages, as far as the browser says."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get(b"origin", b"null").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return origin.partition("://")[2] != host


# The API refuses unknown query parameters: a misspelt filter would have no effect, and the response
# would look right.

UNKNOWN = "unknown_parameter"
"""The type of such an error, among those of pydantic."""


async def _refuse_unknown(request: Request) -> None:
    known = sorted(set(parameter_names(request.scope["route"].dependant)))
    unknown = sorted(request.query_params.keys() - set(known))
    if not unknown:
        return
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    message = f"There is no such query parameter here: {takes}."
    raise RequestValidationError(
        [{"type": UNKNOWN, "loc": ("query", name), "msg": message} for name in unknown]
    )


def parameter_names(dependant: Dependant) -> Iterator[str]:
    """Yield the query parameters of a handler and of its dependencies."""
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from parameter_names(one)


KNOWN_PARAMETERS_ONLY = Depends(_refuse_unknown)
"""Dependency of a router whose routes refuse unknown query parameters."""
