"""Poll Hugging Face Daily Papers: the list of today and of the days before.

A list grows during its day, papers move to other days, and votes change for days, so each poll
reads all of them again. Votes and comments are of the time of the request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.formats.hugging_face import read_hf_daily
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    PublishingSchedule,
    Source,
    conditions,
    days_setting,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

BASE = "https://huggingface.co/api/daily_papers"
PAGE = 100
"""Papers per page, the maximum of the API."""

MOST_PAGES = 20
"""Pages after which a list cannot be real: a weekday has about 90 papers."""

_NEXT = re.compile(r"""[\s;,]rel=(?:next\b|"[^"]*\bnext\b)""", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DailyPapersPlace:
    """A page of a day's list, and the number of earlier days left."""

    day: date
    page: int
    left: int

    @property
    def next_page(self) -> "_DailyPapersPlace":
        if self.page + 1 >= MOST_PAGES:
            raise FetchFailed(
                f"the list of {self.day} has more than {MOST_PAGES * PAGE:,} papers, which cannot "
                "be right"
            )
        return replace(self, page=self.page + 1)

    @property
    def previous_day(self) -> "_DailyPapersPlace | None":
        """The first page of the day before; None when none is left."""
        if not self.left:
            return None
        return _DailyPapersPlace(day=self.day - timedelta(days=1), page=0, left=self.left - 1)


class HfDaily(Source[_DailyPapersPlace]):
    """The source `hf-daily`."""

    kind: str = "hf-daily"
    settings: ClassVar[Mapping[str, Setting]] = {"days": days_setting()}
    interval: timedelta = timedelta(hours=1)
    # Some papers are listed by 08:00 UTC of the next working day, on slow days none later. None are
    # listed on Saturdays and Sundays.
    rhythm = PublishingSchedule(zone=ZoneInfo("UTC"), at=time(8), all_day=True)
    place = _DailyPapersPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The page of Daily Papers."""
        del feed
        return PublicAddress(page="https://huggingface.co/papers")

    def first(self, state: FeedState, now: datetime) -> _DailyPapersPlace:
        """Return the first page of today's list."""
        today = require_utc(now).date()
        oldest = oldest_day(state, now, days=self.days_back(state.settings))
        return _DailyPapersPlace(day=today, page=0, left=(today - oldest).days)

    def request(self, place: _DailyPapersPlace, state: FeedState) -> FetchRequest:
        """Return the request of a page of a day's list."""
        query = urlencode({"date": str(place.day), "limit": PAGE, "p": place.page})
        url = f"{state.url or BASE}?{query}"
        return FetchRequest(
            url=url,
            headers={} if place.page else conditions(state.progress, url),
            limiter="huggingface",
            interval_seconds=1.0,
        )

    def read_page(
        self, page: Page, place: _DailyPapersPlace
    ) -> tuple[ParsedBatch, _DailyPapersPlace | None]:
        """Return the papers of a page; raises FetchFailed when it is no list of papers.

        There is another page when the response links to it or, without links, when the page is
        full. An unchanged first page does not mean an unchanged second one, so that is requested
        too.
        """
        if page.not_modified:
            return ParsedBatch(), place.next_page
        batch = read(page, _read_list)
        entries, links = len(batch.records) + len(batch.rejects), page.headers.get("link")
        has_more = entries >= PAGE
        if entries and links is not None:  # an empty page ends the list, whatever it links to
            has_more = _NEXT.search(links) is not None
        following = place.next_page if has_more else place.previous_day
        # A paper without a listing date was listed on the requested day.
        records = tuple(
            record if record.listed_on else replace(record, listed_on=place.day)
            for record in batch.records
        )
        return replace(batch, records=records), following


def _read_list(body: bytes) -> ParsedBatch:
    """Parse a list, without the `1` that only archives write for an empty day."""
    if body.strip() == b"1":
        raise InvalidInput("the answer is the number 1, not papers")
    return read_hf_daily(body)
