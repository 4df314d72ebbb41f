"""How fast messages may leave: rates over a relay and to a domain, as settings say them. Pure.

A rate of a minute or less is a pace: messages are spaced evenly. A longer rate is a quota: it may
be used up at once, and no stretch of that length ever holds more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from paperround.core.errors import InvalidInput
from paperround.core.rates import OFF, Rate, parse_rates
from paperround.core.times import end_of_day, local_date
from paperround.delivery.model import Outcome
from paperround.delivery.replies import is_opening, speaks_against_us, verdict
from paperround.editions.model import DeliveryState

# How much a new sending domain may send on its first days. Pure.
#
# Receivers trust a domain by what they saw of it: one that sends ten thousand mails on its first
# day looks like a stolen one. The curve is Ghost's (domain-warming-service.ts): from 200 to 200,000
# mails a day over 42 days, the same factor every day.

FIRST_DAY = 200
LAST_DAY = 200_000
DAYS = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What may leave on a day that began at `since`."""

    since: datetime
    allowance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A new sending domain whose first day is `start`, in `zone`."""

    start: date
    zone: str

    def today(self, now: datetime) -> Today | None:
        """What may leave on the day that is; None when as much as one likes."""
        day = local_date(now, self.zone)
        mails = allowance(self.start, day)
        if mails is None:
            return None
        return Today(since=end_of_day(day - timedelta(days=1), self.zone), allowance=mails)


def allowance(start: date, today: date) -> int | None:
    """How many mails may leave on `today` when `start` was the first day; None when as many as one
    likes: after the last day of the plan. Before the first it is as on the first."""
    day = max(0, (today - start).days)
    if day >= DAYS:
        return None
    factor: float = (LAST_DAY / FIRST_DAY) ** (day / (DAYS - 1))
    return round(FIRST_DAY * factor)


LONGEST_PACE = timedelta(minutes=1)
LONGEST_QUOTA = timedelta(days=7)

MARGIN = 1.05
"""Messages are spaced this much wider than a rate asks for: one that is held up on its way, because
its connection has to be opened first, must not meet the next one there."""

KEPT_BACK = 20
"""One part in so many of a quota is kept for mails that go first."""

SPARE_CONNECTIONS = 2
"""What mails that go first may open to a domain beyond those that digests may."""

_NAME = re.compile(r"(\*|[a-z0-9_-]+)(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Pace:
    """What some rates ask for together; no rates, no limit."""

    rates: tuple[Rate, ...] = ()

    @property
    def spacing(self) -> timedelta:
        """How far apart two mails must be."""
        paces = [one for one in self.rates if one.period <= LONGEST_PACE]
        return max((one.period * MARGIN / one.count for one in paces), default=timedelta(0))

    @property
    def quotas(self) -> tuple[Rate, ...]:
        """The rates that are counted."""
        return tuple(one for one in self.rates if one.period > LONGEST_PACE)


def kept_back(quota: Rate) -> int:
    """What of a quota digests may not use."""
    return -(-quota.count // KEPT_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPace:
    """Rates by destination domain. `named` holds those of one domain (`gmail.com`) or of all below
    one (`*.example.org`); the name that says most counts."""

    usual: Pace = Pace()
    named: Mapping[str, Pace] = field(default_factory=dict)

    def of(self, domain: str) -> Pace:
        """What counts for `domain`."""
        if domain in self.named:
            return self.named[domain]
        parts = domain.split(".")
        above = (f"*.{'.'.join(parts[at:])}" for at in range(1, len(parts)))
        return next((self.named[one] for one in above if one in self.named), self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How messages leave an installation. `connections` is how many may be in flight to one domain,
    None: as many as there are."""

    relay: Pace = Pace()
    domains: DomainPace = field(default_factory=DomainPace)
    connections: int | None = None
    warm_up: WarmUp | None = None

    @property
    def tells_domains_apart(self) -> bool:
        """Whether messages to one domain may wait while those to another leave."""
        return self.domains != DomainPace() or self.connections is not None

    @property
    def is_limited(self) -> bool:
        """Whether anything but a rest of the relay keeps messages waiting."""
        return self != UNLIMITED


