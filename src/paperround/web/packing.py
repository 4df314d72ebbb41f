"""Public answers packed with gzip for whoever takes that: of a page of sixty papers, a seventh.

Only what every cache may keep is packed, which is the same for everybody. A page of one person
holds links that are keys, and says again what it was asked: packed, its length would tell, guess by
guess, what they are (BREACH). So those leave as they are.

The tag of what is packed is weak, as other bytes stand for the same page. What has been packed is
kept by its tag where that says which bytes they were.
"""

import gzip
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from starlette.concurrency import run_in_threadpool

from paperround.web.guard import App, Message, Receive, Scope, Send

LEAST = 1024
"""Bytes below which packing gains nothing: the answer fits into one packet either way."""
LEVEL = 4
MOST_BYTES = 8 * 2**20
"""Of packed answers that are kept."""

_KINDS = (
    *(b"text/", b"application/json", b"application/problem+json", b"application/xml"),
    *(b"application/atom+xml", b"application/rss+xml", b"application/feed+json", b"image/svg+xml"),
    *(b"application/ld+json", b"application/javascript", b"application/openapi+json"),
)
_BY_ENCODING = b"accept-encoding"
_CHANGED = frozenset({b"content-length", b"accept-ranges"})

WEAK = b"W/"

Header = tuple[bytes, bytes]
Key = tuple[str, bytes]
"""A path and a tag: a file's tag tells it from others at its own address only."""


class Packer:
    """Packed answers of one process, those that were asked for last. Safe to share between
    threads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0

    def before(self, app: App) -> App:
        """`app`, its public answers packed for whoever takes that. It sends a public answer
        whole, with its tag."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "GET":
                await app(scope, receive, send)
                return
            wants = _takes_gzip(scope)
            await app(scope, receive, _Answer(self, scope["path"], send, wants=wants).send)

        return run

    async def packed(self, body: bytes, path: str, tag: bytes) -> bytes:
        """`body` as gzip. Where `tag` is a strong one, no other bytes have it at this path."""
        key = (path, tag)
        kept = self._find(key)
        if kept is None:
            kept = await run_in_threadpool(gzip.compress, body, LEVEL, mtime=0)
            if tag and not tag.startswith(WEAK):
                self._keep(key, kept)
        return kept

    def _find(self, key: Key) -> bytes | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: Key, packed: bytes) -> None:
        with self._lock:
            self._bytes += len(packed) - len(self._kept.pop(key, b""))
            self._kept[key] = packed
            while self._bytes > self._most_bytes:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone)


class _Answer:
    """One answer on its way out."""

    def __init__(self, packer: Packer, path: str, send: Send, *, wants: bool) -> None:
        self._packer, self._path, self._send, self._wants = packer, path, send, wants
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on; the head of what is to be packed waits for its body."""
        if message["type"] == "http.response.start" and _may_be_packed(message):
            headers = _varying(message["headers"])
            message = {**message, "headers": headers}
            if self._wants and message["status"] == 200 and _is_worth_it(headers):
                self._start = message
                return
            if self._wants:  # the same tag for short ones: a 304 does not know the length
                message = {**message, "headers": _weakened(headers)}
        if self._start is not None:
            start, self._start = self._start, None
            message = await self._pack(start, message)
        await self._send(message)

    async def _pack(self, start: Message, message: Message) -> Message:
        """Send the head of a packed answer; returns its body."""
        tag = _value(start["headers"], b"etag")
        body = await self._packer.packed(message["body"], self._path, tag)
        kept = [pair for pair in start["headers"] if pair[0].lower() not in _CHANGED]
        packed = [(b"content-encoding", b"gzip"), (b"content-length", str(len(body)).encode())]
        await self._send({**start, "headers": _weakened([*kept, *packed])})
        return {**message, "body": body}


def _takes_gzip(scope: Scope) -> bool:
    """Whether `Accept-Encoding` names gzip, or anything, and does not refuse it (RFC 9110,
    12.5.3)."""
    lines = [value for name, value in scope["headers"] if name == _BY_ENCODING]
    weights = dict(_weighed(one) for line in lines for one in line.lower().split(b","))
    return weights.get(b"gzip", weights.get(b"*", 0.0)) > 0


def _weighed(written: bytes) -> tuple[bytes, float]:
    coding, _, parameter = written.partition(b";")
    _, is_weighed, weight = parameter.partition(b"=")
    try:
        return coding.strip(), float(weight) if is_weighed else 1.0
    except ValueError:
        return coding.strip(), 0.0


def _may_be_packed(message: Message) -> bool:
    """Whether an answer is everybody's, and text; or says that such a one has not changed."""
    headers = message["headers"]
    return _value(headers, b"cache-control").startswith(b"public") and (
        message["status"] == 304 or _value(headers, b"content-type").startswith(_KINDS)
    )


def _is_worth_it(headers: Iterable[Header]) -> bool:
    length = _value(headers, b"content-length")
    return length.isdigit() and int(length) >= LEAST


def _varying(headers: Iterable[Header]) -> list[Header]:
    """Headers that say that the answer depends on what packing is taken, beside what they say."""
    others = [pair for pair in headers if pair[0].lower() != b"vary"]
    said = [value for name, value in headers if name.lower() == b"vary"]
    return [*others, (b"vary", b", ".join([*said, _BY_ENCODING]))]


def _weakened(headers: Iterable[Header]) -> list[Header]:
    """Headers whose tag, if there is one, stands for a page and not for its bytes."""
    return [
        (name, WEAK + value.removeprefix(WEAK)) if name.lower() == b"etag" else (name, value)
        for name, value in headers
    ]


def _value(headers: Iterable[Header], name: bytes) -> bytes:
    return next((value for key, value in headers if key.lower() == name), b"")
