"""What every request passes before any handler: plain ASGI, in the order `guarded` lists it.

    no websockets ─► headers ─► client address ─► host ─► body limits ─► cross-site ─► HEAD
    ─► the application

Written against the protocol and not against a framework, because these are promises about bytes:
they hold for error pages and for routes nobody thought of, too.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from paperround.domain.languages import marked

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECONDS = 10.0
"""How long a client may take to send a whole request body."""

PUBLIC_BODY = 64 * 1024
LARGE_BODY = 1024 * 1024
LIBRARY_BODY = 4 * 1024 * 1024
"""A reader's library with its abstracts: a thousand works."""
_LIBRARY = re.compile(r"/preferences/[^/]+/library")
ADMIN = "/api/v1/admin/"
HOOKS = "/hooks/"

CLIENT = "paperround.client"
"""Where the client's address stands in the scope."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::[0-9]{1,5})?")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"interest-cohort=(), browsing-topics=()"),
)
NO_STORE = (b"cache-control", b"no-store")
YEAR = (b"strict-transport-security", b"max-age=31536000")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer given before the application was asked."""

    status: int
    title: str
    detail: str


Refuse = Callable[[Refusal, Scope], tuple[bytes, bytes]]
"""(content type, body) of a refusal, for this kind of client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the guard must know of an installation."""

    hosts: frozenset[str]
    proxies: tuple[IPv4Network | IPv6Network, ...]
    https: bool
    cookieless: tuple[str, ...]
    seconds: float = SECONDS


def guarded(app: App, rules: Rules, refuse: Refuse) -> App:
    """`app` behind every guard."""
    app = _head_as_get(app)
    app = _same_site_only(app, rules, refuse)
    app = _bounded(app, rules, refuse)
    app = _known_host(app, rules, refuse)
    app = _with_client(app, rules)
    return _without_websockets(_with_headers(app, rules))


def _without_websockets(app: App) -> App:
    """No page uses them, so none gets past: what follows guards HTTP alone."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await app(scope, receive, send)

    return run


# --- headers of every answer -------------------------------------------------------------------


def _with_headers(app: App, rules: Rules) -> App:
    """Security headers on everything; what a handler says itself stays as it says it."""
    always = (*HEADERS, YEAR) if rules.https else HEADERS

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", ()))
                names = {name.lower() for name, _ in said}
                said += [pair for pair in (*always, NO_STORE) if pair[0] not in names]
                message = {**message, "headers": [p for p in said if p[0].lower() != b"server"]}
            await send(message)

        await app(scope, receive, with_headers if scope["type"] == "http" else send)

    return run


# --- who asks, and for whom --------------------------------------------------------------------


def _with_client(app: App, rules: Rules) -> App:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope[CLIENT] = client_address(scope, rules.proxies)
        await app(scope, receive, send)

    return run


def client_address(scope: Scope, proxies: Iterable[IPv4Network | IPv6Network]) -> str | None:
    """Who asks: the peer, or, when the peer is a trusted proxy, whom the chain names.

    `X-Forwarded-For` is read from the right, past trusted proxies only: the first address that is
    none is the client. What stands further left was written by the client and is not read.
    """
    peer = scope.get("client")
    address = _address(peer[0]) if peer else None
    trusted = tuple(proxies)
    for hop in reversed(_forwarded(scope)):
        if address is None or not _is_in(address, trusted):
            break
        address = _address(hop)
    return address


def _forwarded(scope: Scope) -> list[str]:
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for line in lines for hop in line.decode("latin-1").split(",")]


def _address(text: str) -> str | None:
    """The address, an IPv4 one in IPv6 clothes undressed; None for what is no address."""
    try:
        found = ip_address(text.strip("[] "))
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _is_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    found = ip_address(address)
    return any(found.version == net.version and found in net for net in networks)


def _known_host(app: App, rules: Rules, refuse: Refuse) -> App:
    """Only for the host this is: a foreign one never gets into a link, a mail or a cache."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _wrong_host(scope, rules.hosts) if scope["type"] == "http" else None
        if refusal is not None:
            await _answer(refusal, scope, send, refuse)
            return
        await app(scope, receive, send)

    return run


