"""The admin API for deliveries: the ledger, pausing and cancelling."""

import datetime
from typing import Annotated, Any, Self

from fastapi import Path, Query
from pydantic import BaseModel

from paperround.access.model import Scope
from paperround.core.errors import NotFound
from paperround.delivery.status import DeliveryEntry, DeliveryQuery, redact_addresses
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import cancel, pause, resume
from paperround.editions.model import DeliveryState
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import CursorPage, Instant, PrintableText, Resource, value_of
from paperround.web.paging import Day, Paging, RowNumber

router = keyed_router(
    "/api/v1/admin",
    "admin: deliveries",
    reading=Scope.DELIVERIES_READ,
    writing=Scope.DELIVERIES_WRITE,
)

ListName = Annotated[str, Path(min_length=1, max_length=60, description="The list.")]
Cut = Annotated[str, Path(min_length=1, max_length=20, description="0 to 3, or manual.")]


# --- the ledger --------------------------------------------------------------------------------


class EditionName(BaseModel):
    """An edition, identified within its list."""

    date: datetime.date
    cut: str


class DeliveryAnswer(BaseModel):
    """A row of the ledger. The reader is a number, and server replies have no addresses."""

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
    """An edition that is cancelled now: digests that this request stopped, and digests that were or
    may have been sent. `fresh` is false when it was cancelled before."""

    skipped: int
    gone: int
    fresh: bool


class RestoredAnswer(_OfEdition):
    """An edition whose cancellation was undone, and how many of its digests wait again."""

    queued: int


@router.get("/deliveries", summary="List deliveries")
def list_deliveries(
    app: App,
    paging: Paging,
    list_name: Annotated[str | None, Query(alias="list", max_length=60)] = None,
    date: Annotated[Day | None, Query(description="The date in the reader's time zone.")] = None,
    state: DeliveryState | None = None,
) -> CursorPage[DeliveryAnswer]:
    """Rows of the ledger, newest first: all of them, or those of a list, a date and a state."""
    with app.database.reading() as work:
        list_id = None if list_name is None else work[ListStore].get(list_name).id
        wanted = DeliveryQuery(list_id=list_id, local_date=date, state=state)
        place = paging.last_id("deliveries")
        found = work[StatusStore].deliveries(wanted, before=place, limit=paging.rows)
    return paging.page("deliveries", found, DeliveryAnswer.of)


@router.get("/subscribers/{subscriber_id}/deliveries", summary="List a person's deliveries")
def list_personal_deliveries(
    app: App, subscriber_id: RowNumber, paging: Paging
) -> CursorPage[PersonalDelivery]:
    """What one person was sent, newest first, with server replies. Only digests and replacements:
    `paperround subscribers history` also shows other emails."""
    with app.database.reading() as work:
        person = work[SubscriberStore].get(SubscriberId(subscriber_id))
        if person is None:
            raise NotFound(f"there is no subscriber {subscriber_id}")
        found = work[StatusStore].deliveries(
            DeliveryQuery(subscriber_id=person.id),
            before=paging.last_id("personal"),
            limit=paging.rows,
        )
        editions = [work[EditionStore].get(one) for one in {entry.edition_id for entry in found}]
    titles = {
        (edition.id, paper.position): paper.title
        for edition in editions
        for paper in edition.all_papers
    }

    def answer(entry: DeliveryEntry) -> PersonalDelivery:
        return PersonalDelivery.of(
            entry, titles=[titles[entry.edition_id, place] for place in entry.positions]
        )

    return paging.page("personal", found, answer)


# --- pausing and cancelling --------------------------------------------------------------------


@router.post("/lists/{name}/pause", summary="Pause a list")
def pause_list(app: App, now: Now, actor: Actor, name: ListName) -> PausedAnswer:
    """Stop sending digests of the list until it is resumed. Confirmations are still sent."""
    changed = pause(app.database, name, now=now, by=actor)
    return PausedAnswer(list=name, paused=True, changed=bool(changed))


@router.post("/lists/{name}/resume", summary="Resume a list")
def resume_list(app: App, now: Now, actor: Actor, name: ListName) -> PausedAnswer:
    """Resume a paused list. Digests that are more than 20 hours late are not sent."""
    changed = resume(app.database, name, now=now, by=actor)
    if changed:
        app.wake()
    return PausedAnswer(list=name, paused=False, changed=bool(changed))


@router.post("/editions/{name}/{date}/{cut}/cancel", summary="Cancel an edition")
def cancel_edition(
    app: App, now: Now, actor: Actor, name: ListName, date: Day, cut: Cut
) -> CancelledAnswer:
    """Stop sending the edition, and plan no more digests of it. Repeating this is harmless."""
    [ended] = cancel(app.database, name, day=date, cut=cut, now=now, by=actor)
    return CancelledAnswer.of(ended)
