"""PubMed, read by itself through NCBI's E-utilities: what a query finds among the last additions.

    esearch ─► a list that PubMed keeps for some hours ─► efetch, 200 articles a page ─► its end

A poll asks for what was added in the last `days` days, and since the day before the last good poll
when that is longer ago. All of NCBI's utilities share one budget, three requests a second without
a key; one a second is asked. A key could only be part of the address, which is written down.

A cursor is `search|query`, or `fetch|first article|articles|begun|list|environment|query`.
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
    check_names,
    check_url,
    days_of,
    oldest_day,
    query_of,
    read,
)
from paperround.sources.pubmed_record import read_pubmed
from paperround.sources.pubmed_search import MOST_FOUND, WEB_ENV, Found, read_search

BASE = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
PAGE = 200
"""Articles of one efetch."""

_KEPT = timedelta(hours=6)
"""PubMed keeps a list for eight hours; an older poll begins anew."""

_SEARCH = "search|"
_CURSOR = re.compile(
    rf"fetch\|(\d{{1,5}})\|(\d{{1,9}})\|([0-9TZ:.-]{{1,40}})\|([1-9]\d{{0,4}})\|({WEB_ENV})\|(.+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    start: int = 0
    count: int
    begun: datetime
    query_key: str
    web_env: str
    query: str

    def __str__(self) -> str:
        listed = f"{self.query_key}|{self.web_env}|{self.query}"
        return f"fetch|{self.start}|{self.count}|{format_instant(self.begun)}|{listed}"

    @property
    def following(self) -> "_Place | None":
        """The next page; None after the last that PubMed gives out."""
        start = self.start + PAGE
        return replace(self, start=start) if start < min(self.count, MOST_FOUND) else None

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

        A poll that was begun with another query, or too long ago, begins anew.
        """
        query, place = query_of(state.settings, self.kind), _place(state.progress.cursor or "")
        base = (state.url or BASE).rstrip("/")
        if place and place.query == query and require_utc(now) - place.begun < _KEPT:
            return _request(f"{base}/efetch.fcgi", place.arguments, str(place))
        return _request(f"{base}/esearch.fcgi", _search(state, query, now), f"{_SEARCH}{query}")

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The articles of one page, or none and where they are after a search.

        Raises FetchFailed for what is no answer of E-utilities, a list no longer kept included.
        """
        cursor = page.request.cursor
        if cursor.startswith(_SEARCH):
            return _found(read(page, read_search), page, cursor.removeprefix(_SEARCH))
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


def _search(state: FeedState, query: str, now: datetime) -> Mapping[str, object]:
    since = oldest_day(state, now, days=_days(state.settings))
    return {
        "db": "pubmed",
        "term": query,
        "datetype": "edat",
        "reldate": (require_utc(now).date() - since).days,
        "retmode": "json",
        "retmax": 0,  # the list is kept there, its numbers are not needed here
        "usehistory": "y",
    }


def _found(found: Found, page: Page, query: str) -> ParsedBatch:
    if not found.count:
        return ParsedBatch(rejects=found.rejects)
    place = _Place(
        count=found.count,
        begun=require_utc(page.fetched_at),
        query_key=found.query_key,
        web_env=found.web_env,
        query=query,
    )
    return ParsedBatch(rejects=found.rejects, next=str(place))


def _place(cursor: str) -> _Place | None:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
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
        query=match[6],
    )


def _days(settings: Mapping[str, str]) -> int:
    days = days_of(settings)
    if not days:
        raise InvalidInput(
            f"days must be a whole number from 1 to {MOST_DAYS}: PubMed knows no shorter time",
            code="settings.days",
        )
    return days