UNLIMITED = Pacing()


def parse_pace(text: str) -> Pace:
    """Read `14/s, 50000/24h`, or `off`. Raises InvalidInput that shows how to write one."""
    rates = parse_rates(text)
    if any(one.period > LONGEST_QUOTA for one in rates):
        raise InvalidInput(f"{text!r} counts over more than a week: write at most 7d")
    return Pace(rates)


def parse_domain_pace(text: str) -> DomainPace:
    """Read `20/s, gmail.com=5/s, *.example.org=off`: rates for every domain, and for some.

    Several rates of one domain name it several times. Raises InvalidInput for anything else.
    """
    parts = [part.strip().lower() for part in text.split(",")]
    found: dict[str, list[str]] = {}
    for part in parts:
        name, equals, rate = part.rpartition("=")
        if equals and not _NAME.fullmatch(name.strip()):
            raise InvalidInput(f"{name!r} is no domain: write gmail.com=5/s or *.example.org=off")
        found.setdefault(name.strip(), []).append(rate.strip())
    paces = {}
    for name, rates in found.items():
        if OFF in rates and len(rates) > 1:
            raise InvalidInput("a domain is off or has rates, not both")
        paces[name] = parse_pace(", ".join(rates))
    return DomainPace(usual=paces.pop("", Pace()), named=paces)


