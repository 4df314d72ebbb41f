"""Answers that a client may keep: each has an ETag, and who has it already gets a 304 (RFC 9110).

Written against the protocol, so that no handler has to think of it: whatever says in
`Cache-Control` that it may be kept is read whole, and told apart by a hash of its bytes where it
has no tag yet. Beside it stand the rate headers of those answers whose visitors are counted.
"""

import hashlib
from collections.abc import Iterable

from paperround.domain.limits import Standing
from paperround.web.guard import App, Message, Receive, Scope, Send

STANDINGS = "paperround.standings"
"""Where a request's scope holds what is left to its client, once somebody counted it."""

_STAYS = frozenset(
    {b"cache-control", b"etag", b"vary", b"date", b"link", b"ratelimit", b"ratelimit-policy"}
)
"""What a 304 repeats of the answer it stands for."""

Header = tuple[bytes, bytes]


def conditional(app: App) -> App:
    """`app`, its answers with an ETag and with rate headers where there is something to say."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        standings: list[Standing] = []
        answer = _Answer(scope, send, standings)
        await app({**scope, STANDINGS: standings}, receive, answer.send)

    return run


class _Answer:
    """One answer on its way out."""

    def __init__(self, scope: Scope, send: Send, standings: list[Standing]) -> None:
        self._scope, self._send, self._standings = scope, send, standings
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Pass a message on, or keep it until the whole answer is known."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._headers(message)}
            if self._scope["method"] == "GET" and _may_be_kept(message):
                self._start = message
                return
        elif self._start is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._finish(self._start, b"".join(self._parts))
            return
        await self._send(message)

    def _headers(self, message: Message) -> list[Header]:
        return [*message.get("headers", ()), *_rate_headers(self._standings)]

    async def _finish(self, start: Message, body: bytes) -> None:
        headers = start["headers"]
        tag = _tag(headers)
        if tag is None:
            tag = etag_of(body)
            headers = [*headers, (b"etag", tag)]
        if _is_known(self._scope, tag):
            headers = [pair for pair in headers if pair[0].lower() in _STAYS]
            start, body = {**start, "status": 304}, b""
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def etag_of(body: bytes) -> bytes:
    """A strong tag: other bytes have another one."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()


def _may_be_kept(message: Message) -> bool:
    headers = {name.lower(): value for name, value in message["headers"]}
    rule = headers.get(b"cache-control", b"no-store")
    return message["status"] == 200 and b"no-store" not in rule


def _tag(headers: Iterable[Header]) -> bytes | None:
    return next((value for name, value in headers if name.lower() == b"etag"), None)


def _is_known(scope: Scope, tag: bytes) -> bool:
    """Whether `If-None-Match` names the tag, or any; weak ones count as well (RFC 9110, 13.1.2)."""
    lines = [value for name, value in scope["headers"] if name == b"if-none-match"]
    named = [one.strip().removeprefix(b"W/") for line in lines for one in line.split(b",")]
    return tag.removeprefix(b"W/") in named or b"*" in named


def _rate_headers(standings: Iterable[Standing]) -> list[Header]:
    """`RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-10 writes them, of
    the limit that the client is nearest to."""
    nearest = min(standings, key=lambda one: one.remaining, default=None)
    if nearest is None:
        return []
    policy = f'"{nearest.policy}";q={nearest.limit};w={nearest.window}'
    left = f'"{nearest.policy}";r={nearest.remaining};t={nearest.reset}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
