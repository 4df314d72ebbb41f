"""PubMed, read by itself through NCBI's E-utilities: what a query finds among the last additions.

    esearch ─► a list that PubMed keeps for some hours ─► efetch, 200 articles a page ─► its end

A poll asks for what was added in the last `days` days, and in those that were missed. Where these
hold more than PubMed gives out it asks for fewer days at once. All of NCBI's utilities share one
budget, three requests a second without a key; one a second is asked. A key could only be part of
the address, which is written down.

A cursor is `search|days|query`, or `fetch|first article|articles|begun|list|environment|days|query`
with the days of a `Span`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.domain.times import format_instant, parse_instant, require_utc
from paperround.sources.polling import (
    DEFAULT_DAYS,
    MOST_DAYS,
    Client,
    Span,
    check_names,
    check_url,
    days_of,
    parse_span,
    query_of,
    read,
    span_of,
)
from paperround.sources.pubmed_record import read_pubmed
from paperround.sources.pubmed_search import MOST_FOUND, WEB_ENV, Found, read_search

BASE = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
PAGE = 200
"""Articles of one efetch."""

_KEPT = timedelta(hours=6)
"""PubMed keeps a list for eight hours; an older poll begins anew."""

_SPAN = r"([\d-]+\|[\d-]+\|[\d-]+)"
_SEARCH = re.compile(rf"search\|{_SPAN}\|(.+)", re.ASCII)
_CURSOR = re.compile(
    rf"fetch\|(\d{{1,5}})\|(\d{{1,9}})\|([0-9TZ:.-]{{1,40}})\|([1-9]\d{{0,4}})\|({WEB_ENV})\|{_SPAN}\|(.+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    span: Span
    query: str

    def __str__(self) -> str:
        return f"search|{self.span}|{self.query}"

    @property
    def arguments(self) -> Mapping[str, object]:
        return {
            "db": "pubmed",
            "term": self.query,
            "datetype": "edat",
            "mindate": f"{self.span.since:%Y/%m/%d}",
            "maxdate": f"{self.span.until:%Y/%m/%d}",
            "retmode": "json",
            "retmax": 0,  # the list is kept there, its numbers are not needed here
            "usehistory": "y",
        }

    @property
    def following(self) -> "_Search | None":
        """The days behind these; None when there are none left."""
        span = self.span.following
        return replace(self, span=span) if span else None

    def narrowed(self, found: int) -> "_Search | None":
        """Fewer days, the oldest; None of a single one."""
        span = self.span.narrowed(found, MOST_FOUND)
        return replace(self, span=span) if span else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    start: int = 0
    count: int
    begun: datetime
    query_key: str
    web_env: str
    search: _Search

    def __str__(self) -> str:
        search = f"{self.search.span}|{self.search.query}"
        listed = f"{self.query_key}|{self.web_env}|{search}"
        return f"fetch|{self.start}|{self.count}|{format_instant(self.begun)}|{listed}"

    @property
    def following(self) -> "_Place | _Search | None":
        """The next page; after the last that PubMed gives out, the search for the days behind."""
        start = self.start + PAGE
        if start < min(self.count, MOST_FOUND):
            return replace(self, start=start)
        return self.search.following

    @property
    def arguments(self) -> Mapping[str, object]:
        return {
            "db": "pubmed",
            "query_key": self.query_key,
            "WebEnv": self.web_env,
            "retstart": self.start,
            "retmax": PAGE,
            "retmode": "xml",
        }


class PubMed:
    """The source `pubmed`."""

    kind: str = "pubmed"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "query": "What to search for, as on PubMed's own page (asthma AND review[pt]). Needed.",
            "days": f"How many days back additions are asked for, 1 to {MOST_DAYS} "
            f"(default {DEFAULT_DAYS}).",
        }
    )
    interval: timedelta = timedelta(hours=6)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        query_of(settings, self.kind)
        _days(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page of a list that was found, else the search.

        A poll that was begun with another query begins anew; a list that is too old is searched
        for again.
        """
        cursor, query = state.progress.cursor or "", query_of(state.settings, self.kind)
        place, search = _place(cursor), _search(cursor)
        base = (state.url or BASE).rstrip("/")
        if place and place.search.query == query and require_utc(now) - place.begun < _KEPT:
            return _request(f"{base}/efetch.fcgi", place.arguments, str(place))
        search = place.search if place else search
        if search is None or search.query != query:
            search = _Search(span=span_of(state, now, days=_days(state.settings)), query=query)
        return _request(f"{base}/esearch.fcgi", search.arguments, str(search))

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The articles of one page, or none and where they are after a search.

        Raises FetchFailed for what is no answer of E-utilities, a list no longer kept included.
        """
        cursor = page.request.cursor
        search = _search(cursor)
        if search is not None:
            return _found(read(page, read_search), page, search)
        place = _place(cursor)
        if place is None:
            raise ValueError(f"{cursor!r} is no cursor of {self.kind}")
        batch = read(page, read_pubmed)
        if not batch.records and not batch.rejects:
            raise FetchFailed(
                f"PubMed answered no articles though it found {place.count:,}: ask again later"
            )
        following = place.following
        return replace(batch, next=str(following) if following is not None else None)

    def expects(self, after: datetime) -> datetime | None:
        """Nothing: how often a query finds something new nobody knows."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Never: PubMed adds articles every day."""
        del now
        return False


def _request(url: str, arguments: Mapping[str, object], cursor: str) -> FetchRequest:
    return FetchRequest(
        url=f"{url}?{urlencode({**arguments, 'tool': 'paperround'})}",
        cursor=cursor,
        limiter="ncbi",
        interval_seconds=1.0,
    )


def _search(cursor: str) -> _Search | None:
    match = _SEARCH.fullmatch(cursor)
    span = parse_span(match[1]) if match else None
    return _Search(span=span, query=match[2]) if match and span else None


def _found(found: Found, page: Page, search: _Search) -> ParsedBatch:
    narrowed = search.narrowed(found.count) if found.count > MOST_FOUND else None
    if narrowed is not None:
        return ParsedBatch(next=str(narrowed))
    if not found.count:
        following = search.following
        return ParsedBatch(rejects=found.rejects, next=str(following) if following else None)
    place = _Place(
        count=found.count,
        begun=require_utc(page.fetched_at),
        query_key=found.query_key,
        web_env=found.web_env,
        search=search,
    )
    return ParsedBatch(rejects=found.rejects, next=str(place))


def _place(cursor: str) -> _Place | None:
    match = _CURSOR.fullmatch(cursor)
    span = parse_span(match[6]) if match else None
    if match is None or span is None:
        return None
    try:
        begun = parse_instant(match[3])
    except InvalidInput:
        return None
    return _Place(
        start=int(match[1]),
        count=int(match[2]),
        begun=begun,
        query_key=match[4],
        web_env=match[5],
        search=_Search(span=span, query=match[7]),
    )


def _days(settings: Mapping[str, str]) -> int:
    days = days_of(settings)
    if not days:
        raise InvalidInput(
            f"days must be a whole number from 1 to {MOST_DAYS}: PubMed knows no shorter time",
            code="settings.days",
        )
    return days
