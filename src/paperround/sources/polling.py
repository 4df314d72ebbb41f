"""What live sources share: checked settings, the days a poll asks for, conditional requests, and
answers that are no papers."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from paperround.domain.errors import FetchFailed, InvalidInput
from paperround.domain.feeds import FeedState, Page, Progress
from paperround.domain.times import require_utc

T = TypeVar("T")

MOST_DAYS = 30
DEFAULT_DAYS = 3
LONGEST_QUERY = 500
"""Characters of a search."""

_OK = 200
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


def check_names(settings: Mapping[str, str], known: Mapping[str, str], kind: str) -> None:
    """Refuse a setting that the source does not know, naming those it does."""
    for name in settings:
        if name not in known:
            raise InvalidInput(
                f"{kind} has no setting {name!r:.60}: it knows {', '.join(known)}",
                code=f"settings.{name:.60}",
            )


def check_url(url: str | None) -> None:
    """Refuse what cannot stand for the source's own address."""
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or set("?#@ ").intersection(url) or not url.isprintable():
        raise InvalidInput(
            f"{url!r:.200} cannot be used: give an http(s) address without a query or a password, "
            "or none for the source's own",
            code="url",
        )


def days_of(settings: Mapping[str, str]) -> int:
    """How many days back a poll looks."""
    text = settings.get("days", str(DEFAULT_DAYS)).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and int(text) <= MOST_DAYS):
        raise InvalidInput(
            f"days must be a whole number from 0 to {MOST_DAYS}, not {text!r:.60}",
            code="settings.days",
        )
    return int(text)


def oldest_day(state: FeedState, now: datetime, *, days: int) -> date:
    """The first day a poll asks for: `days` before today, as many before the last poll that read
    all there was when that one was on an earlier day.

    What comes late to a day would have been found by the polls that were missed, so an outage moves
    the window back and does not only stretch it. Of an outage a month counts.
    """
    today = require_utc(now).date()
    good = today if state.good_at is None else require_utc(state.good_at).date()
    if good >= today:
        return today - timedelta(days=days)
    return max(good, today - timedelta(days=MOST_DAYS)) - timedelta(days=max(days, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The days `since` to `until`, which are asked for now, of a poll for those to `last`.

    A poll asks for all of its days at once. Where they hold more than a service gives out it asks
    for fewer, the oldest first.
    """

    since: date
    until: date
    last: date

    def narrowed(self, found: int, most: int) -> "Span | None":
        """As many of the days, the oldest, as may hold `most` when all of them hold `found`; fewer
        in any case, and None of a single one."""
        days = (self.until - self.since).days
        fewer = max(min(days, (days + 1) * most // found), 1)
        return replace(self, until=self.since + timedelta(days=fewer - 1)) if days else None

    @property
    def following(self) -> "Span | None":
        """As many days behind these; None after the last."""
        if self.until >= self.last:
            return None
        since = self.until + timedelta(days=1)
        return replace(self, since=since, until=min(since + (self.until - self.since), self.last))


def span_of(state: FeedState, now: datetime, *, days: int) -> Span:
    """All days of a poll that begins now."""
    today = require_utc(now).date()
    return Span(since=oldest_day(state, now, days=days), until=today, last=today)


def is_cut_off(seen: int, total: int | None) -> bool:
    """Whether a list that ends after `seen` entries is not all that was announced. A service counts
    anew for each page, so a hundredth may be missing."""
    return total is not None and seen < total - total // 100


def query_of(settings: Mapping[str, str], kind: str) -> str:
    """What a search asks for."""
    query = settings.get("query", "").strip()
    if not (query and len(query) <= LONGEST_QUERY and query.isprintable()):
        raise InvalidInput(
            f"{kind} needs a query of 1 to {LONGEST_QUERY} characters on one line",
            code="settings.query",
        )
    return query


def conditions(progress: Progress, url: str) -> dict[str, str]:
    """The headers that ask for `url` only if it changed since it was last read."""
    known = progress.validators.get(url, {})
    return {header: known[key] for key, header in _CONDITIONS.items() if known.get(key)}


def read(page: Page, reader: Callable[[bytes], T]) -> T:
    """What `reader` makes of the answer; raises FetchFailed when it holds no papers."""
    answered = f"{urlsplit(page.url).hostname} answered {page.status}"
    if page.status != _OK:
        raise FetchFailed(answered, status=page.status)
    try:
        return reader(page.body)
    except InvalidInput as error:
        raise FetchFailed(f"{answered}: {error}", status=page.status) from None


_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A batch on every Monday to Friday, readable at `at` in `zone`, but not on `quiet` days.

    What comes up to `early` before that is this batch: the next one is expected after it.
    """

    zone: ZoneInfo
    at: time
    quiet: Collection[date] = ()
    early: timedelta = timedelta()

    def next_after(self, moment: datetime) -> datetime:
        """The instant, in UTC, at which the first batch after what came at `moment` ought to be
        readable."""
        after = require_utc(moment) + self.early
        first = after.astimezone(self.zone).date()
        instants = (self.on(first + n * _DAY) for n in count() if self._has(first + n * _DAY))
        return next(instant for instant in instants if instant > after)

    def rests(self, moment: datetime) -> bool:
        """Whether no batch comes on the day that `moment` falls on in the source's zone."""
        return not self._has(require_utc(moment).astimezone(self.zone).date())

    def _has(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.quiet

    def on(self, day: date) -> datetime:
        """When the batch of this day ought to be readable, in UTC, whether there is one or not."""
        return datetime.combine(day, self.at, tzinfo=self.zone).astimezone(UTC)
