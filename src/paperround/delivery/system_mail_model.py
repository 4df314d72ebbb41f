"""Notices: every mail that is not a digest. Same states, same promises, sent before digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paperround.delivery.model import Lease
from paperround.editions.model import DeliveryId, DeliveryState
from paperround.subscribers.model import SubscriberId

NOTICE_LIFE = timedelta(hours=4)
"""How long a notice is tried: somebody waits for it, and a late one only confuses."""

CONFIRM_VALID = timedelta(hours=48)
"""How long the link of a confirmation works, from the first time it was asked for."""

PREFERENCES_VALID = timedelta(hours=24)
"""How long a mailed link to one's choices works."""

UNDO_VALID = timedelta(days=30)
"""How long the link that takes back a leaving works."""

UNCONFIRMED_LIFE = timedelta(days=7)
"""How long an address that nobody confirmed is kept."""


class SystemMailKind(StrEnum):
    """What a notice is for."""

    CONFIRM = "confirm"
    REMINDER = "reminder"
    CHANGE = "change"
    PREFERENCES = "preferences"
    UNDO = "undo"
    TEST = "test"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBase:
    """What the bytes of a notice are made of, beside its address. `payload` holds what the mail
    says, never what a visitor typed."""

    kind: SystemMailKind
    subscriber_id: SubscriberId | None
    payload: Mapping[str, str | int]
    message_id: str
    dated: datetime
    key_id: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice(NoticeBase):
    """A notice about to be written. `key` makes it unique: asked for twice, it is one row.

    `address` is set only for people who are no subscribers (an operator, a test); a subscriber's
    stands in their own row.
    """

    key: str
    address: str | None
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(NoticeBase):
    """A notice as it stands: what its link may do is decided from this."""

    id: DeliveryId
    key: str
    address: str | None
    state: DeliveryState
    reason: str
    used_at: datetime | None
    reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotice(NoticeBase):
    """A notice this process may send now, with all that its bytes are made of."""

    id: DeliveryId
    address: str
    attempts: int
    breakdowns: int
    expires_at: datetime
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """Everything a notice's template may know. `action_url` is the one thing to click, if any.

    `details` are lines an alert or a test shows, in order.
    """

    kind: SystemMailKind
    list_title: str
    subject: str
    action_url: str
    public_url: str
    operator: str
    postal_address: str
    contact: str
    details: tuple[str, ...] = ()
    language: str = "en"
    privacy_url: str = ""
    imprint_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMail:
    """One notice to be turned into bytes."""

    view: NoticeView
    recipient: str
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something an operator should know. `key` names the trouble: told once, not every minute.

    `stops_mail` says that digests do not reach people because of it. `episodes` names the trouble
    of each feed that one cause hits, and with it when it began.
    """

    key: str
    subject: str
    lines: tuple[str, ...] = ()
    stops_mail: bool = False
    episodes: tuple[str, ...] = ()
