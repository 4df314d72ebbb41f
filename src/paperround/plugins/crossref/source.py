"""Crossref, read by itself: works of a journal, a publisher or for some words, by their DOI's date.

A work is listed on the day its DOI was registered; publishers may name another date of publication.
The contact of this installation in the User-Agent puts it among the service's polite users.

A mark of Crossref is forgotten within minutes: a poll that was interrupted for longer begins its
days anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.times import require_utc
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    DEFAULT_DAYS,
    Source,
    days_of,
    days_setting,
    is_cut_off,
    page_with,
    read,
    span_of,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch
from paperround.plugins.catalogues import PAGE, PageCursor, page_and_position, parse_filters
from paperround.plugins.crossref.record import FIELDS, NAME, read_answer

BASE = "https://api.crossref.org/works"
MARK_LIFE = timedelta(minutes=4)
"""Crossref's documentation gives a mark five minutes."""

EXAMPLE = "issn:1476-4687,type:journal-article"
_OWN = "is set by the feed itself: use days"
_REFUSED = {"from-created-date": _OWN, "until-created-date": _OWN}


class Crossref(Source[PageCursor]):
    """The source `crossref`."""

    kind: str = "crossref"
    settings: ClassVar[Mapping[str, Setting]] = {
        "filter": Setting(
            f"Filters of Crossref, separated by commas ({EXAMPLE}, prefix:10.1101). "
            "This or query is needed.",
            example=EXAMPLE,
        ),
        "query": Setting(
            "Words to search for in titles, authors and journals.", example="graph neural network"
        ),
        "days": days_setting(
            f"How many days before today are read again, 0 to 30 (default {DEFAULT_DAYS})."
        ),
    }
    interval: timedelta = timedelta(hours=6)
    place = PageCursor

    def public(self, feed: NewFeed) -> PublicAddress:
        """Crossref's page of a search; what filters find is an API response only."""
        asked = {key: feed.settings.get(key, "").strip() for key in ("filter", "query")}
        if asked["filter"]:
            return page_with("https://api.crossref.org/works", asked)
        return page_with("https://search.crossref.org/", {"q": asked["query"]})

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        parse_filters(settings, _REFUSED, EXAMPLE, "query")
        days_of(settings)

    def first(self, state: FeedState, now: datetime) -> PageCursor:
        """The first page of the days that a poll asks for."""
        return PageCursor(span=span_of(state, now, days=days_of(state.settings)))

    def request(self, place: PageCursor, state: FeedState) -> FetchRequest:
        """How a page of works is asked for."""
        filters, words = parse_filters(state.settings, _REFUSED, EXAMPLE, "query")
        days = f"from-created-date:{place.span.since},until-created-date:{place.span.until}"
        query = {
            "filter": ",".join((*filters, days)),
            **({"query": words} if words else {}),
            "rows": str(PAGE),
            "cursor": place.mark,
            "select": FIELDS,
        }
        url = f"{state.url or BASE}?{urlencode(query, safe=':,*')}"
        return FetchRequest(url=url, limiter="crossref", interval_seconds=1.0)

    def resumed(self, place: PageCursor, now: datetime) -> PageCursor:
        """The same page; the first one of its days where its mark is forgotten."""
        is_old = place.expires is not None and place.expires <= require_utc(now)
        return place.first_of(place.span) if is_old else place

    def read_page(self, page: Page, place: PageCursor) -> tuple[ParsedBatch, PageCursor | None]:
        """The papers of one answer; raises FetchFailed for what is no list of works."""
        answer = read(page, read_answer)
        # Crossref names a next page even after the last one, which is not full.
        seen = place.page * PAGE + answer.rows
        if answer.rows < PAGE and not is_cut_off(seen, answer.total):
            answer = replace(answer, mark=None)
        return page_and_position(place, answer, NAME, expires=page.fetched_at + MARK_LIFE)
