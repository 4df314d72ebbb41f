"""Poll arXiv: the announcements of each category (`rss`) or the query API (`api`).

The announcements contain only what is new today. The API has every paper, often hours later and
without an announcement date; it is read from the newest paper back to `days` days ago. All of
arXiv's hosts share one limit: one request every three seconds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import urlencode

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.formats.arxiv import (
    CATEGORY,
    EASTERN,
    NEW,
    TYPES,
    ArxivResponse,
    read_arxiv_feed,
    read_response,
)
from paperround.feeds.formats.dates import read_date
from paperround.feeds.model import (
    MOST_PAGES,
    CrossChecked,
    FeedState,
    NewFeed,
    PublicAddress,
    Setting,
)
from paperround.feeds.sources.arxiv_categories import announcements_of, categories, hint
from paperround.feeds.sources.base import (
    DEFAULT_DAYS,
    PublishingSchedule,
    Source,
    any_of,
    conditions,
    days_setting,
    listed,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

BASES: Mapping[str, str] = {
    "rss": "https://rss.arxiv.org/atom",
    "api": "https://export.arxiv.org/api/query",
}
PAGE = 100
"""Results per page of the API."""

# Evenings without the usual announcement. arXiv lists them for each year on its help page
# "Availability of submissions" (info.arxiv.org/help/availability.html): add the next year's when it
# is published. A day missing here only makes a feed look late.
NO_ANNOUNCEMENT = (
    date(2026, 1, 1),
    date(2026, 1, 19),
    date(2026, 6, 19),
    date(2026, 7, 3),
    date(2026, 9, 7),
    date(2026, 11, 26),
    date(2026, 12, 25),
    date(2026, 12, 29),
    date(2026, 12, 31),
)

# arXiv announces at 20:00 Eastern on Sunday to Thursday and rebuilds the feeds after midnight.
# Papers up to four hours before 00:30 belong to the new batch: OAI-PMH has it at about 22:30, the
# feeds soon after midnight.
RHYTHM = PublishingSchedule(
    zone=EASTERN,
    at=time(0, 30),
    quiet=frozenset(day + timedelta(days=1) for day in NO_ANNOUNCEMENT),
    early=timedelta(hours=4),
)
"""When a batch is readable: 00:30 Eastern, Monday to Friday, except after `NO_ANNOUNCEMENT`."""

_WITH_SUBJECTS = frozenset(
    "astro-ph cond-mat cs econ eess math nlin physics q-bio q-fin stat".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ArxivPlace:
    via: str
    index: int = 0
    start: int = 0
    since: date
    categories: tuple[str, ...]
    include: tuple[str, ...]

    @property
    def category(self) -> str:
        return self.categories[self.index]

    @property
    def following(self) -> "_ArxivPlace | None":
        """The first page of the next category; None after the last."""
        if self.index + 1 >= len(self.categories):
            return None
        return replace(self, index=self.index + 1, start=0)


class Arxiv(Source[_ArxivPlace]):
    """The source `arxiv`."""

    kind: str = "arxiv"
    settings: ClassVar[Mapping[str, Setting]] = {
        "categories": Setting(
            "Categories or archives, separated by commas (cs.AI,hep-th). Required.",
            values=lambda: {one.name: one.title for one in categories().values()},
            many=True,
            needed=True,
        ),
        "via": Setting(
            "rss for the daily announcements (default), api for the query API.",
            values=any_of(BASES),
            default="rss",
        ),
        "include": Setting(
            "Which announcements are read: new,cross (default), replace, "
            "replace-cross. A replacement updates a paper and does not announce it again.",
            values=any_of(TYPES),
            many=True,
            default=",".join(NEW),
        ),
        "days": days_setting(
            f"How many days back to query the API, 0 to 30 (default {DEFAULT_DAYS})."
        ),
    }
    interval: timedelta = timedelta(hours=1)
    rhythm = RHYTHM
    place = _ArxivPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The announcements of its categories."""
        return announcements_of(listed(feed.settings.get("categories", "")))

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput for an unknown category, which would never bring a paper. Polls do not
        check this, so that a feed of a category missing from our list keeps working."""
        wrong = next((one for one in categories_of(settings) if one not in categories()), None)
        if wrong is not None:
            raise InvalidInput(
                f"there is no {wrong:.60} on arXiv: {hint(wrong)}", code="settings.categories"
            )

    def first(self, state: FeedState, now: datetime) -> _ArxivPlace:
        """Return the first page of the first category."""
        settings = state.settings
        return _ArxivPlace(
            via=self.chosen(settings, "via")[0],
            since=oldest_day(state, now, days=self.days_back(settings)),
            categories=categories_of(settings),
            include=self.chosen(settings, "include"),
        )

    def request(self, place: _ArxivPlace, state: FeedState) -> FetchRequest:
        """Return the request of a page of announcements or results."""
        base = state.url or BASES[place.via]
        if place.via == "rss":
            url = f"{base.rstrip('/')}/{place.category}"
            headers = conditions(state.progress, url)
        else:
            inner = ".*" if place.category in _WITH_SUBJECTS else ""
            query = {
                "search_query": f"cat:{place.category}{inner}",
                "sortBy": "submittedDate",
                "sortOrder": "descending",
                "start": place.start,
                "max_results": PAGE,
            }
            url, headers = f"{base}?{urlencode(query, safe=':*')}", {}
        return FetchRequest(url=url, headers=headers, limiter="arxiv", interval_seconds=3.0)

    def read_page(self, page: Page, place: _ArxivPlace) -> tuple[ParsedBatch, _ArxivPlace | None]:
        """Return the papers of a page; raises FetchFailed when it has none."""
        if page.not_modified:
            return ParsedBatch(), place.following
        if place.via == "api":
            return _recent(read(page, read_response), place)
        return read(page, partial(read_arxiv_feed, include=place.include)), place.following

    def cross_check(self, state: FeedState) -> FetchRequest | None:
        """Return the listing of the first category; None for the query API and mirrors."""
        if state.url is not None or self.chosen(state.settings, "via") != ("rss",):
            return None
        return listing_of(categories_of(state.settings)[0])

    def read_cross_check(self, page: Page) -> CrossChecked:
        """Return the day and size of the newest batch; raises FetchFailed when missing."""
        return read(page, read_listing)


def _recent(answer: ArxivResponse, place: _ArxivPlace) -> tuple[ParsedBatch, _ArxivPlace | None]:
    """Return the results not older than `since`; newest first, so an older one is the end."""
    if not answer.entries and not place.start:
        raise FetchFailed(
            f"arXiv knows no paper of {place.category}: if the category is right, ask again later"
        )
    records = answer.batch.records
    recent = tuple(
        one
        for one in records
        if not one.published_at or require_utc(one.published_at).date() >= place.since
    )
    end = place.start + answer.entries
    is_over = len(recent) < len(records) or end >= answer.total
    following = place.following if is_over else replace(place, start=end)
    return replace(answer.batch, records=recent), following


def categories_of(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the categories of a feed; raises InvalidInput when one is malformed."""
    named = listed(settings.get("categories", ""))
    wrong = next((one for one in named if not CATEGORY.fullmatch(one)), None)
    if wrong is not None:
        raise InvalidInput(
            f"{wrong!r:.60} is not a category of arXiv: write them like cs.AI,hep-th",
            code="settings.categories",
        )
    if not 1 <= len(named) <= MOST_PAGES:
        raise InvalidInput(
            f"arxiv needs categories: 1 to {MOST_PAGES}, separated by commas, like cs.AI,hep-th",
            code="settings.categories",
        )
    return named


