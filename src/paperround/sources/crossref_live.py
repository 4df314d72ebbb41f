"""Crossref, read by itself: works of a journal, a publisher or for some words, by their DOI's date.

A work is listed on the day its DOI was registered; publishers may name another date of publication.
The contact of this installation in the User-Agent puts it among the service's polite users.

A mark of Crossref is forgotten within minutes: a poll that was interrupted for longer begins its
days anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.domain.times import require_utc
from paperround.sources.bookmarks import PAGE, Bookmark, led_on
from paperround.sources.catalogues import Answer, filters_of, words_of
from paperround.sources.crossref_record import FIELDS, NAME, read_answer
from paperround.sources.polling import (
    DEFAULT_DAYS,
    PagedSource,
    days_of,
    is_cut_off,
    read,
    span_of,
)

BASE = "https://api.crossref.org/works"
MARK_LIFE = timedelta(minutes=4)
"""Crossref's documentation gives a mark five minutes."""

EXAMPLE = "issn:1476-4687,type:journal-article"
_OWN = "is set by the feed itself: use days"
_REFUSED = {"from-created-date": _OWN, "until-created-date": _OWN}


class Crossref(PagedSource[Bookmark]):
    """The source `crossref`."""

    kind: str = "crossref"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "filter": f"Filters of Crossref, separated by commas ({EXAMPLE}, prefix:10.1101). "
            "This or query is needed.",
            "query": "Words to search for in titles, authors and journals.",
            "days": f"How many days before today are read again, 0 to 30 (default {DEFAULT_DAYS}).",
        }
    )
    interval: timedelta = timedelta(hours=6)
    place = Bookmark

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        _wanted(settings)
        days_of(settings)

    def first(self, state: FeedState, now: datetime) -> Bookmark:
        """The first page of the days that a poll asks for."""
        return Bookmark(span=span_of(state, now, days=days_of(state.settings)))

    def request(self, place: Bookmark, state: FeedState) -> FetchRequest:
        """How a page of works is asked for."""
        query = urlencode(_query(_wanted(state.settings), place), safe=":,*")
        url = f"{state.url or BASE}?{query}"
        return FetchRequest(url=url, limiter="crossref", interval_seconds=1.0)

    def resumed(self, place: Bookmark, now: datetime) -> Bookmark:
        """The same page; the first one of its days where its mark is forgotten."""
        is_old = place.expires is not None and place.expires <= require_utc(now)
        return place.first_of(place.span) if is_old else place

    def read_page(self, page: Page, place: Bookmark) -> tuple[ParsedBatch, Bookmark | None]:
        """The papers of one answer; raises FetchFailed for what is no list of works."""
        answer = _ended(place, read(page, read_answer))
        return led_on(place, answer, NAME, expires=page.fetched_at + MARK_LIFE)


def _ended(place: Bookmark, answer: Answer) -> Answer:
    """Crossref names a next page even after the last one, which is not full."""
    is_short = answer.rows < PAGE
    if is_short and not is_cut_off(place.page * PAGE + answer.rows, answer.total):
        return replace(answer, mark=None)
    return answer


def _query(wanted: tuple[str, str], place: Bookmark) -> dict[str, str]:
    filters, words = wanted
    days = f"from-created-date:{place.span.since},until-created-date:{place.span.until}"
    return {
        "filter": f"{filters},{days}" if filters else days,
        **({"query": words} if words else {}),
        "rows": str(PAGE),
        "cursor": place.mark,
        "select": FIELDS,
    }


def _wanted(settings: Mapping[str, str]) -> tuple[str, str]:
    """(filters, words) of what is asked for."""
    filters = filters_of(settings, _REFUSED, EXAMPLE)
    words = words_of(settings, "query")
    if not filters and not words:
        raise InvalidInput(
            f"say which works with filter (like {EXAMPLE}) or query: all are too many",
            code="settings.filter",
        )
    return ",".join(filters), words
