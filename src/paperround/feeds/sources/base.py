"""The base class of sources, with what they share: settings, days to request, conditions, paging,
publishing schedules."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from itertools import count
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import require_utc
from paperround.feeds.dataclass_json import from_json, to_json
from paperround.feeds.formats.entries import fingerprint
from paperround.feeds.formats.feed_names import split_http
from paperround.feeds.model import (
    CrossChecked,
    FeedState,
    NewFeed,
    PollProgress,
    PublicAddress,
    Setting,
    Values,
)
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch

T = TypeVar("T")

MOST_DAYS = 30
DEFAULT_DAYS = 3

_OK = 200
_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


def listed(text: str) -> tuple[str, ...]:
    """Split a comma-separated list, without duplicates."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def oldest_day(state: FeedState, now: datetime, *, days: int) -> date:
    """Return the first day a poll requests: `days` before today, or before the last complete poll
    when that was on an earlier day.

    The missed polls would have found late papers, so an outage shifts the window back instead of
    only extending it. At most a month of an outage counts.
    """
    today = require_utc(now).date()
    read_to = today if state.good_at is None else require_utc(state.good_at).date()
    if read_to >= today:
        return today - timedelta(days=days)
    return max(read_to, today - timedelta(days=MOST_DAYS)) - timedelta(days=max(days, 1))


def conditions(progress: PollProgress, url: str) -> dict[str, str]:
    """Return the headers that make the request for `url` conditional."""
    known = progress.validators.get(url, {})
    return {header: known[key] for key, header in _CONDITIONS.items() if known.get(key)}


def read(page: Page, reader: Callable[[bytes], T]) -> T:
    """Apply `reader` to the body; raises FetchFailed when the page holds no papers."""
    problem = f"{urlsplit(page.url).hostname} answered {page.status}"
    if page.status != _OK:
        raise FetchFailed(problem, status=page.status)
    try:
        return reader(page.body)
    except InvalidInput as error:
        raise FetchFailed(f"{problem}: {error}", status=page.status) from None


