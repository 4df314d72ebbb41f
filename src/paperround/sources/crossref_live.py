"""Crossref, read by itself: works of a journal, a publisher or for some words, by their DOI's date.

A work is listed on the day its DOI was registered; publishers may name another date of publication.
The contact of this installation in the User-Agent puts it among the service's polite users.

A mark of Crossref is forgotten within minutes: a poll that was interrupted for longer begins its
days anew. A cursor is a `Bookmark`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.sources.bookmarks import PAGE, Bookmark, bookmark, led_on, place_of
from paperround.sources.catalogues import Answer, filters_of, words_of
from paperround.sources.crossref_record import FIELDS, NAME, read_answer
from paperround.sources.polling import (
    DEFAULT_DAYS,
    Client,
    check_names,
    check_url,
    days_of,
    is_cut_off,
    read,
)

BASE = "https://api.crossref.org/works"
MARK_LIFE = timedelta(minutes=4)
"""Crossref's documentation gives a mark five minutes."""

EXAMPLE = "issn:1476-4687,type:journal-article"
_OWN = "is set by the feed itself: use days"
_REFUSED = {"from-created-date": _OWN, "until-created-date": _OWN}


class Crossref:
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

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        _wanted(settings)
        days_of(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for: where the poll stopped, else the first.

        A poll that was begun with other settings begins anew, and one whose mark is forgotten.
        """
        wanted = _wanted(state.settings)
        place = place_of(state, wanted, days_of(state.settings), now)
        query = urlencode(_query(wanted, place), safe=":,*")
        return FetchRequest(
            url=f"{state.url or BASE}?{query}",
            cursor=str(place),
            limiter="crossref",
            interval_seconds=1.0,
        )

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one answer; raises FetchFailed for what is no list of works."""
        place = bookmark(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        answer = read(page, read_answer)
        return led_on(place, _ended(place, answer), NAME, expires=page.fetched_at + MARK_LIFE)

    def expects(self, after: datetime) -> datetime | None:
        """Nothing: publishers register works on any day, or on none."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Never."""
        del now
        return False


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
