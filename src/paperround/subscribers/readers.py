"""What people do by themselves: sign up, change their choices, say what they think of a paper."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, EditionId
from paperround.papers.model import PaperId
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import (
    Address,
    Preferences,
    SubscriberId,
    SubscriptionId,
)

VERDICTS = ("more", "less", "save")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignup:
    """Somebody asks to be mailed: nothing of it counts before they confirm."""

    address: Address
    preferences: Preferences
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOwner:
    """Whose mail a delivery was. A token that names the delivery is bound to `nonce`."""

    delivery: DeliveryId
    edition_id: EditionId
    positions: tuple[int, ...]
    local_date: date
    nonce: str
    list_id: ListId
    subscriber_id: SubscriberId
    subscription_id: SubscriptionId | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedback:
    """What a reader says of a paper: `more` like it, `less` like it, or `save` it."""

    subscriber_id: SubscriberId
    paper_id: PaperId
    delivery: DeliveryId | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, as far as limits need to know. `ip` is None where it cannot be told.

    `stamped` is true when the form was one of ours, opened at least two seconds before.
    """

    ip: str | None
    stamped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPaper:
    """A paper that a reader gave, and its title here, None where it is not known; `counts` when
    the words they gave count as long as it is not."""

    value: str
    title: str | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the preferences page shows: the person's choices for one list, address masked.

    `interests` are for all of their lists. `asked` are further ones that somebody gave with their
    address, on a search page; they wait for the person to keep them. `given` are the papers
    they gave. `feed` is the token of the feed of what they were sent.
    """

    masked: str
    list_name: str
    list_title: str
    preferences: Preferences
    hour: int
    zone: str
    next_due: datetime | None
    active: bool
    interests: tuple[Interest, ...] = ()
    asked: tuple[Interest, ...] = ()
    given: tuple[GivenPaper, ...] = ()
    feed: str = ""


@dataclass(frozen=True, slots=True)
class ExportPlace:
    """How far one has read of what is kept about a person: in the table of this number, behind the
    row with this primary key."""

    table: int = 0
    key: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """Rows of a table about a person, in plain values, and the place of those that follow: None
    at the end."""

    table: str
    rows: tuple[Mapping[str, object], ...]
    next: ExportPlace | None
