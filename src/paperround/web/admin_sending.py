"""The admin API for sending: an edition now, missed digests, and a test email."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field

from paperround.access.model import Scope
from paperround.delivery.status import redact_addresses
from paperround.digests.cancel import undo
from paperround.digests.plan import Hours
from paperround.digests.publish import PublishReport, publish, require_edition
from paperround.digests.resend import Missed, missed, send_missed
from paperround.ops.why import why
from paperround.self_service.preview import send_test
from paperround.subscribers.addresses import parse_address
from paperround.subscribers.model import SubscriberId
from paperround.web.admin_deliveries import RestoredAnswer
from paperround.web.admin_editions import Cut, ListName
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import PrintableText, Resource, StrictBody, example_config
from paperround.web.paging import MAX_ROW_ID, Day

router = keyed_router(
    "/api/v1/admin",
    "admin: deliveries",
    reading=Scope.DELIVERIES_READ,
    writing=Scope.DELIVERIES_WRITE,
    outside=("send_edition", "send_missed_digests", "send_test_mail"),
)


class SendAnswer(BaseModel):
    """What was planned of an edition: all its rows, those without an email by reason, and how many
    this request added. `skipped_hold_minutes` is the hold of the list, if this edition was made by
    hand and so was not held; else 0."""

    list: str
    date: datetime.date
    cut: str
    papers: int
    planned: int
    skipped: dict[str, int]
    added: int
    skipped_hold_minutes: int

    @classmethod
    def of(cls, report: PublishReport) -> Self:
        """Return the response for `report`."""
        edition = report.edition
        return cls(
            list=edition.list_name,
            date=edition.day,
            cut=edition.cut,
            papers=len(edition.papers),
            planned=report.planned.rows,
            skipped=dict(sorted(report.planned.skipped.items())),
            added=report.added,
            skipped_hold_minutes=report.skipped_hold_minutes,
        )


class MissedTally(BaseModel):
    """How many digests of a date had one outcome."""

    state: str
    reason: PrintableText
    count: int


class MissedAnswer(BaseModel):
    """The digests of a date that did not arrive. `replaced` were sent again before, `unknown` may
    have arrived, `barred` get none, by reason. The rest is `sendable`, of which this request
    `planned` some."""

    list: str
    date: datetime.date
    missed: Sequence[MissedTally]
    replaced: int
    unknown: int
    barred: dict[str, int]
    sendable: int
    planned: int

    @classmethod
    def of(cls, found: Missed) -> Self:
        """Return the response for `found`, without addresses in the words of servers."""
        return cls(
            list=found.list_name,
            date=found.day,
            missed=[
                MissedTally(state=state, reason=redact_addresses(reason) or "", count=count)
                for (state, reason), count in sorted(found.by_reason.items())
            ],
            replaced=found.replaced,
            unknown=found.unknown,
            barred=dict(found.barred),
            sendable=found.sendable,
            planned=found.planned,
        )


class MissedBody(StrictBody):
    """Which missed digests to send, by the date in each reader's time zone. With `include_unknown`
    some people get theirs twice."""

    model_config = example_config({"date": "2026-01-30"})

    date: Day
    include_unknown: bool = False


class TestBody(StrictBody):
    """Where to send a test email."""

    model_config = example_config({"to": "operator@example.org"})

    to: Annotated[str, Field(min_length=3, max_length=320)]


class TestAnswer(BaseModel):
    """The result of a test email, with the server's reply."""

    state: str
    reason: PrintableText
    reply: PrintableText | None
    message_id: str
    holds: str


class WhyAnswer(Resource):
    """One reason, in a sentence: a code that never changes its meaning, and its parameters."""

    code: str
    params: dict[str, str | int]
    text: PrintableText


class WhyList(BaseModel):
    """Why a list, or a person on it, got what they got on a date: reasons, the most general
    first."""

    list: str
    reasons: Sequence[WhyAnswer]


@router.get("/lists/{name}/why", summary="Say why nothing went out")
def explain_list(
    app: App,
    now: Now,
    name: ListName,
    date: Annotated[
        Day | None, Query(description="The date in the list's time zone; today by default.")
    ] = None,
    subscriber: Annotated[
        int | None, Query(ge=1, le=MAX_ROW_ID, description="One person, by number.")
    ] = None,
) -> WhyList:
    """Why not everything went out, from what is recorded: pauses, held editions, feeds, the relay,
    the digests of that date, and who is due later."""
    person = None if subscriber is None else SubscriberId(subscriber)
    found = why(
        app.database,
        name,
        hours=Hours(hour=app.settings.default_hour),
        now=now,
        day=date,
        person=person,
        pacing=app.settings.pacing,
    )
    return WhyList(list=name, reasons=[WhyAnswer.of(one) for one in found])


@router.post("/editions/{name}/{date}/{cut}/send", summary="Send an edition now")
def send_edition(
    app: App, now: Now, actor: Actor, name: ListName, date: Day, cut: Cut
) -> SendAnswer:
    """Plan a digest of the edition for everybody who has none of its date. The cut `manual` is
    created if missing; a held edition has to be approved first."""
    app.settings.require_sender()
    require_edition(app.database, name, date, cut, now=now)
    report = publish(
        database=app.database,
        ranker=app.ranker,
        identity=app.identity,
        list_name=name,
        day=date,
        cut=cut,
        now=now,
        gist=app.gist,
        personal_ranking=app.personal_ranking,
        by=actor,
    )
    app.wake()
    return SendAnswer.of(report)


@router.post("/editions/{name}/{date}/{cut}/undo-cancel", summary="Undo a cancelled edition")
def undo_cancelled(
    app: App, now: Now, actor: Actor, name: ListName, date: Day, cut: Cut
) -> list[RestoredAnswer]:
    """Undo the cancellation of an edition, unless other digests were planned for its readers. The
    list is empty if it was not cancelled."""
    restored = undo(app.database, name, day=date, cut=cut, now=now, by=actor)
    app.wake()
    return [RestoredAnswer.of(one) for one in restored]


@router.get("/lists/{name}/missed", summary="Show missed digests")
def show_missed(
    app: App,
    now: Now,
    name: ListName,
    date: Annotated[Day | None, Query(description="The date in the readers' time zones.")] = None,
    include_unknown: bool = False,
) -> MissedAnswer:
    """Who did not get the digest of a date, by reason, counted."""
    found = missed(app.database, name, day=date, now=now, include_unknown=include_unknown)
    return MissedAnswer.of(found)


@router.post("/lists/{name}/missed", summary="Send missed digests")
def send_missed_digests(
    app: App, now: Now, actor: Actor, name: ListName, body: MissedBody
) -> MissedAnswer:
    """Plan a replacement with the same papers for each; nobody gets a second one of a date."""
    app.settings.require_sender()
    found = send_missed(
        app.database,
        name,
        identity=app.identity,
        day=body.date,
        now=now,
        include_unknown=body.include_unknown,
        personal_ranking=app.personal_ranking,
        by=actor,
    )
    app.wake()
    return MissedAnswer.of(found)


@router.post("/lists/{name}/test-mail", summary="Send a test email")
def send_test_mail(app: App, now: Now, actor: Actor, name: ListName, body: TestBody) -> TestAnswer:
    """Send the newest edition to one address, even if it is held. This is not counted."""
    notice = send_test(app.post(), app.identity, parse_address(body.to), name, now=now, by=actor)
    return TestAnswer(
        state=notice.state,
        reason=redact_addresses(notice.reason) or "",
        reply=redact_addresses(notice.reply),
        message_id=notice.message_id,
        holds="edition" if "edition" in notice.payload else "words",
    )
