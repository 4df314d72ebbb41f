"""What somebody asks for by an address that nobody has looked up yet: it waits in a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from paperround.subscribers.model import Address, SubscriberId

RequestId = NewType("RequestId", int)


class RequestKind(StrEnum):
    """What is asked: to sign up, a link to one's choices, to be mailed at another address."""

    SIGNUP = "signup"
    LINK = "link"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request as it came. Nothing of it depends on what is known of `address`.

    `subscriber_id` is who moves there, None for other kinds. It is worked on from `due_at`.
    """

    kind: RequestKind
    address: Address
    due_at: datetime
    payload: Mapping[str, str | int] = field(default_factory=dict)
    subscriber_id: SubscriberId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest(NewRequest):
    """A request that waits. `tries` is how often working on it failed."""

    id: RequestId
    created_at: datetime
    tries: int


class Limit(StrEnum):
    """What refuses a request: it is said to who asks, and counted for the operator."""

    IP = "ip"
    NET = "net"
    DOMAIN = "domain"
    TOTAL = "total"


class Drop(StrEnum):
    """Why a request that waited came to nothing: its mailbox had its mails, or it failed."""

    MAILBOX = "mailbox"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTally:
    """How many requests wait, since when the first of them is due, and how many of the last period
    were refused and dropped."""

    waiting: int
    oldest_due: datetime | None
    refused: Mapping[Limit, int]
    dropped: Mapping[Drop, int]
