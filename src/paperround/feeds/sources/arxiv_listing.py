"""Cross-check arXiv feeds with the listing of new papers in a category.

The page `arxiv.org/list/{category}/new` states the day of the batch and its number of entries. It
is generated apart from the feeds, so it tells a delayed feed from an evening without an
announcement. robots.txt allows it with 15 seconds between two pages, so after this page all of
arXiv is left alone for that long.
"""

import re
from collections.abc import Mapping
from datetime import date

from paperround.core.errors import InvalidInput
from paperround.feeds.model import CrossChecked, FeedState
from paperround.feeds.sources.arxiv import RHYTHM, categories_of, via_of
from paperround.feeds.sources.base import read
from paperround.http.model import FetchRequest, Page

BASE = "https://arxiv.org/list"

_DAY = re.compile(
    r"Showing new listings for\s+(?:[A-Za-z]{3,9},?\s+)?(\d{1,2})\s+([A-Za-z]{3,9}),?\s+(\d{4})\b",
    re.ASCII,
)
_ENTRIES = re.compile(r"Total of\s+(\d{1,6})\s+entries", re.ASCII)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


class ArxivListing:
    """The cross-check of `arxiv-oai` feeds and of `arxiv` feeds of announcements."""

    def plan(self, state: FeedState) -> FetchRequest | None:
        """Return the listing of the first category or set; None for the query API and mirrors."""
        if state.url is not None or via_of(state.settings) != "rss":
            return None
        return FetchRequest(
            url=f"{BASE}/{_category(state.settings)}/new",
            limiter="arxiv",
            interval_seconds=15.0,
        )

    def parse(self, page: Page) -> CrossChecked:
        """Return the day and size of the newest batch; raises FetchFailed when missing."""
        return read(page, _listing)


def _category(settings: Mapping[str, str]) -> str:
    """Return the first category or set: `physics:hep-th` is hep-th, `cs:cs:LG` is cs.LG."""
    if "sets" not in settings:
        return categories_of(settings)[0]
    group, _, rest = settings["sets"].split(",")[0].strip().partition(":")
    return rest.replace(":", ".") or group


def _listing(body: bytes) -> CrossChecked:
    text = body.decode("utf-8", "replace")
    day, entries = _DAY.search(text), _ENTRIES.search(text)
    if day is None or entries is None:
        raise InvalidInput("the listing states no day or no number of entries")
    try:
        month = _MONTHS.index(day[2][:3].lower()) + 1
        announced = date(int(day[3]), month, int(day[1]))
    except ValueError:
        raise InvalidInput(f"the listing is of {day[0]!r:.80}, which is no day") from None
    return CrossChecked(
        witness="arXiv's own listing",
        readable_at=RHYTHM.on(announced),
        day=announced,
        entries=int(entries[1]),
    )