def parse_connections(text: str) -> int | None:
    """Read `5` or `off`; of a span, as in `2-5`, the larger number counts. Raises InvalidInput that
    shows how to write it."""
    if text.strip().lower() == OFF:
        return None
    match = re.fullmatch(r"\s*([1-9]\d{0,2})\s*(?:-\s*([1-9]\d{0,2})\s*)?", text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise InvalidInput(f"{text!r} is no number of connections: write it like 5 or off")
    return int(match[2] or match[1])


_UNITS: Mapping[int, str] = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


def pace_in_words(pace: Pace) -> str:
    """`14 a second and 50,000 a day`; empty for no limit."""
    return " and ".join(_rate(rate) for rate in pace.rates)


def duration_in_words(length: timedelta) -> str:
    """`11 min 54 s`, `2 h 5 min`, `40 s`."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _rate(rate: Rate) -> str:
    seconds = round(rate.period.total_seconds())
    if seconds in _UNITS:
        return f"{rate.count:,} a {_UNITS[seconds]}"
    size = max(one for one in _UNITS if seconds % one == 0)
    return f"{rate.count:,} in {seconds // size} {_UNITS[size]}s"


# How fast messages may leave over the relay, or to a domain: a token bucket, and rests. Pure.
#
#     each message takes a token    ─► the next token comes a spacing later
#     10 refusals of us in a row    ─► the relay rests: 5 min, doubling to 60, then one is tried
#     one accepted                  ─► messages leave again, and the rests are forgotten
#
# The bucket is the generic cell rate algorithm (ITU-T I.371, annex A): a single instant says when
# it is full again. A domain without a token puts its message off, and those behind it go first.

NO_REST = timedelta(0)
FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(minutes=60)

MOST_REFUSALS_OF_US = 10
"""Refusals of us (policy, sender, login, what the message says) in a row after which a relay rests:
it wants none of our messages, and asking it another thousand times makes that worse."""

TOLERANCE = timedelta(milliseconds=40)
"""A token may be taken this early, so that a claim that comes late costs no token. It is less than
what `pacing.MARGIN` adds to a second, so that no second holds more than its rate."""

HORIZON = timedelta(minutes=1)
"""A message that is put off is looked at again within this: settings may have changed."""

LOOK_AGAIN = timedelta(milliseconds=250)
STEP = timedelta(milliseconds=50)
"""When a message to a domain at its cap is looked at again, and how far apart several are."""


def is_taken(outcome: Outcome) -> bool:
    """Whether the relay took a message, or refused it for its reader's sake."""
    found = verdict(outcome)
    heard = found.state in (DeliveryState.SENT, DeliveryState.FAILED)
    return heard and not is_opening(outcome.phase) and not speaks_against_us(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """The bucket of the relay or a domain, and the rests of the relay.

    The bucket is full again at `free_at`; messages were put off up to `lined_up_to`. `refused`
    counts refusals in a row. After `rest` one message is tried; `reason` is why it rests, or gave
    no session.
    """

    free_at: datetime | None = None
    lined_up_to: datetime | None = None
    refused: int = 0
    rest: timedelta = NO_REST
    rests_until: datetime | None = None
    reason: str = ""

    def rests(self, now: datetime) -> bool:
        """Whether nothing may leave now. A rest that seems longer than any was set by a clock that
        was wrong."""
        if self.rests_until is None:
            return False
        return timedelta(0) < self.rests_until - now <= LONGEST_REST

    @property
    def is_probing(self) -> bool:
        """Whether it rested, and nothing was accepted since."""
        return self.rest > NO_REST

    def take(self, spacing: timedelta, now: datetime) -> "RateState":
        """After a message that leaves now."""
        return replace(self, free_at=max(self.free_at or now, now) + spacing) if spacing else self

    def hold(self, until: datetime) -> "RateState":
        """Without a token before then."""
        is_held = self.free_at is not None and self.free_at >= until
        return self if is_held else replace(self, free_at=until)

    @property
    def is_troubled(self) -> bool:
        """Whether a message that is accepted changes anything."""
        return bool(self.refused or self.reason or self.is_probing)

    def after(self, outcome: Outcome, *, now: datetime) -> "RateState":
        """After an answer. The `reason` says why the relay gave no session, until it gives one."""
        if is_taken(outcome):
            return replace(self, refused=0, rest=NO_REST, rests_until=None, reason="")
        found = verdict(outcome)
        reason = found.reason if is_opening(outcome.phase) else ""
        state = self if self.is_probing else replace(self, reason=reason)
        if not speaks_against_us(found):
            return state
        worse = replace(state, refused=state.refused + 1)
        is_enough = state.is_probing or worse.refused >= MOST_REFUSALS_OF_US
        return worse.rest_longer(found.reason, now=now) if is_enough else worse

    def rest_longer(self, reason: str, *, now: datetime) -> "RateState":
        """Let it rest, longer than the last time."""
        if self.rests(now):
            return self
        rest = min(max(FIRST_REST, self.rest * 2), LONGEST_REST)
        return replace(self, rest=rest, rests_until=now + rest, reason=reason)


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The relay or a domain as a claim finds it: at most `most` messages may be in flight (None: no
    cap), and its quotas leave `room` for some more (None: there are no quotas)."""

    state: RateState
    spacing: timedelta = timedelta(0)
    under_way: int = 0
    most: int | None = None
    room: int | None = None

    def wait(self, now: datetime) -> datetime | None:
        """When to look at a message again that may not leave now; None for one that may."""
        if self.room == 0:
            return now + HORIZON
        free_at = self.state.free_at
        if free_at is not None and free_at - TOLERANCE > now:
            return free_at - TOLERANCE
        is_full = self.most is not None and self.under_way >= self.most
        return now + LOOK_AGAIN if is_full else None

    def line_up(self, wait: datetime, now: datetime) -> datetime:
        """Put a message off behind those that were put off before it, so that each is looked at
        about when its turn comes. Returns until when."""
        before = self.state.lined_up_to
        turn = wait if before is None else max(wait, before + (self.spacing or STEP))
        turn = min(turn, now + HORIZON)
        self.state = replace(self.state, lined_up_to=turn)
        return turn

    def leave(self, now: datetime) -> None:
        """A message leaves."""
        self.state = self.state.take(self.spacing, now)
        self.under_way += 1
        self.room = None if self.room is None else self.room - 1
