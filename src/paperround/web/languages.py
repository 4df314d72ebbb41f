"""The language of a page: what the visitor asks for, else what the reader chose, else what their
browser likes best.

    ?lang=de  ─►  the reader's own choice  ─►  Accept-Language  ─►  English

Nothing is kept of it but in the choices of a reader: no cookie, no address of its own. What the
request says is noted before any handler runs, and holds for that request alone.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from paperround.domain.languages import ENGLISH, accepted, nearest
from paperround.web.guard import App, Receive, Scope, Send

PARAMETER = "lang"
_LONGEST_QUERY = 4096
_LONGEST_KEPT = 1000


class Heard(NamedTuple):
    """What is known of the language of whoever asks; None where nothing is. `query` is that of
    the address they asked for."""

    asked: str | None = None
    chosen: str | None = None
    accepted: str | None = None
    query: str = ""

    @property
    def wanted(self) -> str | None:
        """The language they want; None where they said nothing that we speak."""
        return self.asked or self.chosen or self.accepted


_NOTHING = Heard()
_HEARD: ContextVar[Heard] = ContextVar("heard", default=_NOTHING)


def hearing(app: App) -> App:
    """`app`, with the language of each request noted."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _HEARD.set(_heard(scope))
        await app(scope, receive, send)

    return run


def _heard(scope: Scope) -> Heard:
    query: str = scope.get("query_string", b"").decode("latin-1")
    named = _named(query) if PARAMETER in query else None
    liked = accepted(_accept_language(scope["headers"]))
    return Heard(asked=named, accepted=liked, query=query)


def _named(query: str) -> str | None:
    return next((nearest(value) for name, value in _fields(query) if name == PARAMETER), None)


def _fields(query: str) -> list[tuple[str, str]]:
    """The fields of a query, as far as it is read."""
    return parse_qsl(query[:_LONGEST_QUERY])


def _accept_language(headers: Iterable[tuple[bytes, bytes]]) -> str:
    lines = [value.decode("latin-1") for name, value in headers if name == b"accept-language"]
    return ",".join(lines)


def speak_to(tag: str | None) -> None:
    """Speak the language that the reader of this page chose, unless its address asks for another
    one."""
    _HEARD.set(_HEARD.get()._replace(chosen=nearest(tag) if tag else None))


def language_wanted() -> str | None:
    """The language that whoever asks wants, to be kept for their mails; None where they said
    nothing that we speak."""
    return _HEARD.get().wanted


def in_language(tag: str) -> str:
    """The address of this page in another language, seen from the page: what else it was asked
    stays, unless that is very long, for every page says it once for each language."""
    query = _HEARD.get().query
    asked = _fields(query) if len(query) <= _LONGEST_KEPT else []
    fields = [one for one in asked if one[0] != PARAMETER]
    return "?" + urlencode([*fields, (PARAMETER, tag)])


def page_language() -> str:
    """The language that this page is to be in."""
    return language_wanted() or ENGLISH
