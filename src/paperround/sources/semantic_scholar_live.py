"""Semantic Scholar, read by itself: what its bulk search finds of the last days, newest first.

A poll asks for the last `days` days, and for those that were missed. A page holds up to a thousand
papers and ends with a token for the next. With a key one request a second is allowed; without one
all the world shares a budget and is often refused.

A cursor is `oldest day|page|fields of study|token|query`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import FetchFailed, InvalidInput, Misconfigured
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch, Reject
from paperround.domain.times import parse_date
from paperround.sources.entries import BadEntry, reject
from paperround.sources.polling import (
    Client,
    check_names,
    check_url,
    days_of,
    is_cut_off,
    oldest_day,
    query_of,
    read,
)
from paperround.sources.semantic_scholar_record import MOST_TOKEN, VISIBLE, Answer, read_bulk

BASE = "https://api.semanticscholar.org/graph/v1/paper/search/bulk"
DAYS = "7"
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
_CURSOR = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)\|(\d{{1,3}})\|([A-Za-z ,]*)\|({VISIBLE}{{0,{MOST_TOKEN}}})\|(.+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    since: date
    fields: tuple[str, ...]
    query: str
    page: int = 0
    token: str = ""

    def __str__(self) -> str:
        return f"{self.since}|{self.page}|{','.join(self.fields)}|{self.token}|{self.query}"

    @property
    def arguments(self) -> Mapping[str, str]:
        return {
            "query": self.query,
            "fields": ASKED,
            "sort": "publicationDate:desc",
            "publicationDateOrYear": f"{self.since}:",
            **({"fieldsOfStudy": ",".join(self.fields)} if self.fields else {}),
            **({"token": self.token} if self.token else {}),
        }


class SemanticScholar:
    """The source `semantic-scholar`. Its key goes to the service's own address and nowhere else:
    whoever may point a feed somewhere must not learn it. Raises Misconfigured for what is no key.
    """

    kind: str = "semantic-scholar"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "query": "Words that title or abstract must have; | is or, - is not, quotes hold a "
            "phrase. Needed.",
            "fields": "Only papers of these fields of study, separated by commas "
            "(Computer Science,Biology); all of them if left out.",
            "days": f"How many days back papers may be dated, 0 to 30 (default {DAYS}).",
        }
    )
    interval: timedelta = timedelta(hours=6)

    def __init__(self, *, key: str | None = None) -> None:
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise Misconfigured(
                "PAPERROUND_SEMANTIC_SCHOLAR_KEY must be the key alone, on one line"
            )
        self._key = key

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        query_of(settings, self.kind)
        _fields(settings)
        _days(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for: where the poll stopped, else the first.

        A poll that was begun with other settings begins anew.
        """
        first = self._first(state, now)
        stopped = _place(state.progress.cursor or "")
        place = stopped if stopped and _is_same(stopped, first) else first
        key = self._key if state.url is None else None
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(place.arguments, safe=':,')}",
            headers={"x-api-key": key} if key else {},
            cursor=str(place),
            limiter="semantic-scholar",
            interval_seconds=1.0 if key else 3.0,
        )

    def _first(self, state: FeedState, now: datetime) -> _Place:
        return _Place(
            since=oldest_day(state, now, days=_days(state.settings)),
            fields=_fields(state.settings),
            query=query_of(state.settings, self.kind),
        )

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one answer; raises FetchFailed for what is no answer of the search."""
        place = _place(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        answer = read(page, read_bulk)
        following = _after(place, answer)
        if following is not None and following.page >= _MOST_PAGES:
            return replace(answer.batch, rejects=(*answer.batch.rejects, _too_many(answer)))
        return replace(answer.batch, next=str(following) if following is not None else None)

    def expects(self, after: datetime) -> datetime | None:
        """Nothing: how often a query finds something new nobody knows."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Never: papers are added at any time."""
        del now
        return False


def _after(place: _Place, answer: Answer) -> _Place | None:
    """The next page; None after the last, which has no token or no papers."""
    if not answer.rows and is_cut_off(place.page * PAGE, answer.total):
        raise FetchFailed(
            f"Semantic Scholar answered no papers though it found {answer.total:,}: ask again later"
        )
    if not answer.rows or not answer.token:
        return None
    if answer.token == place.token:
        raise FetchFailed("the list of Semantic Scholar does not come to an end: ask again later")
    return replace(place, page=place.page + 1, token=answer.token)


def _too_many(answer: Answer) -> Reject:
    most = f"{_MOST_PAGES * PAGE:,}"
    problem = BadEntry(
        "too-many-found",
        f"Semantic Scholar found {answer.total:,} papers, of which the newest {most} are read: "
        "narrow the query",
    )
    return reject(problem, 0, problem.detail)


def _is_same(stopped: _Place, first: _Place) -> bool:
    """Whether a stopped poll asked for what one that begins now would ask for."""
    return (stopped.query, stopped.fields) == (first.query, first.fields)


def _place(cursor: str) -> _Place | None:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return None
    try:
        since = parse_date(match[1])
    except InvalidInput:
        return None
    fields = tuple(filter(None, match[3].split(",")))
    return _Place(since=since, page=int(match[2]), fields=fields, token=match[4], query=match[5])


def _fields(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that are wanted, as the service spells them; none means all."""
    parts = (part.strip() for part in settings.get("fields", "").split(","))
    named = tuple(dict.fromkeys(filter(None, parts)))
    wrong = next((one for one in named if one.casefold() not in _SPELLED), None)
    if wrong is not None:
        near = get_close_matches(wrong[:60].casefold(), _SPELLED, n=1)
        hint = f"did you mean {_SPELLED[near[0]]!r}?" if near else f"it has {', '.join(FIELDS)}"
        raise InvalidInput(
            f"{wrong!r:.60} is not a field of study of Semantic Scholar: {hint}",
            code="settings.fields",
        )
    return tuple(dict.fromkeys(_SPELLED[one.casefold()] for one in named))


def _days(settings: Mapping[str, str]) -> int:
    return days_of({"days": DAYS, **settings})
