"""Choose the language of a page. The first that is known wins:

    ?lang=de  ─►  the reader's preference  ─►  Accept-Language  ─►  English

No cookie is set: a page whose URL has `lang` adds it to every link and form that leads to another
of our pages (`carried`). Middleware reads the request's languages before any handler runs.
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
"""A link to our site in a page. Quotes in user content are escaped, so they cannot match."""
_NO_PAGE = re.compile(
    r"/(?:static|feeds)/.*|[^?]*\.(?:atom|rss|json|jsonld|bib|ris|md|xml|eml)(?:\?.*)?"
)
"""URLs other than pages, which exist in one language."""
_SAYS = re.compile(rf"[?;&]{PARAMETER}=")


@dataclass(slots=True)
class LanguageWish:
    """The languages of a request: by URL, by the reader's preference, by the browser; None where
    unknown. `query` is the query string of the URL.

    It is mutable, so that threads of the request share it: the page of an error that a handler
    raises is in the language that the handler set.
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
    """Return `app` with the languages of each request recorded."""

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
    """Parse a query string, up to its size limit."""
    return parse_qsl(query[:_LONGEST_QUERY])


def speak_to(tag: str | None) -> None:
    """Use the reader's language for this page, unless its URL has another one."""
    _hears().chosen = nearest(tag) if tag else None


def speak_from_now_on(tag: str | None) -> None:
    """Use the language that the reader has just chosen, whatever the URL has."""
    if tag and nearest(tag):
        heard = _hears()
        heard.chosen, heard.asked = nearest(tag), None


def language_wanted() -> str | None:
    """Return the visitor's language, also for their emails; None if we support none they want."""
    heard = _hears()
    return heard.asked or heard.chosen or heard.accepted


def in_language(tag: str) -> str:
    """Return the relative URL of this page in another language. The rest of the query is kept
    unless it is very long, as each page repeats it for every language."""
    query = _hears().query
    others = ""
    if 0 < len(query) <= _LONGEST_KEPT:
        fields = [one for one in _fields(query) if one[0] != PARAMETER]
        others = f"{urlencode(fields, safe='/', quote_via=quote)}&" if fields else ""
    return f"?{others}{urlencode({PARAMETER: tag})}"


def page_language() -> str:
    """Return the language of this page."""
    return language_wanted() or ENGLISH


def language_asked() -> str | None:
    """Return the language in the URL of this page, None without one."""
    return _hears().asked


def carried(page: str) -> str:
    """Return `page` with the language of its URL added to its links and forms."""
    asked = language_asked()

    def carrying(found: re.Match[str]) -> str:
        address = found[2]
        if _NO_PAGE.fullmatch(address) or _SAYS.search(address):
            return found[0]
        return f"{found[1]}{address}{'&amp;' if '?' in address else '?'}{PARAMETER}={asked}"

    return page if asked is None else _LEADING.sub(carrying, page)
