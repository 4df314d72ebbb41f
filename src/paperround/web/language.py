"""Choose the language of a page. The first that is known wins:

    ?lang=de  ─►  the reader's preference  ─►  Accept-Language  ─►  English

No cookie is set: a page whose URL has `lang` adds it to every link and form that leads to another
of our pages (`keep_language`). Middleware reads the request's languages before any handler runs.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

from paperround.core.languages import ENGLISH, PARAMETER, accepted, nearest

_MAX_QUERY = 4096
_MAX_KEPT_QUERY = 1000
_LINK = re.compile(r'(?<=\s)((?:href|action|formaction|data-preview)=")(/(?!/)[^"#]*)')
"""A link to our site in a page. Quotes in user content are escaped, so they cannot match."""
_NOT_A_PAGE = re.compile(
    r"/(?:static|feeds|api)/.*|[^?]*\.(?:atom|rss|json|jsonld|bib|ris|md|xml|eml)(?:\?.*)?"
)
"""URLs that are not pages, and so have no language."""
_HAS_LANGUAGE = re.compile(rf"[?;&]{PARAMETER}=")


@dataclass(slots=True)
class RequestLanguages:
    """The languages of a request: by URL, by the reader's preference, by the browser; None where
    unknown. `query` is the query string of the URL.

    It is mutable, so that threads of the request share it: the page of an error that a handler
    raises is in the language that the handler set.
    """

    from_url: str | None = None
    chosen: str | None = None
    accepted: str | None = None
    query: str = ""


_LANGUAGES: ContextVar[RequestLanguages] = ContextVar("heard")


def _current() -> RequestLanguages:
    languages = _LANGUAGES.get(None)
    if languages is None:
        _LANGUAGES.set(languages := RequestLanguages())
    return languages


def language_middleware(app: ASGIApp) -> ASGIApp:
    """Return `app` with the languages of each request recorded."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _LANGUAGES.set(_read_languages(scope))
        await app(scope, receive, send)

    return run


def _read_languages(scope: Scope) -> RequestLanguages:
    query: str = scope.get("query_string", b"").decode("latin-1")
    named = next(
        (nearest(value) for name, value in parse_qsl(query[:_MAX_QUERY]) if name == PARAMETER), None
    )
    lines = [value for name, value in scope["headers"] if name == b"accept-language"]
    preferred = accepted(b",".join(lines).decode("latin-1"))
    return RequestLanguages(from_url=named, accepted=preferred, query=query)


def set_language(tag: str | None) -> None:
    """Use the reader's language for this page, unless its URL has another one."""
    _current().chosen = nearest(tag) if tag else None


def override_language(tag: str | None) -> None:
    """Use the language that the reader has just chosen, whatever the URL has."""
    if tag and nearest(tag):
        languages = _current()
        languages.chosen, languages.from_url = nearest(tag), None


def requested_language() -> str | None:
    """Return the visitor's language, also for their emails; None if we support none of theirs."""
    languages = _current()
    return languages.from_url or languages.chosen or languages.accepted


def language_url(tag: str) -> str:
    """Return the relative URL of this page in another language. The rest of the query is kept
    unless it is very long, as each page repeats it for every language."""
    query = _current().query
    others = ""
    if 0 < len(query) <= _MAX_KEPT_QUERY:
        fields = [one for one in parse_qsl(query) if one[0] != PARAMETER]
        others = f"{urlencode(fields, safe='/', quote_via=quote)}&" if fields else ""
    return f"?{others}{urlencode({PARAMETER: tag})}"


def set_query(query: str) -> None:
    """Use this query in the URLs of this page in other languages."""
    _current().query = query


def page_language() -> str:
    """Return the language of this page."""
    return requested_language() or ENGLISH


def url_language() -> str | None:
    """Return the language in the URL of this page, None without one."""
    return _current().from_url


def keep_language(page: str) -> str:
    """Return `page` with the language of its URL added to its links and forms."""
    from_url = url_language()

    def add_language(found: re.Match[str]) -> str:
        address = found[2]
        if _NOT_A_PAGE.fullmatch(address) or _HAS_LANGUAGE.search(address):
            return found[0]
        return f"{found[1]}{address}{'&amp;' if '?' in address else '?'}{PARAMETER}={from_url}"

    return page if from_url is None else _LINK.sub(add_language, page)
