"""The language of a page: what the visitor asks for, else what the reader chose, else what their
browser likes best.

    ?lang=de  ─►  the reader's own choice  ─►  Accept-Language  ─►  English

Nothing is kept of it but in the choices of a reader, and no cookie is set: a page whose address
asks for a language says so in every link and form that leads to another page of ours (`carried`).
What the request says is noted before any handler runs, and holds for that request alone.
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from paperround.domain.languages import ENGLISH, PARAMETER, accepted, nearest
from paperround.web.guard import App, Receive, Scope, Send

_LONGEST_QUERY = 4096
_LONGEST_KEPT = 1000
_LEADING = re.compile(r'(?<=\s)((?:href|action|formaction|data-preview)=")(/(?!/)[^"#]*)')
"""An address of ours that a page leads to. Whatever somebody wrote has its quotes escaped."""
_NO_PAGE = re.compile(
    r"/(?:static|feeds)/.*|[^?]*\.(?:atom|rss|json|jsonld|bib|ris|md|xml|eml)(?:\?.*)?"
)
"""What is no page, and in one language."""
_SAYS = re.compile(rf"[?;&]{PARAMETER}=")


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


class _Ear:
    """What was heard, for whichever thread goes on with the request: an error that a handler
    raises is told in the language that the handler had begun to speak."""

    __slots__ = ("heard",)

    def __init__(self, heard: Heard) -> None:
        self.heard = heard


_EAR: ContextVar[_Ear | None] = ContextVar("ear", default=None)


def _hears() -> Heard:
    ear = _EAR.get()
    return Heard() if ear is None else ear.heard


def hearing(app: App) -> App:
    """`app`, with the language of each request noted."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _EAR.set(_Ear(_heard(scope)))
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
    _hear(_hears()._replace(chosen=nearest(tag) if tag else None))


def speak_from_now_on(tag: str | None) -> None:
    """Speak the language that the reader chose just now, whatever the address asks for."""
    if tag and nearest(tag):
        _hear(_hears()._replace(chosen=nearest(tag), asked=None))


def _hear(heard: Heard) -> None:
    ear = _EAR.get()
    if ear is None:
        _EAR.set(_Ear(heard))
    else:
        ear.heard = heard


def language_wanted() -> str | None:
    """The language that whoever asks wants, to be kept for their mails; None where they said
    nothing that we speak."""
    return _hears().wanted


def in_language(tag: str) -> str:
    """The address of this page in another language, seen from the page: what else it was asked
    stays, unless that is very long, for every page says it once for each language."""
    query = _hears().query
    others = _without_language(query) if 0 < len(query) <= _LONGEST_KEPT else ""
    return f"?{others}{urlencode({PARAMETER: tag})}"


@lru_cache(maxsize=16)
def _without_language(query: str) -> str:
    """The other fields of a query, with what parts them from one more: a page has its own address
    in each language, and one alone, as templates write it."""
    others = [one for one in _fields(query) if one[0] != PARAMETER]
    return f"{urlencode(others, safe='/', quote_via=quote)}&" if others else ""


def page_language() -> str:
    """The language that this page is to be in."""
    return language_wanted() or ENGLISH


def language_asked() -> str | None:
    """The language that the address of this page asks for; None where it asks for none."""
    return _hears().asked


def carried(page: str) -> str:
    """`page`, whose links and forms ask for the language that its own address asked for."""
    asked = language_asked()
    return page if asked is None else _LEADING.sub(lambda found: _carrying(found, asked), page)


def _carrying(found: re.Match[str], asked: str) -> str:
    address = found[2]
    if _NO_PAGE.fullmatch(address) or _SAYS.search(address):
        return found[0]
    return f"{found[1]}{address}{'&amp;' if '?' in address else '?'}{PARAMETER}={asked}"
