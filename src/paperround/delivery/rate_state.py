"""Compute sending rates: warm-up, rates of relays and domains, token buckets. Pure.

A rate over a minute or less is a pace: messages are spaced evenly. A rate over a longer period is
a quota: it may be used up at once, and no sliding window of that length exceeds it.
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

# Warm-up: the daily limit of a new sending domain.
#
# Receivers trust domains by their history: one that sends ten thousand emails on its first day
# looks hijacked. The curve is Ghost's (domain-warming-service.ts): from 200 to 200,000 emails a day
# over 42 days, growing by the same factor every day.

FIRST_DAY = 200
LAST_DAY = 200_000
DAYS = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The number of emails allowed on the day that began at `since`."""

    since: datetime
    allowance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The warm-up of a sending domain whose first day is `start`, in the time zone `zone`."""

    start: date
    zone: str

    def today(self, now: datetime) -> Today | None:
        """Return the allowance of the current day, None after the last day of the warm-up. Days
        before the first count as the first."""
        today = local_date(now, self.zone)
        day = max(0, (today - self.start).days)
        if day >= DAYS:
            return None
        factor: float = (LAST_DAY / FIRST_DAY) ** (day / (DAYS - 1))
        since = end_of_day(today - timedelta(days=1), self.zone)
        return Today(since=since, allowance=round(FIRST_DAY * factor))


LONGEST_PACE = timedelta(minutes=1)
LONGEST_QUOTA = timedelta(days=7)

MARGIN = 1.05
"""Messages are spaced wider than the rate by this factor: one delayed by opening its connection
must not arrive together with the next."""

RESERVED_SHARE = 20
"""The reciprocal of the share of a quota that is reserved for system email."""

SPARE_CONNECTIONS = 2
"""How many connections to a domain system email may open beyond the limit for digests."""

_NAME = re.compile(r"(\*|[a-z0-9_-]+)(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Pace:
    """A combination of rates. Without rates there is no limit."""

    rates: tuple[Rate, ...] = ()

    @property
    def spacing(self) -> timedelta:
        """The minimum time between two messages."""
        paces = [one for one in self.rates if one.period <= LONGEST_PACE]
        return max((one.period * MARGIN / one.count for one in paces), default=timedelta(0))

    @property
    def quotas(self) -> tuple[Rate, ...]:
        """The rates over more than a minute."""
        return tuple(one for one in self.rates if one.period > LONGEST_PACE)


def reserved(quota: Rate) -> int:
    """Return how many messages of a quota are reserved for system email."""
    return -(-quota.count // RESERVED_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPace:
    """Rates by destination domain. A key of `named` is a domain (`gmail.com`) or a wildcard for its
    subdomains (`*.example.org`); the most specific applies, else `usual`."""

    usual: Pace = Pace()
    named: Mapping[str, Pace] = field(default_factory=dict)

    def of(self, domain: str) -> Pace:
        """Return the pace that applies to `domain`."""
        if domain in self.named:
            return self.named[domain]
        parts = domain.split(".")
        above = (f"*.{'.'.join(parts[at:])}" for at in range(1, len(parts)))
        return next((self.named[one] for one in above if one in self.named), self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """The sending limits of an installation. `connections` is how many messages may be in flight to
    one domain, None for no limit."""

    relay: Pace = Pace()
    domains: DomainPace = field(default_factory=DomainPace)
    connections: int | None = None
    warm_up: WarmUp | None = None

    @property
    def tells_domains_apart(self) -> bool:
        """Whether there are limits for each domain."""
        return self.domains != DomainPace() or self.connections is not None

    @property
    def is_limited(self) -> bool:
        """Whether any limit is set."""
        return self != UNLIMITED


UNLIMITED = Pacing()


def parse_pace(text: str) -> Pace:
    """Parse `14/s, 50000/24h` or `off`. Raises InvalidInput with an example."""
    rates = parse_rates(text)
    if any(one.period > LONGEST_QUOTA for one in rates):
        raise InvalidInput(f"{text!r} covers more than a week: write at most 7d")
    return Pace(rates)


def parse_domain_pace(text: str) -> DomainPace:
    """Parse `20/s, gmail.com=5/s, *.example.org=off`: default rates, and rates for some domains.

    To give a domain several rates, repeat its name. Raises InvalidInput.
    """
    parts = [part.strip().lower() for part in text.split(",")]
    found: dict[str, list[str]] = {}
    for part in parts:
        name, equals, rate = part.rpartition("=")
        if equals and not _NAME.fullmatch(name.strip()):
            raise InvalidInput(f"{name!r} is not a domain: use gmail.com=5/s or *.example.org=off")
        found.setdefault(name.strip(), []).append(rate.strip())
    paces = {}
    for name, rates in found.items():
        if OFF in rates and len(rates) > 1:
            raise InvalidInput("a domain has rates or is off, not both")
        paces[name] = parse_pace(", ".join(rates))
    return DomainPace(usual=paces.pop("", Pace()), named=paces)


def parse_connections(text: str) -> int | None:
    """Parse `5` or `off`; of a range such as `2-5` the larger number applies. Raises InvalidInput
    with an example."""
    if text.strip().lower() == OFF:
        return None
    match = re.fullmatch(r"\s*([1-9]\d{0,2})\s*(?:-\s*([1-9]\d{0,2})\s*)?", text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise InvalidInput(f"{text!r} is not a number of connections: write it like 5 or off")
    return int(match[2] or match[1])


_UNITS: Mapping[int, str] = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


def pace_in_words(pace: Pace) -> str:
    """Format as `14 a second and 50,000 a day`; empty for no limit."""
    return " and ".join(_rate(rate) for rate in pace.rates)


def _rate(rate: Rate) -> str:
    seconds = round(rate.period.total_seconds())
    if seconds in _UNITS:
        return f"{rate.count:,} a {_UNITS[seconds]}"
    size = max(one for one in _UNITS if seconds % one == 0)
    return f"{rate.count:,} in {seconds // size} {_UNITS[size]}s"


# Token buckets of the relay and the domains, and pauses of the relay.
#
#     each message takes a token        ─► the next token is available one spacing later
#     10 refusals of us in a row        ─► the relay pauses: 5 min, doubling to 60, then one probe
#     a message is accepted             ─► sending continues, and the pauses are reset
#
# The bucket is the generic cell rate algorithm (ITU-T I.371, annex A): a single instant records
# when it is full again. A message to a domain without a token is deferred; later ones overtake it.

NO_REST = timedelta(0)
FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(minutes=60)

MOST_REFUSALS_OF_US = 10
"""The relay pauses after this many consecutive refusals of us (policy, sender, login, content):
it accepts none of our messages, and a thousand more attempts would hurt our reputation."""

TOLERANCE = timedelta(milliseconds=40)
"""A token may be taken this early, so that a late claim loses none. It is less than `MARGIN` adds
to a second, so no second exceeds its rate."""

HORIZON = timedelta(minutes=1)
"""A deferred message is checked again within this time: settings may have changed."""

LOOK_AGAIN = timedelta(milliseconds=250)
STEP = timedelta(milliseconds=50)
"""When a message to a domain at its connection cap is checked again, and the time between two."""


def is_taken(outcome: Outcome) -> bool:
    """Whether the relay accepted a message, or refused only its recipient."""
    found = verdict(outcome)
    is_final = found.state in (DeliveryState.SENT, DeliveryState.FAILED)
    return is_final and not is_opening(outcome.phase) and not speaks_against_us(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """The bucket of the relay or a domain, and the pauses of the relay.

    The bucket is full again at `free_at`; messages were deferred until up to `lined_up_to`.
    `refused` counts consecutive refusals. After `rest` one message is tried; `reason` explains why
    the relay pauses, or did not open a session.
    """

    free_at: datetime | None = None
    lined_up_to: datetime | None = None
    refused: int = 0
    rest: timedelta = NO_REST
    rests_until: datetime | None = None
    reason: str = ""

    def is_paused(self, now: datetime) -> bool:
        """Whether the relay pauses at `now`. Ignores a pause longer than the maximum: the clock was
        wrong when it was set."""
        if self.rests_until is None:
            return False
        return timedelta(0) < self.rests_until - now <= LONGEST_REST

    @property
    def is_probing(self) -> bool:
        """Whether the relay paused and has accepted nothing since."""
        return self.rest > NO_REST

    def hold_until(self, until: datetime) -> "RateState":
        """Return the state with no token available before `until`."""
        is_held = self.free_at is not None and self.free_at >= until
        return self if is_held else replace(self, free_at=until)

    @property
    def is_troubled(self) -> bool:
        """Whether accepting a message changes the state."""
        return bool(self.refused or self.reason or self.is_probing)

    def after_outcome(self, outcome: Outcome, *, now: datetime) -> "RateState":
        """Return the state after an outcome. `reason` explains why the relay opened no session,
        until it opens one."""
        if is_taken(outcome):
            return replace(self, refused=0, rest=NO_REST, rests_until=None, reason="")
        found = verdict(outcome)
        reason = found.reason if is_opening(outcome.phase) else ""
        state = self if self.is_probing else replace(self, reason=reason)
        if not speaks_against_us(found):
            return state
        worse = replace(state, refused=state.refused + 1)
        is_enough = state.is_probing or worse.refused >= MOST_REFUSALS_OF_US
        return worse.pause_longer(found.reason, now=now) if is_enough else worse

    def pause_longer(self, reason: str, *, now: datetime) -> "RateState":
        """Return the state with a pause that begins at `now`, longer than the last one."""
        if self.is_paused(now):
            return self
        rest = min(max(FIRST_REST, self.rest * 2), LONGEST_REST)
        return replace(self, rest=rest, rests_until=now + rest, reason=reason)


@dataclass(slots=True, kw_only=True)
class Bucket:
    """The relay or a domain during a claim: at most `most` messages may be in flight (None: no
    cap), and its quotas allow `room` more (None: there are no quotas)."""

    state: RateState
    spacing: timedelta = timedelta(0)
    in_flight: int = 0
    most: int | None = None
    room: int | None = None

    def wait(self, now: datetime) -> datetime | None:
        """Return when to check a message again, None if it may leave now."""
        if self.room == 0:
            return now + HORIZON
        free_at = self.state.free_at
        if free_at is not None and free_at - TOLERANCE > now:
            return free_at - TOLERANCE
        is_full = self.most is not None and self.in_flight >= self.most
        return now + LOOK_AGAIN if is_full else None

    def defer(self, wait: datetime, now: datetime) -> datetime:
        """Defer a message behind those deferred before it, and return until when."""
        before = self.state.lined_up_to
        turn = wait if before is None else max(wait, before + (self.spacing or STEP))
        turn = min(turn, now + HORIZON)
        self.state = replace(self.state, lined_up_to=turn)
        return turn

    def count_sent(self, now: datetime) -> None:
        """Count a message as sent."""
        if self.spacing:
            free_at = max(self.state.free_at or now, now) + self.spacing
            self.state = replace(self.state, free_at=free_at)
        self.in_flight += 1
        self.room = None if self.room is None else self.room - 1
