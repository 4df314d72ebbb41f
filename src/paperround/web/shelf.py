"""Public pages that were made a moment ago: a page is made once, and again when anything changed.

    GET ─► same address, language and state of what pages show, under a minute old? ─► those bytes
                     └─► no: the application makes them ─► may everybody have them? ─► kept

Whatever is on the shelf said of itself that every cache may keep it, so it holds nothing that is
one visitor's. Written against the protocol, below the ETags and above the routes: a page that is
taken from here costs one look at the database and no routing.

A form's stamp says when it was made, and is signed. Pages are made with a mark in its place, and
each visitor gets the stamp of their own moment.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from starlette.concurrency import run_in_threadpool

from paperround.domain.errors import DatabaseFailed
from paperround.jobs.ports import Clock, Pulse
from paperround.web.answers import KEPT, STAMP
from paperround.web.conditional import STANDINGS
from paperround.web.guard import App, Message, Receive, Scope, Send
from paperround.web.languages import page_language

LASTING = timedelta(seconds=60)
"""What the time of day decides (which edition is the newest) may be as late as that."""
MOST_BYTES = 16 * 2**20
LARGEST = 2**19

_KEPT = KEPT["cache-control"].encode()
_LANGUAGE = b"accept-language"
_KINDS = (b"text/html", b"application/xml")
_HALF_DAY = 12
"""Hours after which a page with a stamp has another tag: no browser keeps a stamp for so long that
it counts no more."""

Header = tuple[bytes, bytes]
Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer: its headers, and its bytes, parted where a stamp goes."""

    headers: Sequence[Header]
    parts: Sequence[bytes]
    beat: str
    made_at: datetime

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(map(len, self.parts))


class Shelf:
    """The pages of one process, those that were asked for last. Safe to share between threads."""

    def __init__(
        self,
        pulse: Pulse,
        clock: Clock,
        stamp: Callable[[datetime], str],
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._pulse, self._clock, self._stamp = pulse, clock, stamp
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0

    def before(self, app: App, unkept: Collection[str] = ()) -> App:
        """`app`, its public pages made no more often than they change. For the paths of `unkept`
        the database is asked nothing."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            is_page = scope["type"] == "http" and scope["method"] == "GET"
            if not is_page or scope["path"] in unkept:
                await app(scope, receive, send)
                if scope.get("method") == "POST":
                    self._forget_forms()
                return
            key = (page_language(), scope["path"], scope["query_string"])
            beat = await self._beat()
            now = self._clock.now()
            kept = self._find(key, beat, now)
            if kept is None:
                await app(scope, receive, _Making(self, key, beat, now, scope, send).send)
            else:
                await self.hand_out(kept, now, send)

        return run

    async def _beat(self) -> str:
        """The state of the database; empty when that cannot be told, and nothing is kept."""
        try:
            at_hand = self._pulse.at_hand()
            return await run_in_threadpool(self._pulse.beat) if at_hand is None else at_hand
        except DatabaseFailed:
            return ""

    def _find(self, key: Key, beat: str, now: datetime) -> Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.beat != beat:
                return None
            if not timedelta() <= now - found.made_at < LASTING:
                return None
            self._kept.move_to_end(key)
            return found

    def put(self, key: Key, kept: Kept) -> None:
        """Keep an answer, and drop those that were asked for longest ago where it gets tight. The
        address counts as well: whoever asks writes it, and may write much."""
        size = _size(key, kept)
        if not kept.beat or size > LARGEST:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._bytes += size
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def _forget_forms(self) -> None:
        """Pages with a form say whether a browser has to work for it, which may change with each
        that is sent in."""
        with self._lock:
            for key in [key for key, kept in self._kept.items() if len(kept.parts) > 1]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= _size(key, gone) if gone is not None else 0

    async def hand_out(self, kept: Kept, now: datetime, send: Send) -> None:
        """Answer with a page that is kept."""
        body = kept.parts[0]
        if len(kept.parts) > 1:
            body = self._stamp(now).encode().join(kept.parts)
        headers = [*kept.headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Making:
    """One answer of the application on its way out, kept where it may be."""

    def __init__(
        self, shelf: Shelf, key: Key, beat: str, now: datetime, scope: Scope, send: Send
    ) -> None:
        self._shelf, self._key, self._beat, self._now = shelf, key, beat, now
        self._scope, self._send = scope, send
        self._headers: Sequence[Header] | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Pass a message on, or keep it until the whole page is known."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._headers = message["headers"]
            return
        if self._headers is None:
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body"):
            kept = kept_of(self._headers, b"".join(self._parts), self._beat, self._now)
            if not self._scope[STANDINGS]:  # a visit that is counted has to be asked for each time
                self._shelf.put(self._key, kept)
            await self._shelf.hand_out(kept, self._now, self._send)


def _size(key: Key, kept: Kept) -> int:
    """Bytes that an answer takes on the shelf."""
    return sum(map(len, key)) + kept.size


def _is_page(message: Message) -> bool:
    """Whether an answer is a page that every cache may keep, and that depends on its address and
    the visitor's language alone."""
    headers = {name.lower(): value for name, value in message["headers"]}
    return (
        message["status"] == 200
        and headers.get(b"cache-control") == _KEPT
        and headers.get(b"content-type", b"").startswith(_KINDS)
        and headers.get(b"vary", _LANGUAGE) == _LANGUAGE
        and not headers.keys() & {b"etag", b"set-cookie"}
    )


def kept_of(headers: Sequence[Header], body: bytes, beat: str, now: datetime) -> Kept:
    """An answer as it is kept, with its tag: a weak one where each visitor gets another stamp."""
    parts = body.split(STAMP.encode())
    others = [pair for pair in headers if pair[0].lower() != b"content-length"]
    digest = hashlib.sha256(b"".join(parts))
    if len(parts) > 1:
        digest.update(f"{now.date()} {now.hour // _HALF_DAY}".encode())
    weak = "W/" if len(parts) > 1 else ""
    tag = f'{weak}"{digest.hexdigest()[:32]}"'.encode()
    return Kept(headers=[*others, (b"etag", tag)], parts=parts, beat=beat, made_at=now)
