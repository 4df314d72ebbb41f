"""The admin API for suppressions, and for bounces and complaints."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from paperround.access.model import Scope
from paperround.bounces.redact import redacted_report
from paperround.bounces.store import ReturnStore
from paperround.self_service import suppressions
from paperround.self_service.suppressions import LONGEST_REASON
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import (
    CursorPage,
    Instant,
    PrintableText,
    Resource,
    StrictBody,
    example_config,
    value_of,
)
from paperround.web.paging import MAX_ROW_ID, Paging, RowNumber
from paperround.web.people_models import (
    Email,
    SuppressionReason,
    WholeAddress,
    address_in,
    reasons_of,
)

router = keyed_router(
    "/api/v1/admin/suppressions",
    "admin: suppressions",
    reading=Scope.SUPPRESSIONS_READ,
    writing=Scope.SUPPRESSIONS_WRITE,
    asking=("look_up_suppression",),
)
bounces = keyed_router(
    "/api/v1/admin/bounces",
    "admin: bounces",
    reading=Scope.SUPPRESSIONS_READ,
    writing=Scope.SUPPRESSIONS_WRITE,
)

Reason = Annotated[
    str, Field(min_length=1, max_length=LONGEST_REASON, description="Why; without an address.")
]


class NewSuppression(StrictBody):
    """An address that must never be emailed, and why."""

    model_config = example_config({"email": "ada@example.org", "reason": "asked by phone"})

    email: Email
    reason: Reason


class LiftedSuppression(NewSuppression):
    """An address that may be emailed again, and why. `resume`: resume the digests of a reader whom
    a bounce had stopped."""

    model_config = example_config({"email": "ada@example.org", "reason": "server is back"})

    resume: bool = False


class SuppressionAnswer(Resource):
    """A suppressed address, by its keyed hash."""

    digest: str
    reason: PrintableText
    since: Instant


class SuppressionPage(Resource):
    """Suppressions, oldest first. `next_cursor` leads to the next page; null at the end."""

    items: list[SuppressionAnswer]
    next_cursor: str | None


class SuppressionStatus(Resource):
    """Whether an address is suppressed, and why; the number of the person who has it, if any."""

    suppressed: bool
    reasons: list[SuppressionReason]
    subscriber: int | None


class SuppressionChange(Resource):
    """Whether a request changed anything."""

    changed: bool


class BounceAnswer(Resource):
    """A bounce or complaint: its kind, the server's reply without addresses, and its effect.
    `subscriber` and `mail` name the person and the message."""

    id: int
    way: str
    kind: str
    evidence: str
    proof: str
    did: str
    subscriber: int | None = value_of("subscriber_id")
    mail: str | None
    code: str
    said: PrintableText
    happened_at: Instant


class QuarantineAnswer(Resource):
    """A message in quarantine, because nothing proves which of our messages it is about."""

    id: int
    way: str
    why: str
    size: int
    received_at: Instant


class ReportAnswer(Resource):
    """A message in quarantine as text, without addresses."""

    id: int
    text: PrintableText


# --- suppressions --------------------------------------------------------------------------------


@router.get("", summary="List suppressions")
def list_suppressions(app: App, paging: Paging) -> SuppressionPage:
    """Every suppressed address by its keyed hash, oldest first. The address itself is not
    stored."""
    after = paging.last_id("suppressions") or 0
    with app.database.reading() as work:
        found = work[SubscriberStore].suppressions(after=after, limit=paging.rows)
    items = [
        SuppressionAnswer(digest=digest, reason=why, since=at)
        for digest, why, at in found[: paging.limit]
    ]
    places = range(after + 1, after + len(found) + 1)
    return SuppressionPage(items=items, next_cursor=paging.next_cursor("suppressions", places))


@router.post("/find", summary="Look up a suppression")
def look_up_suppression(app: App, now: Now, actor: Actor, body: WholeAddress) -> SuppressionStatus:
    """Whether an address is suppressed, in any spelling of its mailbox, and why."""
    person, reasons = suppressions.find_suppression(
        app.database, app.settings.keys, address_in(body.email), now=now, by=actor
    )
    return SuppressionStatus(
        suppressed=bool(reasons), reasons=reasons_of(reasons), subscriber=person
    )


@router.post("", summary="Suppress an address")
def add_suppression(app: App, now: Now, actor: Actor, body: NewSuppression) -> SuppressionChange:
    """Never email an address again, whatever is imported or signed up."""
    changed = suppressions.add_suppression(
        app.database,
        app.settings.keys,
        address_in(body.email),
        reason=body.reason,
        now=now,
        by=actor,
    )
    return SuppressionChange(changed=changed)


@router.post("/lift", summary="Lift a suppression")
def lift_suppression(
    app: App, now: Now, actor: Actor, body: LiftedSuppression
) -> SuppressionChange:
    """Lift a suppression. Nobody is subscribed by this, except with `resume` a reader whose digests
    a bounce had stopped."""
    changed = suppressions.lift_suppression(
        app.database,
        app.settings.keys,
        address_in(body.email),
        reason=body.reason,
        resume=body.resume,
        now=now,
        by=actor,
    )
    return SuppressionChange(changed=changed)


# --- bounces -------------------------------------------------------------------------------------


@bounces.get("", summary="List bounces and complaints")
def list_bounces(
    app: App,
    paging: Paging,
    subscriber: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
) -> CursorPage[BounceAnswer]:
    """Bounces and complaints, newest first, with server replies; all, or those of one person."""
    person = None if subscriber is None else SubscriberId(subscriber)
    with app.database.reading() as work:
        found = work[ReturnStore].events(
            person, before=paging.last_id("bounces"), limit=paging.rows
        )
    return paging.page("bounces", found, BounceAnswer.of)


@bounces.get("/quarantine", summary="List messages in quarantine")
def list_quarantine(app: App, paging: Paging) -> CursorPage[QuarantineAnswer]:
    """Messages in quarantine, newest first."""
    with app.database.reading() as work:
        found = work[ReturnStore].waiting(before=paging.last_id("quarantine"), limit=paging.rows)
    return paging.page("quarantine", found, QuarantineAnswer.of)


@bounces.get("/quarantine/{report_id}", summary="Read a message in quarantine")
def read_quarantined(app: App, report_id: RowNumber) -> ReportAnswer:
    """A message in quarantine as text, without addresses."""
    return ReportAnswer(id=report_id, text=redacted_report(app.database, report_id))
