"""System email: every email that is not a digest. Same states and rules, sent before digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paperround.delivery.model import Lease
from paperround.editions.model import DeliveryId, DeliveryState
from paperround.subscribers.model import SubscriberId

NOTICE_LIFE = timedelta(hours=4)
"""How long a system email is tried: its recipient waits for it, and a late one only confuses."""

CONFIRM_VALID = timedelta(hours=48)
"""How long a confirmation link works, from the first request."""

PREFERENCES_VALID = timedelta(hours=24)
"""How long an emailed link to the preferences works."""

UNDO_VALID = timedelta(days=30)
"""How long the link that undoes an unsubscribe works."""

UNCONFIRMED_LIFE = timedelta(days=7)
"""How long an unconfirmed address is kept."""


class SystemMailKind(StrEnum):
    """The purpose of a system email. One with a log-in link is stored as an alert with a link."""

    CONFIRM = "confirm"
    REMINDER = "reminder"
    CHANGE = "change"
    PREFERENCES = "preferences"
    UNDO = "undo"
    TEST = "test"
    ALERT = "alert"
    LOGIN = "login"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBase:
    """The content of a system email, without its address. `payload` never contains text that a
    visitor typed."""

    kind: SystemMailKind
    subscriber_id: SubscriberId | None
    payload: Mapping[str, str | int]
    message_id: str
    dated: datetime
    key_id: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice(NoticeBase):
    """A system email to store. `key` is unique: requesting it twice makes one row.

    `address` is set only if the recipient is not a subscriber (an operator, a test).
    """

    key: str
    address: str | None
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(NoticeBase):
    """A stored system email, which decides what its link may do."""

    id: DeliveryId
    key: str
    address: str | None
    state: DeliveryState
    reason: str
    used_at: datetime | None
    reply: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotice(NoticeBase):
    """A system email that this process has claimed for sending."""

    id: DeliveryId
    address: str
    attempts: int
    breakdowns: int
    expires_at: datetime
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """The template context of a system email. `action_url` is its one link, if any.

    `details` are the lines of an alert or a test. The last fields are the look of its list, empty
    where it has none of its own.
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
    from_name: str = ""
    colour: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMail:
    """A system email to render."""

    view: NoticeView
    recipient: str
    message_id: str
    dated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert for the operator. `key` identifies the problem, so it is reported only once.

    `stops_mail` is true if the problem keeps digests from being sent. If it does, or `lasts`, its
    end is reported too. `episodes` identifies the problem of each feed that one cause affects, with
    its start.
    """

    key: str
    subject: str
    lines: tuple[str, ...] = ()
    stops_mail: bool = False
    lasts: bool = False
    episodes: tuple[str, ...] = ()
