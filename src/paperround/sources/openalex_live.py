"""OpenAlex, read by itself: the works of a field, or for some words, published on the last days.

What OpenAlex added is asked for by publication date: asking by the date it was added is paid for.
Works appear days after their date, so each poll reads the days before again. Without a key the
service answers about 100 pages (of 100 works) a day, or 10 of a search. A key would have to stand
in the address, which is kept and shown, so none is taken.

A cursor is a `Bookmark`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode

from paperround.domain.errors import InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.limits import Rate
from paperround.domain.papers import ParsedBatch
from paperround.sources.bookmarks import PAGE, Bookmark, bookmark, led_on, place_of
from paperround.sources.catalogues import filters_of, words_of
from paperround.sources.openalex_record import FIELDS, NAME, read_answer
from paperround.sources.polling import (
    Client,
    check_names,
    check_url,
    days_of,
    read,
)

BASE = "https://api.openalex.org/works"

KEYLESS = (Rate(100, timedelta(days=1)),)
"""What the service lets an address without a key ask, by all that asks it from there."""

DAYS = "7"

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


class OpenAlex:
    """The source `openalex`."""

    kind: str = "openalex"
    settings: Mapping[str, str] = MappingProxyType(
        {
            "filter": f"Filters of OpenAlex, separated by commas ({EXAMPLE}). "
            "This or search is needed; without a type, articles, preprints and reviews.",
            "search": "Words to search for in title, abstract and text.",
            "days": f"How many days before today are read again, 0 to 30 (default {DAYS}).",
        }
    )
    interval: timedelta = timedelta(hours=12)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        _wanted(settings)
        _days(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for: where the poll stopped, else the first.

        A poll that was begun with other settings begins anew.
        """
        wanted = _wanted(state.settings)
        place = place_of(state, wanted, _days(state.settings), now)
        query = urlencode(_query(wanted, place), safe=":,|*")
        return FetchRequest(
            url=f"{state.url or BASE}?{query}",
            cursor=str(place),
            limiter="openalex",
            interval_seconds=1.0,
            budget=KEYLESS,
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
        return led_on(place, answer, NAME, expires=None)

    def expects(self, after: datetime) -> datetime | None:
        """Nothing: works of a filter come on any day, or on none."""
        del after
        return None

    def holiday(self, now: datetime) -> bool:
        """Never."""
        del now
        return False


def _query(wanted: tuple[str, str], place: Bookmark) -> dict[str, str]:
    filters, words = wanted
    days = f"from_publication_date:{place.span.since},to_publication_date:{place.span.until}"
    return {
        "filter": f"{filters},{days}",
        **({"search": words} if words else {}),
        "per-page": str(PAGE),
        "cursor": place.mark,
        "select": FIELDS,
    }


def _wanted(settings: Mapping[str, str]) -> tuple[str, str]:
    """(filters, words) of what is asked for."""
    filters = filters_of(settings, _REFUSED, EXAMPLE)
    words = words_of(settings, "search")
    if not filters and not words:
        raise InvalidInput(
            f"say which works with filter (like {EXAMPLE}) or search: all are too many",
            code="settings.filter",
        )
    if not any(one.startswith("type:") for one in filters):
        filters = (*filters, _TYPES)
    return ",".join(filters), words


def _days(settings: Mapping[str, str]) -> int:
    return days_of({"days": DAYS, **settings})
