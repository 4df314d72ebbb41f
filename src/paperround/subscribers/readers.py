"""Values of self-service: signing up, changing preferences, rating papers, exporting data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, EditionId, RisenPaper
from paperround.papers.model import PaperId
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import Address, Preferences, SubscriberId

RequestId = NewType("RequestId", int)

VERDICTS = ("more", "less", "save")
"""Ratings of a paper: more like it, less like it, or save it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBy:
    """When a rating was given, and the digest whose link was used; None for a button on a page."""

    at: datetime
    delivery: DeliveryId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPaper:
    """A paper that a reader saved, with their note and the names of the collections it is in."""

    paper_id: PaperId
    saved_at: datetime
    note: str = ""
    collections: tuple[str, ...] = ()


LEAST_COLLEAGUES = 3
"""How many readers must agree before their opinion is shown, or changes a ranking."""
LEAST_SHARERS = 10
"""How many readers of a list must share before any of them counts: among fewer, somebody who adds
two addresses of their own could tell what one reader saved."""
SHARES_COUNT_AFTER = timedelta(weeks=3)
"""How long a reader must have shared before they count, so that nobody adds readers at short
notice."""
SAVES_COUNT_AFTER = timedelta(days=1)
"""How old a rating must be to count, so that no edition changes right after one person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOpinion:
    """What the readers of a list who share their ratings think of a paper: how many saved it, and
    how many more liked it than disliked it. Numbers below LEAST_COLLEAGUES are 0."""

    saved: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOwner:
    """The reader a delivery was for. A token that names the delivery is bound to `nonce`. If
    `positions` is empty, the delivery's row was deleted."""

    delivery: DeliveryId
    edition_id: EditionId
    positions: tuple[int, ...] = ()
    risen: tuple[RisenPaper, ...] = ()
    next_papers: tuple[PaperId, ...] = ()
    local_date: date
    nonce: str
    list_id: ListId
    subscriber_id: SubscriberId
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The client of a request, for rate limits. `ip` is None if it is unknown.

    `stamped`: the form was one of ours, opened at least two seconds before.
    """

    ip: str | None
    stamped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPaper:
    """A paper that a reader named. `title` is the stored paper's, None if it is unknown; then
    `counts` tells whether the words of its title are matched instead."""

    value: str
    title: str | None
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderList:
    """A list, and the reader's relation to it. `known`: they have or had preferences for it;
    `joinable`: its sign-up is open to their address."""

    name: str
    title: str
    active: bool
    known: bool
    joinable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The contents of the preferences page: a reader's preferences for one list, with masked
    address.

    `interests` apply to all of their lists. `asked` are interests sent along with a sign-up on a
    search page, which the reader has yet to accept. `given` are papers the reader named. `feed` is
    the token of the feed of their digests. `lists` are those they read, have read or may join, by
    title. `frequencies` and `languages` are those the list offers, empty for all.
    """

    masked: str
    list_name: str
    list_title: str
    preferences: Preferences
    hour: int
    zone: str
    next_due: datetime | None
    active: bool
    lists: tuple[ReaderList, ...]
    interests: tuple[Interest, ...] = ()
    asked: tuple[Interest, ...] = ()
    given: tuple[GivenPaper, ...] = ()
    feed: str = ""
    frequencies: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportPlace:
    """A position in the export of a person's data: the table with this number, after the row with
    this primary key."""

    table: int = 0
    key: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """Rows of one table about a person, as plain values, and the position after them: None at the
    end."""

    table: str
    rows: tuple[Mapping[str, object], ...]
    next: ExportPlace | None


# --- queued requests ---------------------------------------------------------------------------


class RequestKind(StrEnum):
    """What is requested: a sign-up, a link to the preferences, or a change of address."""

    SIGNUP = "signup"
    LINK = "link"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest:
    """A queued request. Nothing in it depends on whether `address` is known.

    `subscriber_id` is the reader who changes address, None for other kinds.
    """

    kind: RequestKind
    address: Address
    payload: Mapping[str, str | int]
    subscriber_id: SubscriberId | None
    created_at: datetime


class Limit(StrEnum):
    """The limit that refused a request, reported to the client and counted for the operator."""

    IP = "ip"
    NET = "net"
    DOMAIN = "domain"
    TOTAL = "total"


class Drop(StrEnum):
    """Why a queued request was dropped: its mailbox reached its limit, or processing failed."""

    MAILBOX = "mailbox"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTally:
    """How many requests are queued, when the first is due, and how many of the last period were
    refused and dropped."""

    waiting: int
    oldest_due: datetime | None
    refused: Mapping[Limit, int]
    dropped: Mapping[Drop, int]