def _wrong_host(scope: Scope, hosts: frozenset[str]) -> Refusal | None:
    """400 for a request that names no host, several, or what can be none (RFC 9112, 3.2)."""
    named = [_bare(value.decode("latin-1")) for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1 or named[0] is None or not str(scope["path"]).startswith("/"):
        return Refusal(
            400, marked("Bad request"), marked("A request names one host, and a path on it.")
        )
    if named[0] not in hosts:
        return Refusal(421, marked("Wrong host"), marked("This server does not serve that host."))
    return None


def _bare(host: str) -> str | None:
    """`[::1]:80` -> `::1`, `Example.org.:80` -> `example.org`; None for anything else."""
    found = _HOST.fullmatch(host)
    return found and (found["v6"] or found["name"].rstrip(".")).lower()


# --- how much, and how long --------------------------------------------------------------------


def _bounded(app: App, rules: Rules, refuse: Refuse) -> App:
    """Bodies are read whole, within a size and a time, before the application starts."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        found = await _body(scope, receive, _limit(str(scope["path"])), rules.seconds)
        if isinstance(found, Refusal):
            await _answer(found, scope, send, refuse)
            return
        await app(scope, _replay(found, receive), send)

    return run


def _limit(path: str) -> int:
    """How many bytes a request to this path may hold."""
    if _LIBRARY.fullmatch(path):
        return LIBRARY_BODY
    return LARGE_BODY if path.startswith((ADMIN, HOOKS)) else PUBLIC_BODY


async def _body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes | Refusal:
    too_large = Refusal(
        413, marked("Too large"), marked("A request may hold %(all)s bytes.", all=limit)
    )
    stated = [value for name, value in scope["headers"] if name == b"content-length"]
    if any(not value.isdigit() or _is_more(value, limit) for value in stated):
        return too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Refusal(
                        400, marked("Incomplete"), marked("The request ended before its body did.")
                    )
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    return too_large
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        return Refusal(
            408,
            marked("Too slow"),
            marked("A request must arrive within %(times)s seconds.", times=format(seconds, "g")),
        )


def _is_more(digits: bytes, limit: int) -> bool:
    """Whether a number is above `limit`. A very long one is not read: Python refuses to."""
    written = digits.lstrip(b"0")
    return len(written) > len(str(limit)) or int(written or b"0") > limit


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


# --- whose page sent it ------------------------------------------------------------------------


def _same_site_only(app: App, rules: Rules, refuse: Refuse) -> App:
    """A request that changes something and carries a cookie must come from our own pages.

    The routes in `cookieless` never read one and are meant to be posted to from elsewhere: by mail
    programs, by a form on somebody's own page.
    """

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_foreign(scope, rules):
            await _answer(
                Refusal(
                    403, marked("Cross-site"), marked("This may only be sent from our own pages.")
                ),
                scope,
                send,
                refuse,
            )
            return
        await app(scope, receive, send)

    return run


def _is_foreign(scope: Scope, rules: Rules) -> bool:
    if scope["method"] not in UNSAFE or str(scope["path"]).startswith(rules.cookieless):
        return False
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if b"cookie" not in headers:
        return False
    site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get(b"origin", b"null").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return origin.partition("://")[2] != host


# --- HEAD --------------------------------------------------------------------------------------


def _head_as_get(app: App) -> App:
    """HEAD is GET without its body, for every page."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await app({**scope, "method": "GET"}, receive, without_body)

    return run


async def _answer(refusal: Refusal, scope: Scope, send: Send, refuse: Refuse) -> None:
    kind, body = refuse(refusal, scope)
    if scope["method"] == "HEAD":
        body = b""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


UNKNOWN = "unknown_parameter"
"""What such an error is called among those of the library that checks fields."""


async def _refuse_unknown(request: Request) -> None:
    known = sorted(set(_names(request.scope["route"].dependant)))
    unknown = sorted(request.query_params.keys() - set(known))
    if not unknown:
        return
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    message = f"There is no such query parameter here: {takes}."
    raise RequestValidationError(
        [{"type": UNKNOWN, "loc": ("query", name), "msg": message} for name in unknown]
    )


def _names(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a handler, and of all that it depends on."""
    for field in dependant.query_params:
        yield field.alias
    for one in dependant.dependencies:
        yield from _names(one)


KNOWN_NAMES_ONLY = Depends(_refuse_unknown)
"""Among the dependencies of a router: its routes take the query parameters they name, no other."""
