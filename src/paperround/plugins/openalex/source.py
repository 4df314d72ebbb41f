"""OpenAlex, read by itself: the works of a field, or for some words, published on the last days.

What OpenAlex added is asked for by publication date: asking by the date it was added is paid for.
Works appear days after their date, so each poll reads the days before again. Without a key the
service answers about 100 pages (of 100 works) a day, or 10 of a search. A key would have to stand
in the address, which is kept and shown, so none is taken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.rates import Rate
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    Source,
    days_of,
    days_setting,
    listed,
    page_with,
    read,
    span_of,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch
from paperround.plugins.catalogues import PAGE, PageCursor, page_and_position, parse_filters
from paperround.plugins.openalex.record import FIELDS, NAME, read_answer

BASE = "https://api.openalex.org/works"

KEYLESS = (Rate(100, timedelta(days=1)),)
"""What the service lets an address without a key ask, by all that asks it from there."""

DAYS = 7

_TYPES = "type:article|preprint|review"
EXAMPLE = "primary_topic.field.id:17,type:preprint"
_OWN = "is set by the feed itself: use days"
_PAID = "is paid for with a key: the feed asks by publication date"
_SECRET = "would show a secret: feeds are exported and shown"  # noqa: S105 - no password
_REFUSED = {
    "from_publication_date": _OWN,
    "to_publication_date": _OWN,
    "from_created_date": _PAID,
    "to_created_date": _PAID,
    "from_updated_date": _PAID,
    "to_updated_date": _PAID,
    "api_key": _SECRET,
}


class OpenAlex(Source[PageCursor]):
    """The source `openalex`."""

    kind: str = "openalex"
    settings: ClassVar[Mapping[str, Setting]] = {
        "filter": Setting(
            f"Filters of OpenAlex, separated by commas ({EXAMPLE}). "
            "This or search is needed; without a type, articles, preprints and reviews.",
            example=EXAMPLE,
        ),
        "search": Setting(
            "Words to search for in title, abstract and text.", example="graph neural network"
        ),
        "days": days_setting(
            f"How many days before today are read again, 0 to 30 (default {DAYS}).", DAYS
        ),
    }
    interval: timedelta = timedelta(hours=12)
    place = PageCursor

    def public(self, feed: NewFeed) -> PublicAddress:
        """OpenAlex's page, which has the words of a search among the filters."""
        words = feed.settings.get("search", "").replace(",", " ").strip()
        parts = (
            *listed(feed.settings.get("filter", "")),
            f"default.search:{words}" if words else "",
        )
        return page_with("https://openalex.org/works", {"filter": ",".join(filter(None, parts))})

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        _wanted(settings)
        days_of(settings, DAYS)

    def first(self, state: FeedState, now: datetime) -> PageCursor:
        """The first page of the days that a poll asks for."""
        return PageCursor(span=span_of(state, now, days=days_of(state.settings, DAYS)))

    def request(self, place: PageCursor, state: FeedState) -> FetchRequest:
        """How a page of works is asked for."""
        filters, words = _wanted(state.settings)
        days = f"from_publication_date:{place.span.since},to_publication_date:{place.span.until}"
        query = {
            "filter": f"{filters},{days}",
            **({"search": words} if words else {}),
            "per-page": str(PAGE),
            "cursor": place.mark,
            "select": FIELDS,
        }
        return FetchRequest(
            url=f"{state.url or BASE}?{urlencode(query, safe=':,|*')}",
            limiter="openalex",
            interval_seconds=1.0,
            budget=KEYLESS,
        )

    def read_page(self, page: Page, place: PageCursor) -> tuple[ParsedBatch, PageCursor | None]:
        """The papers of one answer; raises FetchFailed for what is no list of works."""
        return page_and_position(place, read(page, read_answer), NAME, expires=None)


def _wanted(settings: Mapping[str, str]) -> tuple[str, str]:
    """(filters, words) of what is asked for."""
    filters, words = parse_filters(settings, _REFUSED, EXAMPLE, "search")
    if not any(one.startswith("type:") for one in filters):
        filters = (*filters, _TYPES)
    return ",".join(filters), words
