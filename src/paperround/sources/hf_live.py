"""Hugging Face Daily Papers, read by itself: today's list and those of the days before.

A list grows through its day and its votes move for days, so each poll reads all of them again.
A cursor is `date:page:days left`. Votes and comments are of the moment they were fetched.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState, FetchRequest, Page
from paperround.domain.papers import ParsedBatch
from paperround.domain.times import parse_date, require_utc
from paperround.sources.expectations import Rhythm
from paperround.sources.hf_daily import read_hf_daily
from paperround.sources.polling import (
    DEFAULT_DAYS,
    Client,
    check_names,
    check_url,
    conditions,
    days_of,
    read,
)

BASE = "https://huggingface.co/api/daily_papers"
PAGE = 100
"""Papers a page, the most that may be asked for."""

_MOST_PAGES = 20
_RHYTHM = Rhythm(zone=ZoneInfo("UTC"), at=time(8))
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\d):(\d{1,2}):(\d{1,2})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    day: date
    page: int
    days_left: int

    def __str__(self) -> str:
        return f"{self.day}:{self.page}:{self.days_left}"

    @property
    def next_page(self) -> "_Place":
        if self.page + 1 >= _MOST_PAGES:
            most = f"{_MOST_PAGES * PAGE:,}"
            raise FetchFailed(f"the list of {self.day} goes on after {most} papers: no day does")
        return replace(self, page=self.page + 1)

    @property
    def next_day(self) -> "_Place | None":
        """The first page of the day before; None when no day is left."""
        if not self.days_left:
            return None
        return _Place(day=self.day - timedelta(days=1), page=0, days_left=self.days_left - 1)


class HfDaily:
    """The source `hf-daily`."""

    kind: str = "hf-daily"
    settings: Mapping[str, str] = MappingProxyType(
        {"days": f"How many days before today are read again, 0 to 30 (default {DEFAULT_DAYS})."}
    )
    interval: timedelta = timedelta(hours=1)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        days_of(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for: where the poll stopped, else today's first."""
        place = _place(state.progress.cursor or "") or _Place(
            day=require_utc(now).date(), page=0, days_left=days_of(state.settings)
        )
        query = urlencode({"date": place.day, "limit": PAGE, "p": place.page})
        url = f"{state.url or BASE}?{query}"
        return FetchRequest(
            url=url,
            headers={} if place.page else conditions(state.progress, url),
            cursor=str(place),
            limiter="huggingface",
            interval_seconds=1.0,
        )

    def fetch(self, client: Client, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one answer; raises FetchFailed for what is no list of papers.

        An unchanged first page says nothing of the second, which is asked for then.
        """
        place = _place(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        if page.not_modified:
            return ParsedBatch(next=str(place.next_page))
        batch = read(page, _read_list)
        is_full = len(batch.records) + len(batch.rejects) >= PAGE
        following = place.next_page if is_full else place.next_day
        return replace(
            _listed(batch, place.day), next=str(following) if following is not None else None
        )

    def expects(self, after: datetime) -> datetime:
        """08:00 UTC of the next working day: papers are listed all day, some of them by then."""
        return _RHYTHM.next_after(after)

    def holiday(self, now: datetime) -> bool:
        """Nothing is listed on Saturdays and Sundays."""
        return _RHYTHM.rests(now)


def _read_list(body: bytes) -> ParsedBatch:
    """As the file reader has it, but for the `1` that only archives write for an empty day."""
    if body.strip() == b"1":
        raise InvalidInput("the answer is the number 1, not papers")
    return read_hf_daily(body)


def _listed(batch: ParsedBatch, asked: date) -> ParsedBatch:
    """A paper that does not say when it was listed was listed on the day that was asked for."""
    return replace(
        batch,
        records=tuple(
            record if record.listed_on else replace(record, listed_on=asked)
            for record in batch.records
        ),
    )


def _place(cursor: str) -> _Place | None:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        return None
    return _Place(day=parse_date(match[1]), page=int(match[2]), days_left=int(match[3]))
