"""Subscribers, their subscriptions, and the states they may be in."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from paperround.core.errors import invalid
from paperround.editions.lists import ListId

SubscriberId = NewType("SubscriberId", int)
SubscriptionId = NewType("SubscriptionId", int)


class SubscriberState(StrEnum):
    """The state of a subscriber. Unsubscribed is not suppressed: they may sign up again
    themselves."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"


class Frequency(StrEnum):
    """How often a digest is sent. A weekly one also names its weekday, a monthly one comes on the
    first day of the month."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse_frequency(text: str) -> tuple[Frequency, str | None]:
    """Parse `daily`, `weekdays`, `weekly:mon` (to `sun`) or `monthly`; return frequency and
    weekday."""
    name, _, weekday = text.partition(":")
    is_weekly = name == Frequency.WEEKLY
    if is_weekly and not weekday:
        weekday = WEEKDAYS[0]
    if name not in [*Frequency] or weekday not in (WEEKDAYS if is_weekly else ("",)):
        raise invalid("frequency", "use daily, weekdays, weekly:mon (to sun), or monthly")
    return Frequency(name), weekday or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An email address as written, and as mailed (domain in ASCII)."""

    written: str
    mailed: str

    @property
    def folded(self) -> str:
        """The address for comparison: case does not count."""
        return self.mailed.casefold()

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.mailed.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a subscriber chose. None means the list's default.

    `shares_since` is when they began to share their ratings with others on the list, None if they
    do not; earlier ratings are not shared.
    """

    timezone: str | None = None
    hour: int | None = None
    frequency: Frequency = Frequency.DAILY
    weekday: str | None = None
    size: int | None = None
    floor: float | None = None
    language: str | None = None
    paused_until: date | None = None
    shares_since: datetime | None = None
    topics: tuple[str, ...] = ()

    @property
    def frequency_text(self) -> str:
        """The frequency as `parse_frequency` reads it."""
        is_weekly = self.frequency is Frequency.WEEKLY
        return f"weekly:{self.weekday or WEEKDAYS[0]}" if is_weekly else self.frequency.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """When and how a person agreed to receive email. An import without one is refused."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person (kind `email`) or a channel of another kind (`slack`, `webhook`, ...)."""

    id: SubscriberId
    kind: str = "email"
    address: str
    state: SubscriberState
    nonce: str
    consent: Consent | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One person's preferences for one list, with what planning needs to know about the person.

    Nothing is sent before `resting_until`: too many messages bounced.
    """

    id: SubscriptionId
    subscriber_id: SubscriberId
    list_id: ListId
    state: SubscriberState
    preferences: Preferences = field(default_factory=Preferences)
    resting_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSubscription:
    """A due subscription, and the instant it was due. `at_once`: due since the moment its person
    confirmed, whatever their hour and day."""

    subscription: Subscription
    due_at: datetime
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSubscriber:
    """One valid row of a subscriber file. Only an unsubscribed one may lack consent."""

    address: Address
    state: SubscriberState
    consent: Consent | None
    preferences: Preferences
    nonce: str


GONE, COMPLAINT = "gone", "complaint"
"""Reasons of suppressions that bounces and complaints cause."""
