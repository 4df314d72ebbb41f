"""Queued requests: sign-ups, links to preferences, changes of address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from paperround.subscribers.model import Address, SubscriberId

RequestId = NewType("RequestId", int)


class RequestKind(StrEnum):
    """What is requested: to sign up, a link to one's preferences, or to change one's address."""

    SIGNUP = "signup"
    LINK = "link"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request as received. Nothing in it depends on whether `address` is known.

    `subscriber_id` is the reader who changes address, None for other kinds. It is processed from
    `due_at` on.
    """

    kind: RequestKind
    address: Address
    due_at: datetime
    payload: Mapping[str, str | int] = field(default_factory=dict)
    subscriber_id: SubscriberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest(NewRequest):
    """A queued request. `tries` counts failed attempts to process it."""

    id: RequestId
    created_at: datetime
    tries: int


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
