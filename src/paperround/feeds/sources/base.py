"""What live sources share: checked settings, the days a poll asks for, conditional requests, and
answers that are no papers."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import count
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.core.times import format_instant, parse_date, parse_instant, require_utc
from paperround.feeds.formats.entries import fingerprint
from paperround.feeds.model import (
    FeedState,
    NewFeed,
    PollProgress,
    PublicAddress,
    SettingChoice,
    Values,
)
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.papers.model import ParsedBatch

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


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma list, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def days_of(settings: Mapping[str, str], default: int = DEFAULT_DAYS) -> int:
    """How many days back a poll looks."""
    text = settings.get("days", str(default)).strip()
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


def conditions(progress: PollProgress, url: str) -> dict[str, str]:
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
class PublishingSchedule:
    """A batch on every Monday to Friday, readable at `at` in `zone`, but not on `quiet` days.

    What comes up to `early` before that is this batch: the next one is expected after it. With
    `all_day` papers are listed at any hour, so a whole working day must pass before none is late.
    """

    zone: ZoneInfo
    at: time
    quiet: Collection[date] = ()
    early: timedelta = timedelta()
    all_day: bool = False

    def next_after(self, moment: datetime) -> datetime:
        """The instant, in UTC, at which the first batch after what came at `moment` ought to be
        readable."""
        after = require_utc(moment) + self.early
        first = after.astimezone(self.zone).date()
        if self.all_day:
            after = datetime.combine(first, time.max, tzinfo=self.zone)
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


# The base of sources that read a service page by page.
#
# A poll asks for one page after the other. Between two of them its cursor holds the place of the
# next page, a frozen dataclass, and a hash of the settings the poll was begun with, as JSON. A poll
# that stopped goes on at its place; one that was begun with other settings begins anew.

P = TypeVar("P")

_ASKED = "asked"


class PagedSource(ABC, Generic[P]):
    """A service that is read page by page; `P` is the place of a page."""

    kind: str
    settings: Mapping[str, str] = MappingProxyType({})
    choices: Mapping[str, SettingChoice] = MappingProxyType({})
    needs_url: bool = False
    interval: timedelta = timedelta(hours=6)
    rhythm: PublishingSchedule | None = None
    place: ClassVar[type[Any]]

    @abstractmethod
    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, its code naming the setting, for a value the source cannot use."""

    @abstractmethod
    def first(self, state: FeedState, now: datetime) -> P:
        """The first page of a poll that begins now."""

    @abstractmethod
    def request(self, place: P, state: FeedState) -> FetchRequest:
        """How a page is asked for; `plan` adds the cursor."""

    @abstractmethod
    def read_page(self, page: Page, place: P) -> tuple[ParsedBatch, P | None]:
        """The papers of a page, and the place of the next one. Raises FetchFailed for what is no
        page of this service."""

    def resumed(self, place: P, now: datetime) -> P:
        """Where a poll goes on that stopped before `place`."""
        del now
        return place

    def public(self, feed: NewFeed) -> PublicAddress:
        """Where others find what `feed` reads."""
        return PublicAddress(page=feed.url)

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Refuse, with the name of the field, what the source could not work with."""
        check_url(url)
        check_names(settings, self.settings, self.kind)
        self.check_settings(settings)

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next page to ask for."""
        asked = asked_with(state.settings)
        place, begun_with = self._stopped(state.progress.cursor or "")
        if place is None or begun_with != asked:
            place = self.first(state, now)
        else:
            place = self.resumed(place, now)
        return replace(self.request(place, state), cursor=write_place(place, asked))

    def fetch(self, client: HttpClient, request: FetchRequest) -> Page:
        """The answer to one request."""
        return client.get(request)

    def parse(self, page: Page) -> ParsedBatch:
        """The papers of one page, and the cursor of the next. Raises FetchFailed for what is no
        page of this service."""
        place, asked = self._stopped(page.request.cursor)
        if place is None:
            raise ValueError(f"{page.request.cursor!r} is no cursor of {self.kind}")
        batch, following = self.read_page(page, place)
        return replace(batch, next=None if following is None else write_place(following, asked))

    def expects(self, after: datetime) -> datetime | None:
        """When the next batch ought to be there; None where nobody knows."""
        return self.rhythm.next_after(after) if self.rhythm else None

    def holiday(self, now: datetime) -> bool:
        """Whether nothing is announced on this day."""
        return self.rhythm is not None and self.rhythm.rests(now)

    def _stopped(self, cursor: str) -> tuple[P | None, str]:
        """The place that a cursor holds and what it was begun with; (None, "") for any other."""
        try:
            values = json.loads(cursor)
            return _read(self.place, values), str(values[_ASKED])
        except (InvalidInput, ValueError, KeyError, TypeError, RecursionError):
            return None, ""


def asked_with(settings: Mapping[str, str]) -> str:
    """The hash of a feed's settings that a cursor holds."""
    return fingerprint(json.dumps(sorted(settings.items())).encode())


def write_place(place: Any, asked: str) -> str:
    """The cursor that holds `place`."""
    return json.dumps(
        {_ASKED: asked, **asdict(place)},
        default=lambda one: format_instant(one) if isinstance(one, datetime) else str(one),
        separators=(",", ":"),
    )


def _read(kind: Any, value: Any) -> Any:
    """`value`, of JSON, as what a field of type `kind` holds. Raises ValueError, KeyError or
    TypeError for any other."""
    if isinstance(kind, UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
        return None if value is None else _read(kind, value)
    if is_dataclass(kind):
        make: Any = kind
        hints = get_type_hints(kind)
        return make(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], one) for one in value)
    if kind in (date, datetime):
        return (parse_date if kind is date else parse_instant)(_read(str, value))
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind):
        raise InvalidInput(f"{value!r:.60} is no {kind.__name__}")
    return value


def any_of(names: Iterable[str]) -> Callable[[], Values]:
    """The values of a setting that need no title."""
    listed = tuple(names)
    return lambda: dict.fromkeys(listed, "")


def days_choice(default: int = DEFAULT_DAYS, *, low: int = 0) -> SettingChoice:
    """The setting `days`: whole days, `MOST_DAYS` at most."""
    return SettingChoice(default=str(default), low=low, high=MOST_DAYS)


def page_with(page: str, arguments: Mapping[str, str]) -> PublicAddress:
    """The address of a page that searches, without the arguments that are empty."""
    given = {name: text.strip() for name, text in arguments.items() if text.strip()}
    query = f"?{urlencode(given, safe=':,|', errors='replace')}" if given else ""
    return PublicAddress(page=page + query)


def names_in(text: str) -> list[str]:
    """The names of a setting that are separated by commas."""
    return [part for part in (one.strip() for one in text.split(",")) if part]