# The page `arxiv.org/list/{category}/new` states the day of the newest batch and its number of
# entries. It is generated apart from the feeds, so it tells a delayed feed from an evening without
# an announcement. robots.txt allows it with 15 seconds between two pages, so after this page all of
# arXiv is left alone for that long.

_LISTING_DAY = re.compile(
    r"Showing new listings for\s+((?:[A-Za-z]{3,9},?\s+)?\d{1,2}\s+[A-Za-z]{3,9},?\s+\d{4})\b",
    re.ASCII,
)
_LISTING_ENTRIES = re.compile(r"Total of\s+(\d{1,6})\s+entries", re.ASCII)


def listing_of(category: str) -> FetchRequest:
    """Return the request for the listing of new papers of a category."""
    return FetchRequest(
        url=f"https://arxiv.org/list/{category}/new", limiter="arxiv", interval_seconds=15.0
    )


def read_listing(body: bytes) -> CrossChecked:
    """Return the day and size of the newest batch; raises InvalidInput when missing."""
    text = body.decode("utf-8", "replace")
    day, entries = _LISTING_DAY.search(text), _LISTING_ENTRIES.search(text)
    stated = read_date(day[1]) if day else None
    if stated is None or entries is None:
        raise InvalidInput("the listing states no day or no number of entries")
    return CrossChecked(
        witness="arXiv's own listing",
        readable_at=RHYTHM.on(stated.period.first),
        day=stated.period.first,
        entries=int(entries[1]),
    )
