"""Poll Hugging Face Daily Papers: the list of today and of the days before.

A list grows during its day, papers move to other days, and votes change for days, so each poll
reads all of them again. A poll can request whole weeks or months instead, with the same items.
Votes and comments are of the time of the request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.formats.hugging_face import ListingPeriod, PeriodKind, read_hf_daily
from paperround.feeds.model import FeedState, NewFeed, PublicAddress, Setting
from paperround.feeds.sources.base import (
    DEFAULT_DAYS,
    PublishingSchedule,
    Source,
    any_of,
    choice_in,
    conditions,
    days_of,
    days_setting,
    oldest_day,
    read,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

BASE = "https://huggingface.co/api/daily_papers"
PAGE = 100
"""Papers per page, the maximum of the API."""

_NEXT = re.compile(r"""[\s;,]rel=(?:next\b|"[^"]*\bnext\b)""", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DailyPapersPlace:
    """A page of a period's list, and the number of earlier periods left."""

    period: ListingPeriod
    page: int
    left: int

    @property
    def next_page(self) -> "_DailyPapersPlace":
        most = self.period.kind.most_pages
        if self.page + 1 >= most:
            raise FetchFailed(
                f"the list of {self.period} goes on after {most * PAGE:,} papers: "
                f"no {self.period.kind.value} does"
            )
        return replace(self, page=self.page + 1)

    @property
    def next_period(self) -> "_DailyPapersPlace | None":
        """The first page of the previous period; None when none is left."""
        if not self.left:
            return None
        return _DailyPapersPlace(period=self.period.before, page=0, left=self.left - 1)


class HfDaily(Source[_DailyPapersPlace]):
    """The source `hf-daily`."""

    kind: str = "hf-daily"
    settings: ClassVar[Mapping[str, Setting]] = {
        "days": days_setting(
            f"How many days before today are read again, 0 to 30 (default {DEFAULT_DAYS})."
        ),
        "period": Setting(
            "What is asked for at once: day (default), week or month. A week or month is "
            "read whole when one of those days is in it.",
            values=any_of(PeriodKind),
            default=PeriodKind.DAY.value,
        ),
    }
    interval: timedelta = timedelta(hours=1)
    # Some papers are listed by 08:00 UTC of the next working day, on slow days none later. None are
    # listed on Saturdays and Sundays.
    rhythm = PublishingSchedule(zone=ZoneInfo("UTC"), at=time(8), all_day=True)
    place = _DailyPapersPlace

    def public(self, feed: NewFeed) -> PublicAddress:
        """The page of Daily Papers."""
        del feed
        return PublicAddress(page="https://huggingface.co/papers")

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, with the setting as its code, for an invalid value."""
        days_of(settings)
        _kind_of(settings)

    def first(self, state: FeedState, now: datetime) -> _DailyPapersPlace:
        """Return the first page of the current period."""
        kind = _kind_of(state.settings)
        period = kind.of(require_utc(now).date())
        oldest = oldest_day(state, now, days=days_of(state.settings))
        return _DailyPapersPlace(period=period, page=0, left=period.since(kind.of(oldest)))

    def request(self, place: _DailyPapersPlace, state: FeedState) -> FetchRequest:
        """Return the request of a page of a period's list."""
        name = place.period.kind.parameter
        query = urlencode({name: str(place.period), "limit": PAGE, "p": place.page})
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
        following = place.next_page if has_more else place.next_period
        # A paper without a listing date was listed on the requested day; of a week or month on the
        # first day, so that an old paper does not look new.
        records = tuple(
            record if record.listed_on else replace(record, listed_on=place.period.first)
            for record in batch.records
        )
        return replace(batch, records=records), following


def _read_list(body: bytes) -> ParsedBatch:
    """Parse a list, without the `1` that only archives write for an empty day."""
    if body.strip() == b"1":
        raise InvalidInput("the answer is the number 1, not papers")
    return read_hf_daily(body)


def _kind_of(settings: Mapping[str, str]) -> PeriodKind:
    return PeriodKind(choice_in(settings, "period", tuple(PeriodKind), PeriodKind.DAY))
