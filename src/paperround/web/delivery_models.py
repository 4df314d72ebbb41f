"""Response models of the admin API for deliveries, cancelled editions and the audit log."""

import datetime
from typing import Any, Self

from pydantic import BaseModel

from paperround.delivery.status import DeliveryEntry
from paperround.delivery.status_text import redact_addresses
from paperround.editions.model import DeliveryState
from paperround.web.models import Instant, PrintableText, Resource, value_of


class EditionName(BaseModel):
    """An edition, by what makes it unique beside its list."""

    date: datetime.date
    cut: str


class DeliveryAnswer(BaseModel):
    """A row of the ledger. Its reader is a number, and the server's words are without addresses."""

    id: int
    list: str
    subscriber: int
    kind: str
    date: datetime.date
    edition: EditionName
    papers: int
    state: DeliveryState
    reason: PrintableText
    due_at: Instant
    sent_at: Instant | None
    attempts: int
    code: int | None
    reply: PrintableText | None
    message_id: str

    @classmethod
    def of(cls, entry: DeliveryEntry, **more: Any) -> Self:
        """Return the response for `entry`, with `more` fields."""
        return cls(
            id=entry.id,
            list=entry.list_name,
            subscriber=entry.subscriber_id,
            kind=entry.kind,
            date=entry.local_date,
            edition=EditionName(date=entry.edition_day, cut=entry.cut),
            papers=len(entry.positions),
            state=entry.state,
            reason=redact_addresses(entry.reason) or "",
            due_at=entry.due_at,
            sent_at=entry.sent_at,
            attempts=entry.attempts,
            code=entry.code,
            reply=redact_addresses(entry.reply),
            message_id=entry.message_id,
            **more,
        )


class PersonalDelivery(DeliveryAnswer):
    """A row of one person's history, with the titles of its papers."""

    titles: list[PrintableText]


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    items: list[DeliveryAnswer]
    next_cursor: str | None


class PersonalPage(BaseModel):
    """One person's deliveries, newest first."""

    items: list[PersonalDelivery]
    next_cursor: str | None


class PausedAnswer(BaseModel):
    """A list, whether it is paused now, and whether this request changed that."""

    list: str
    paused: bool
    changed: bool


class _OfEdition(Resource):
    """A response about an edition."""

    list: str = value_of("list_name")
    date: datetime.date = value_of("day")
    cut: str


class CancelledAnswer(_OfEdition):
    """An edition that is cancelled now: mails this request stopped, and mails that were out, or
    may have been. `fresh` is false when it was cancelled before."""

    skipped: int
    gone: int
    fresh: bool


class RestoredAnswer(_OfEdition):
    """An edition whose cancelling was undone, and how many of its mails wait again."""

    queued: int


class AuditAnswer(Resource):
    """Something an operator did: with a key, by its prefix, or on the command line."""

    id: int
    at: Instant
    actor: str = value_of("deed", "actor")
    action: str = value_of("deed", "action")
    target: PrintableText = value_of("deed", "target")
    details: dict[str, str | int] = value_of("deed", "details")


class AuditPage(Resource):
    """What operators did, newest first."""

    items: list[AuditAnswer]
    next_cursor: str | None
