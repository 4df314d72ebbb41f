"""The language of a page: what the visitor asks for, else what the reader chose, else what their
browser likes best.

    ?lang=de  ─►  the reader's own choice  ─►  Accept-Language  ─►  English

Nothing is kept of it but in the choices of a reader, and no cookie is set: a page whose address
asks for a language says so in every link and form that leads to another page of ours (`carried`).
What the request says is noted before any handler runs, and holds for that request alone.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from paperround.core.languages import ENGLISH, PARAMETER, accepted, nearest
from paperround.web.security import App, Receive, Scope, Send

_LONGEST_QUERY = 4096
_LONGEST_KEPT = 1000
_LEADING = re.compile(r'(?<=\s)((?:href|action|formaction|data-preview)=")(/(?!/)[^"#]*)')
"""An address of ours that a page leads to. Whatever somebody wrote has its quotes escaped."""
_NO_PAGE = re.compile(
    r"/(?:static|feeds)/.*|[^?]*\.(?:atom|rss|json|jsonld|bib|ris|md|xml|eml)(?:\?.*)?"
)
"""What is no page, and in one language."""
_SAYS = re.compile(rf"[?;&]{PARAMETER}=")


@dataclass(slots=True)
class LanguageWish:
    """What is known of the language of whoever asks; None where nothing is. `query` is that of
    the address they asked for.

    Whichever thread goes on with the request changes the same value: an error that a handler
    raises is told in the language that the handler had begun to speak.
    """

    asked: str | None = None
    chosen: str | None = None
    accepted: str | None = None
    query: str = ""


_HEARD: ContextVar[LanguageWish] = ContextVar("heard")


def _hears() -> LanguageWish:
    heard = _HEARD.get(None)
    if heard is None:
        _HEARD.set(heard := LanguageWish())
    return heard


def hearing(app: App) -> App:
    """`app`, with the language of each request noted."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _HEARD.set(_heard(scope))
        await app(scope, receive, send)

    return run


def _heard(scope: Scope) -> LanguageWish:
    query: str = scope.get("query_string", b"").decode("latin-1")
    named = next((nearest(value) for name, value in _fields(query) if name == PARAMETER), None)
    lines = [value for name, value in scope["headers"] if name == b"accept-language"]
    liked = accepted(b",".join(lines).decode("latin-1"))
    return LanguageWish(asked=named, accepted=liked, query=query)


def _fields(query: str) -> list[tuple[str, str]]:
    """The fields of a query, as far as it is read."""
    return parse_qsl(query[:_LONGEST_QUERY])


def speak_to(tag: str | None) -> None:
    """Speak the language that the reader of this page chose, unless its address asks for another
    one."""
    _hears().chosen = nearest(tag) if tag else None


def speak_from_now_on(tag: str | None) -> None:
    """Speak the language that the reader chose just now, whatever the address asks for."""
    if tag and nearest(tag):
        heard = _hears()
        heard.chosen, heard.asked = nearest(tag), None


def language_wanted() -> str | None:
    """The language that whoever asks wants, to be kept for their mails; None where they said
    nothing that we speak."""
    heard = _hears()
    return heard.asked or heard.chosen or heard.accepted


def in_language(tag: str) -> str:
    """The address of this page in another language, seen from the page: what else it was asked
    stays, unless that is very long, for every page says it once for each language. A page has its
    own address in each language, and one alone, as templates write it."""
    query = _hears().query
    others = ""
    if 0 < len(query) <= _LONGEST_KEPT:
        fields = [one for one in _fields(query) if one[0] != PARAMETER]
        others = f"{urlencode(fields, safe='/', quote_via=quote)}&" if fields else ""
    return f"?{others}{urlencode({PARAMETER: tag})}"


def page_language() -> str:
    """The language that this page is to be in."""
    return language_wanted() or ENGLISH


def language_asked() -> str | None:
    """The language that the address of this page asks for; None where it asks for none."""
    return _hears().asked


def carried(page: str) -> str:
    """`page`, whose links and forms ask for the language that its own address asked for."""
    asked = language_asked()

    def carrying(found: re.Match[str]) -> str:
        address = found[2]
        if _NO_PAGE.fullmatch(address) or _SAYS.search(address):
            return found[0]
        return f"{found[1]}{address}{'&amp;' if '?' in address else '?'}{PARAMETER}={asked}"

    return page if asked is None else _LEADING.sub(carrying, page)
