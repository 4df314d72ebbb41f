"""Figures of an installation. None is about a single person: small counts are hidden, and opens and
clicks are not tracked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

FEWEST = 3
"""A figure about fewer people than this is not shown."""

HIDDEN: Literal["<3"] = "<3"

OTHERS = "others"
"""The name for all mail providers with fewer people than that."""

LATE_SECONDS = 30 * 60
"""A digest that was sent longer after its hour than this is late."""

_EXACT_SECONDS = 120

Count = int | Literal["<3"]


def hide_few(people: int) -> Count:
    """Return a number of people, or HIDDEN if it is too small to show."""
    return people if people >= FEWEST else HIDDEN


@dataclass(slots=True)
class EditionFigures:
    """The outcomes of an edition's digests: by state, by domain and state, and by how late they
    were sent, in seconds and from two minutes on in whole minutes."""

    states: Counter[str] = field(default_factory=Counter)
    domains: dict[str, Counter[str]] = field(default_factory=dict)
    late: Counter[int] = field(default_factory=Counter)

    def add(self, state: str, domain: str, late: int | None, count: int = 1) -> None:
        """Count digests. `late` is in seconds; None if they were not sent."""
        self.states[state] += count
        self.domains.setdefault(domain, Counter())[state] += count
        if late is not None:
            seconds = max(0, late)
            self.late[seconds if seconds < _EXACT_SECONDS else seconds // 60 * 60] += count

    def merge(self, other: "EditionFigures", known: frozenset[str]) -> None:
        """Add the figures of `other`, under the domains that are `known` or else OTHERS."""
        self.states.update(other.states)
        self.late.update(other.late)
        for domain, states in other.domains.items():
            name = domain if domain in known else OTHERS
            self.domains.setdefault(name, Counter()).update(states)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as they are stored."""
        late = {str(seconds): count for seconds, count in self.late.items()}
        return {"states": self.states, "domains": self.domains, "late": late}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "EditionFigures":
        """Return the figures that `to_json` stored."""
        return cls(
            Counter(stored["states"]),
            {name: Counter(states) for name, states in stored["domains"].items()},
            Counter({int(seconds): count for seconds, count in stored["late"].items()}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionOutcome:
    """An edition, and the outcomes of its digests."""

    id: int
    list: str
    day: date
    cut: str
    figures: EditionFigures


# --- the response ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberFigures:
    """How many people get email, have not confirmed yet, are paused, and have unsubscribed."""

    active: int = 0
    waiting: int = 0
    paused: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberDay(SubscriberFigures):
    """Subscribers at the end of a day in UTC, or when they were last counted on it."""

    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupFigures:
    """How many confirmations were requested, how many were given, and how many reminders sent."""

    asked: int = 0
    confirmed: int = 0
    reminded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupDay(SignupFigures):
    """Sign-ups of a day in UTC."""

    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFigures:
    """Digests by outcome; those being sent count as queued."""

    sent: int = 0
    queued: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    expired: int = 0
    skipped: int = 0

    @classmethod
    def numbers(cls, states: Mapping[str, int]) -> dict[str, int]:
        """Return the fields for counts by state of the ledger."""
        found = Counter(states)
        found["queued"] += found.pop("claimed", 0) + found.pop("in_data", 0)
        return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDay(DeliveryFigures):
    """Digests of the editions of a day."""

    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFigures(DeliveryFigures):
    """Digests to a mail provider that three people or more use, or to all `others`."""

    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessFigures:
    """How long after their hour digests were sent; in whole minutes from two minutes on."""

    median_seconds: int | None = None
    p95_seconds: int | None = None
    max_seconds: int | None = None
    over_30_minutes: int = 0

    @classmethod
    def of(cls, late: Mapping[int, int]) -> "LatenessFigures":
        """Return the figures for numbers of digests by how many seconds late they were."""
        total = sum(late.values())
        if not total:
            return cls()
        ordered = sorted(late.items())
        return cls(
            median_seconds=_percentile(ordered, total, 50),
            p95_seconds=_percentile(ordered, total, 95),
            max_seconds=ordered[-1][0],
            over_30_minutes=sum(count for seconds, count in ordered if seconds > LATE_SECONDS),
        )


def _percentile(ordered: Iterable[tuple[int, int]], total: int, percent: int) -> int:
    """Return the least value that `percent` of the values do not exceed."""
    seen = 0
    for value, count in ordered:
        seen += count
        if seen * 100 >= total * percent:
            return value
    raise AssertionError("the counts add up to the total")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFigures:
    """How many bounces and complaints arrived."""

    bounces: int = 0
    complaints: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDay(ReturnFigures):
    """Bounces and complaints of a day in UTC."""

    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackFigures:
    """How many people rated papers of an edition's digests `more` or `less`, or saved some."""

    list: str
    date: date
    cut: str
    more: Count
    less: Count
    saved: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSaves:
    """How often papers of a feed were saved, by three people or more."""

    feed: str
    saves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFigures:
    """The health of a feed."""

    name: str
    health: str
    reason: str
    last_news_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """How many due digests wait, how long the oldest has waited, and how many of living editions
    may or may not have arrived."""

    waiting: int
    oldest_due_at: datetime | None
    oldest_seconds: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Figures of the days from `first` to `last`, of one list, or of all (`list` is null)."""

    first: date
    last: date
    list: str | None
    subscribers: SubscriberFigures
    subscribers_by_day: Sequence[SubscriberDay]
    signups: SignupFigures
    signups_by_day: Sequence[SignupDay]
    deliveries: DeliveryFigures
    deliveries_by_day: Sequence[DeliveryDay]
    domains: Sequence[DomainFigures]
    lateness: LatenessFigures
    returned: ReturnFigures
    returned_by_day: Sequence[ReturnDay]
    feedback: Sequence[FeedbackFigures]
    saves_by_feed: Sequence[FeedSaves]
    feeds: Sequence[FeedFigures]
    queue: QueueFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsSummary:
    """The main figures of some days: active readers now, confirmed sign-ups, digests sent, how many
    of those were late, bounces and complaints."""

    days: int
    readers: int
    confirmed: int
    sent: int
    late: int
    bounces: int
    complaints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDay:
    """All figures of one day. `subscribers` is None for a day on which they were not counted."""

    date: date
    subscribers: SubscriberDay | None
    signups: SignupDay
    deliveries: DeliveryDay
    returned: ReturnDay


def figure_days(stats: Stats) -> list[FigureDay]:
    """Return the figures of each day, newest first.

    Editions of tomorrow, which a list in an eastern time zone may have, add a day.
    """
    subscribers = {one.date: one for one in stats.subscribers_by_day}
    signups = {one.date: one for one in stats.signups_by_day}
    deliveries = {one.date: one for one in stats.deliveries_by_day}
    returned = {one.date: one for one in stats.returned_by_day}
    last = max(stats.last, *deliveries, stats.first)
    return [
        FigureDay(
            date=day,
            subscribers=subscribers.get(day),
            signups=signups.get(day, SignupDay(date=day)),
            deliveries=deliveries.get(day, DeliveryDay(date=day)),
            returned=returned.get(day, ReturnDay(date=day)),
        )
        for day in (last - timedelta(days=n) for n in range((last - stats.first).days + 1))
    ]