_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingSchedule:
    """A batch every Monday to Friday, readable at `at` in `zone`, except on `quiet` days.

    Papers up to `early` before that belong to this batch. With `all_day` papers appear at any hour,
    so a batch is late only after a whole working day.
    """

    zone: ZoneInfo
    at: time
    quiet: Collection[date] = ()
    early: timedelta = timedelta()
    all_day: bool = False

    def next_after(self, moment: datetime) -> datetime:
        """Return when, in UTC, the first batch after papers seen at `moment` should be readable."""
        after = require_utc(moment) + self.early
        first = after.astimezone(self.zone).date()
        if self.all_day:
            after = datetime.combine(first, time.max, tzinfo=self.zone)
        days = (first + n * _DAY for n in count())
        instants = (self.on(day) for day in days if self._is_batch_day(day))
        return next(instant for instant in instants if instant > after)

    def rests(self, moment: datetime) -> bool:
        """Return whether no batch is due on the day of `moment` in the source's zone."""
        return not self._is_batch_day(require_utc(moment).astimezone(self.zone).date())

    def _is_batch_day(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.quiet

    def on(self, day: date) -> datetime:
        """Return when, in UTC, a batch of this day would be readable."""
        return datetime.combine(day, self.at, tzinfo=self.zone).astimezone(UTC)


# Paging: the cursor of a poll holds the position of the next page, a frozen dataclass, and a hash
# of the settings the poll began with, as JSON. An interrupted poll resumes there; after a change of
# settings it restarts.

P = TypeVar("P")

_SETTINGS_HASH = "asked"
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of the poll that is planned to check the settings of a feed."""


class Source(ABC, Generic[P]):
    """One service: what to request of it, and how to read a response. `P` is the position of a
    page, `interval` the pause between two polls on an ordinary day."""

    kind: str
    settings: ClassVar[Mapping[str, Setting]] = {}
    needs_url: bool = False
    interval: timedelta = timedelta(hours=6)
    rhythm: PublishingSchedule | None = None
    place: ClassVar[type[Any]]

    @abstractmethod
    def first(self, state: FeedState, now: datetime) -> P:
        """Return the first page of a new poll. Raises InvalidInput, with the setting as its code,
        for an invalid value."""

    @abstractmethod
    def request(self, place: P, state: FeedState) -> FetchRequest:
        """Return the request of a page; `plan` adds the cursor. Raises InvalidInput as `first`."""

    @abstractmethod
    def read_page(self, page: Page, place: P) -> tuple[ParsedBatch, P | None]:
        """Return the papers of a page and the position of the next one. Raises FetchFailed for
        anything but a page of this service."""

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, with the setting as its code, for a value that polls would accept."""
        del settings

    def chosen(
        self, settings: Mapping[str, str], name: str, spell: Callable[[str], str] = str
    ) -> tuple[str, ...]:
        """Return the values of a setting, in the spelling of `spell`. Raises InvalidInput when one
        is not allowed, when there are several of a setting that has one, or when there is none
        though there is a default."""
        setting = self.settings[name]
        allowed, code = setting.values(), f"settings.{name}"
        named = tuple(dict.fromkeys(map(spell, listed(settings.get(name, setting.default or "")))))
        wrong = next((one for one in named if one not in allowed), None)
        if wrong is not None or (setting.default and not named):
            near = get_close_matches((wrong or "")[:60], allowed, n=1)
            known = f"it knows {', '.join(sorted(allowed)):.300}"
            hint = f"did you mean {near[0]!r}?" if near else known
            raise InvalidInput(f"{name} cannot be {wrong or ''!r:.60}: {hint}", code=code)
        if len(named) > 1 and not setting.many:
            raise InvalidInput(f"{name} is one of {', '.join(allowed)}, not several", code=code)
        return named

    def days_back(self, settings: Mapping[str, str]) -> int:
        """Return how many days back a poll reads: the setting `days`. Raises InvalidInput."""
        setting = self.settings["days"]
        low, high = setting.low or 0, setting.high or MOST_DAYS
        text = settings.get("days", setting.default or "").strip()
        is_number = text.isascii() and text.isdecimal() and len(text) < 4
        if not (is_number and low <= int(text) <= high):
            raise InvalidInput(
                f"days must be a whole number from {low} to {high}, not {text!r:.60}",
                code="settings.days",
            )
        return int(text)

    def resumed(self, place: P, now: datetime) -> P:
        """Return where an interrupted poll resumes that stopped before `place`."""
        del now
        return place

    def public(self, feed: NewFeed) -> PublicAddress:
        """Where others find what `feed` reads."""
        return PublicAddress(page=feed.url)

    def check_url(self, url: str | None) -> None:
        """Raise InvalidInput for an address that cannot replace the source's own."""
        if url is None:
            return
        if not split_http(url) or set("?#@ ").intersection(url) or not url.isprintable():
            raise InvalidInput(
                f"{url!r:.200} cannot be used: give an http(s) address without a query or a "
                "password, or none to use the source's own",
                code="url",
            )

    def cross_check(self, state: FeedState) -> FetchRequest | None:
        """Return the request for another page that describes the newest batch, sent before a feed
        is called stale; None without one."""
        del state
        return None

    def read_cross_check(self, page: Page) -> CrossChecked:
        """Return what that page says; raises FetchFailed when it says nothing of a batch."""
        raise NotImplementedError

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, with the field as its code, for an address or setting."""
        self.check_url(url)
        for name in settings:
            if name not in self.settings:
                known = f"it knows {', '.join(self.settings)}" if self.settings else "it has none"
                raise InvalidInput(
                    f"{self.kind} has no setting {name!r:.60}: {known}",
                    code=f"settings.{name:.60}",
                )
        self.check_settings(settings)
        self.plan(FeedState(url=url, settings=settings, progress=PollProgress()), _ANY_DAY)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """Return the next request."""
        settings_hash = hash_of_settings(state.settings)
        place, begun_with = self._parse_cursor(state.progress.cursor or "")
        if place is None or begun_with != settings_hash:
            place = self.first(state, now)
        else:
            place = self.resumed(place, now)
        return replace(self.request(place, state), cursor=write_place(place, settings_hash))

    def parse(self, page: Page) -> ParsedBatch:
        """Return the papers of a page with the cursor of the next one. Raises FetchFailed for
        anything but a page of this service."""
        place, settings_hash = self._parse_cursor(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is not a cursor of {self.kind}")
        batch, following = self.read_page(page, place)
        cursor = None if following is None else write_place(following, settings_hash)
        return replace(batch, next=cursor)

    def expects(self, after: datetime) -> datetime | None:
        """Return when the next batch is due; None without a schedule."""
        return self.rhythm.next_after(after) if self.rhythm else None

    def holiday(self, now: datetime) -> bool:
        """Return whether nothing is announced on this day."""
        return self.rhythm is not None and self.rhythm.rests(now)

    def _parse_cursor(self, cursor: str) -> tuple[P | None, str]:
        """Return the position in a cursor and the hash of its settings; (None, "") if invalid."""
        try:
            values = json.loads(cursor)
            return from_json(self.place, values), str(values[_SETTINGS_HASH])
        except (InvalidInput, ValueError, KeyError, TypeError, RecursionError):
            return None, ""


def hash_of_settings(settings: Mapping[str, str]) -> str:
    """Return the hash of a feed's settings, for its cursors."""
    return fingerprint(json.dumps(sorted(settings.items())).encode())


def write_place(place: Any, settings_hash: str) -> str:
    """Return the cursor for `place`."""
    return json.dumps({_SETTINGS_HASH: settings_hash, **to_json(place)}, separators=(",", ":"))


def any_of(names: Iterable[str]) -> Callable[[], Values]:
    """The values of a setting that need no title."""
    listed = tuple(names)
    return lambda: dict.fromkeys(listed, "")


def days_setting(help_text: str = "", default: int = DEFAULT_DAYS, *, low: int = 0) -> Setting:
    """The setting `days`: whole days, `MOST_DAYS` at most."""
    again = f"How many days before today are read again, {low} to {MOST_DAYS} (default {default})."
    return Setting(help_text or again, default=str(default), low=low, high=MOST_DAYS)
