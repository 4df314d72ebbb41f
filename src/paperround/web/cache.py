"""Public pages, cached for a minute by path, query and language.

    GET ─► cached? ─► yes: send it
              └─────► no: render it, and cache it if every visitor may see it

A page may be a minute old, as it may be in any cache on the way (`Cache-Control: max-age=60`).
Nothing invalidates it. Pages whose visitors are counted are rendered each time.

A form carries a signed time, its stamp. Pages are cached with a placeholder for it, and each
visitor gets the stamp of their own request. A page with a form also says whether a browser has to
work for it, which may change with each form that is sent: then those pages are dropped.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cachetools import TTLCache

from paperround.web.answers import KEPT, STAMP
from paperround.web.conditional import STANDINGS
from paperround.web.guard import App, Message, Receive, Scope, Send
from paperround.web.languages import page_language

SECONDS = 60.0
MOST_BYTES = 8 * 2**20
"""Of pages with a form, and as many of the others."""

_PUBLIC = KEPT["cache-control"].encode()
_LANGUAGE = b"accept-language"
_KINDS = (b"text/html", b"application/xml")
_STAMP = STAMP.encode()

Header = tuple[bytes, bytes]
Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """A response with status 200; `size` is what it takes in the cache, in bytes."""

    headers: tuple[Header, ...]
    body: bytes
    size: int


class PageCache:
    """The public pages of one process. It lives in the event loop, so it needs no lock."""

    def __init__(
        self,
        stamp: Callable[[], str],
        *,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stamp = stamp

        def empty() -> TTLCache[Key, Page]:
            return TTLCache(most_bytes, seconds, timer, getsizeof=lambda page: page.size)

        self._pages, self._forms = empty(), empty()

    def before(self, app: App) -> App:
        """`app`, its public pages taken from the cache where they are there."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "GET":
                await app(scope, receive, send)
                self._forms.clear()
                return
            key = (page_language(), scope["path"], scope["query_string"])
            page = self._pages.get(key) or self._forms.get(key)
            if page is None:
                recorder = _Recorder(send)
                await app(scope, receive, recorder.send)
                page = recorder.page(sum(map(len, key)))
                if page is not None and not scope[STANDINGS]:
                    self._put(key, page)
            if page is not None:
                await self._hand_out(page, send)

        return run

    def _put(self, key: Key, page: Page) -> None:
        pages = self._forms if _STAMP in page.body else self._pages
        if page.size <= pages.maxsize:
            pages[key] = page

    async def _hand_out(self, page: Page, send: Send) -> None:
        body = (
            page.body.replace(_STAMP, self._stamp().encode()) if _STAMP in page.body else page.body
        )
        headers = [*page.headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Recorder:
    """Holds back a response that may be cached, and passes on any other."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[Header] | None = None
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take one message of the response."""
        if message["type"] == "http.response.start" and _may_be_cached(message):
            self._headers = list(message["headers"])
        elif self._headers is None:
            await self._send(message)
        else:
            self._body.append(message.get("body", b""))

    def page(self, overhead: int) -> Page | None:
        """The response, if it was held back; `overhead` is what its key takes, in bytes."""
        if self._headers is None:
            return None
        headers = tuple(pair for pair in self._headers if pair[0].lower() != b"content-length")
        body = b"".join(self._body)
        return Page(headers, body, overhead + _size(headers) + len(body))


def _size(headers: Iterable[Header]) -> int:
    return sum(len(name) + len(value) for name, value in headers)


def _may_be_cached(message: Message) -> bool:
    """Whether a response is a page that depends on its address and the visitor's language only."""
    headers = {name.lower(): value for name, value in message["headers"]}
    return (
        message["status"] == 200
        and headers.get(b"cache-control") == _PUBLIC
        and headers.get(b"content-type", b"").startswith(_KINDS)
        and headers.get(b"vary", _LANGUAGE) == _LANGUAGE
        and b"set-cookie" not in headers
    )
