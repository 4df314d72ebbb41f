"""Semantic Scholar, read by itself: what its bulk search finds of the last days, newest first.

A poll asks for the last `days` days, and for those that were missed. A page holds up to a thousand
papers and ends with a token for the next. With a key one request a second is allowed; without one
all the world shares a budget and is often refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import FetchFailed, InvalidInput, Misconfigured
from paperround.feeds.formats.entries import BadEntry, reject
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    Source,
    any_of,
    days_of,
    days_setting,
    is_cut_off,
    listed,
    oldest_day,
    page_with,
    query_of,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch
from paperround.plugins.semantic_scholar.record import read_bulk

BASE = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
DAYS = 7
ASKED = (
    "externalIds,title,abstract,authors,publicationDate,year,venue,openAccessPdf,citationCount,"
    "influentialCitationCount,fieldsOfStudy"
)
FIELDS = (
    *("Agricultural and Food Sciences", "Art", "Biology", "Business", "Chemistry"),
    *("Computer Science", "Economics", "Education", "Engineering", "Environmental Science"),
    *("Geography", "Geology", "History", "Law", "Linguistics", "Materials Science"),
    *("Mathematics", "Medicine", "Philosophy", "Physics", "Political Science", "Psychology"),
    "Sociology",
)
"""The fields of study that Semantic Scholar tells apart."""

PAGE = 1000
"""Papers a page at most."""

_MOST_PAGES = 100
_SPELLED = {name.casefold(): name for name in FIELDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _SearchPlace:
    since: date
    fields: tuple[str, ...]
    query: str
    page: int = 0
    token: str = ""


class SemanticScholar(Source[_SearchPlace]):
    """The source `semantic-scholar`. Its key goes to the service's own address and nowhere else:
    whoever may point a feed somewhere must not learn it. Raises Misconfigured for what is no key.
    """

    kind: str = "semantic-scholar"
    settings: ClassVar[Mapping[str, Setting]] = {
        "query": Setting(
            "Words that title or abstract must have; | is or, - is not, quotes hold a "
            "phrase. Needed.",
            needed=True,
            example='"graph neural network" | transformer',
        ),
        "fields": Setting(
            "Only papers of these fields of study, separated by commas "
            "(Computer Science,Biology); all of them if left out.",
            values=any_of(FIELDS),
            many=True,
        ),
        "days": days_setting(
            f"How many days back papers may be dated, 0 to 30 (default {DAYS}).", DAYS
        ),
    }
    place = _SearchPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """Semantic Scholar's page of the search, newest first."""
        words = {"q": feed.settings.get("query", ""), "sort": "pub-date"}
        return page_with("https://www.semanticscholar.org/search", words)

    def __init__(self, *, key: str | None = None) -> None:
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise Misconfigured(
                "PAPERROUND_SEMANTIC_SCHOLAR_KEY must be the key alone, on one line"
            )
        self._key = key

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        query_of(settings, self.kind)
        _fields(settings)
        days_of(settings, DAYS)

    def first(self, state: FeedState, now: datetime) -> _SearchPlace:
        """The first page of the search."""
        return _SearchPlace(
            since=oldest_day(state, now, days=days_of(state.settings, DAYS)),
            fields=_fields(state.settings),
            query=query_of(state.settings, self.kind),
        )

    def request(self, place: _SearchPlace, state: FeedState) -> FetchRequest:
        """How a page of the search is asked for."""
        key = self._key if state.url is None else None
        query = {
            "query": place.query,
            "fields": ASKED,
            "sort": "publicationDate:desc",
            "publicationDateOrYear": f"{place.since}:",
            **({"fieldsOfStudy": ",".join(place.fields)} if place.fields else {}),
            **({"token": place.token} if place.token else {}),
        }
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(query, safe=':,')}",
            headers={"x-api-key": key} if key else {},
            limiter="semantic-scholar",
            interval_seconds=1.0 if key else 3.0,
        )

    def read_page(self, page: Page, place: _SearchPlace) -> tuple[ParsedBatch, _SearchPlace | None]:
        """The papers of one answer; raises FetchFailed for what is no answer of the search."""
        answer = read(page, read_bulk)
        if not answer.rows and is_cut_off(place.page * PAGE, answer.total):
            raise FetchFailed(
                f"Semantic Scholar answered no papers though it found {answer.total:,}: "
                "ask again later"
            )
        if not answer.rows or not answer.token:
            return answer.batch, None
        if answer.token == place.token:
            raise FetchFailed(
                "the list of Semantic Scholar does not come to an end: ask again later"
            )
        if place.page + 1 < _MOST_PAGES:
            return answer.batch, replace(place, page=place.page + 1, token=answer.token)
        problem = BadEntry(
            "too-many-found",
            f"Semantic Scholar found {answer.total:,} papers, of which the newest "
            f"{_MOST_PAGES * PAGE:,} are read: narrow the query",
        )
        rejects = (*answer.batch.rejects, reject(problem, 0, problem.detail))
        return replace(answer.batch, rejects=rejects), None


def _fields(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that are wanted, as the service spells them; none means all."""
    named = listed(settings.get("fields", ""))
    wrong = next((one for one in named if one.casefold() not in _SPELLED), None)
    if wrong is not None:
        near = get_close_matches(wrong[:60].casefold(), _SPELLED, n=1)
        hint = f"did you mean {_SPELLED[near[0]]!r}?" if near else f"it has {', '.join(FIELDS)}"
        raise InvalidInput(
            f"{wrong!r:.60} is not a field of study of Semantic Scholar: {hint}",
            code="settings.fields",
        )
    return tuple(dict.fromkeys(_SPELLED[one.casefold()] for one in named))
