"""The admin API for people, with the functions of `paperround subscribers`.

A person is found by POST, and named by number in every URL.
"""

from typing import Annotated, Any

from fastapi import Query, Response

from paperround.access.model import Scope
from paperround.core.errors import InvalidInput
from paperround.core.times import parse_instant
from paperround.digests.plan import Hours
from paperround.digests.resend import resend_digest
from paperround.ops.standing import standing_of
from paperround.ops.timeline import timeline
from paperround.self_service import adding, help_desk
from paperround.subscribers.model import SubscriberId
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.paging import Day, Paging, RowNumber
from paperround.web.people_models import (
    AddedAnswer,
    AddressPart,
    ChangedAnswer,
    ChoiceChanges,
    FoundPeople,
    LeftAnswer,
    MovingAnswer,
    NewPerson,
    PauseBody,
    PersonAnswer,
    PersonHit,
    ResentAnswer,
    TimelineAnswer,
    TimelinePage,
    WholeAddress,
    address_in,
)
from paperround.web.templates import stream_file

PREFIX = "/api/v1/admin/subscribers"

router = keyed_router(
    PREFIX,
    "admin: people",
    reading=Scope.SUBSCRIBERS_READ,
    writing=Scope.SUBSCRIBERS_WRITE,
    asking=("find_people",),
)

OneList = Annotated[
    str | None,
    Query(alias="list", max_length=60, description="One list only. Default: all of theirs."),
]
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}}, "description": "All data about the person"}
}


@router.post("/find", summary="Find people by address")
def find_people(app: App, now: Now, actor: Actor, body: AddressPart) -> FoundPeople:
    """People whose address contains the text, or with an empty text the newest; at most 50. The
    search is audited, without its text."""
    found, more = help_desk.find_people(app.database, body.email, now=now, by=actor)
    return FoundPeople(items=[PersonHit.of(one) for one in found], more=more)


@router.post("", summary="Add a person", status_code=201)
def add_person(
    app: App, now: Now, actor: Actor, body: NewPerson, response: Response
) -> AddedAnswer:
    """Add a person to a list, with their agreement. Their consent is recorded, with who added
    them and when. With `confirm`, they get digests once they use the link in an email."""
    try:
        consent_at = None if body.consent_at is None else parse_instant(body.consent_at)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="consent_at") from None
    number, outcome = adding.add_person(
        app.signup_context,
        address_in(body.email),
        body.list_name,
        ground=body.consent_source,
        consent_at=consent_at,
        confirm=body.confirm,
        choices=body.choices(),
        now=now,
        by=actor,
    )
    response.headers["Location"] = f"{PREFIX}/{number}"
    return AddedAnswer(subscriber=number, outcome=outcome)


@router.get("/{subscriber_id}", summary="Read a person")
def read_person(app: App, now: Now, actor: Actor, subscriber_id: RowNumber) -> PersonAnswer:
    """One person: their choices, whether they get email, and if not, why. It is audited."""
    number, keys = SubscriberId(subscriber_id), app.settings.keys
    record = help_desk.person_record(app.database, number, keys)
    help_desk.note_reading(app.database, number, by=actor, now=now)
    hours = Hours(hour=app.settings.default_hour)
    return PersonAnswer.of(record, standing_of(app.database, record, hours, now=now))


@router.patch("/{subscriber_id}", summary="Change a person's choices")
def change_choices(
    app: App, now: Now, actor: Actor, subscriber_id: RowNumber, body: ChoiceChanges
) -> ChangedAnswer:
    """Change the choices that are given, with the checks of the reader's own page."""
    changed = help_desk.edit_choices(
        app.signup_context,
        SubscriberId(subscriber_id),
        body.choices(),
        list_name=body.list_name,
        now=now,
        by=actor,
    )
    return ChangedAnswer(subscriber=subscriber_id, changed=changed)


@router.post("/{subscriber_id}/pause", summary="Pause a person")
def pause_person(
    app: App, now: Now, actor: Actor, subscriber_id: RowNumber, body: PauseBody
) -> ChangedAnswer:
    """Pause digests until a day, or end a pause."""
    number, name = SubscriberId(subscriber_id), body.list_name
    changed = help_desk.pause_person(
        app.signup_context, number, body.until, list_name=name, now=now, by=actor
    )
    return ChangedAnswer(subscriber=subscriber_id, changed=changed)


@router.post("/{subscriber_id}/unsubscribe", summary="Unsubscribe a person")
def unsubscribe_person(
    app: App, now: Now, actor: Actor, subscriber_id: RowNumber, list_name: OneList = None
) -> LeftAnswer:
    """Unsubscribe a person from one list, or from all. They get an email with an undo link, as if
    they had done it themselves."""
    left = help_desk.unsubscribe_person(
        app.signup_context, SubscriberId(subscriber_id), list_name=list_name, now=now, by=actor
    )
    return LeftAnswer(subscriber=subscriber_id, lists=left)


@router.post(
    "/{subscriber_id}/resend", summary="Resend a confirmation or a digest", status_code=202
)
def resend_confirmation(
    app: App,
    now: Now,
    actor: Actor,
    subscriber_id: RowNumber,
    list_name: OneList = None,
    date: Annotated[
        Day | None, Query(description="Resend the digest of that date instead.")
    ] = None,
) -> ResentAnswer:
    """Resend the confirmation of an unconfirmed sign-up, within the sign-up limits; or with `date`
    a digest with the same papers, once."""
    number = SubscriberId(subscriber_id)
    if date is None:
        name = adding.resend_confirmation(
            app.signup_context, number, list_name=list_name, now=now, by=actor
        )
    else:
        app.settings.require_sender()
        name = resend_digest(
            app.database,
            number,
            date,
            identity=app.identity,
            list_name=list_name,
            now=now,
            by=actor,
        )
        app.wake()
    return ResentAnswer(subscriber=subscriber_id, list=name)


@router.post("/{subscriber_id}/move", summary="Move a person", status_code=202)
def move_person(
    app: App, now: Now, actor: Actor, subscriber_id: RowNumber, body: WholeAddress
) -> MovingAnswer:
    """Email a link to a new address; the address changes once the link is used."""
    number, address = SubscriberId(subscriber_id), address_in(body.email)
    help_desk.move_person(app.signup_context, number, address, now=now, by=actor)
    return MovingAnswer(subscriber=subscriber_id)


@router.get("/{subscriber_id}/timeline", summary="Read a person's timeline")
def read_timeline(
    app: App, now: Now, actor: Actor, subscriber_id: RowNumber, paging: Paging
) -> TimelinePage:
    """Messages and server replies, bounces, complaints, changed choices and used links, newest
    first. It is audited."""
    after = paging.last_id("timeline") or 0
    number = SubscriberId(subscriber_id)
    found = timeline(app.database, number, after=after, limit=paging.rows)
    help_desk.note_reading(app.database, number, by=actor, now=now)
    places = range(after + 1, after + len(found) + 1)
    return TimelinePage(
        items=[TimelineAnswer.of(one) for one in found[: paging.limit]],
        next_cursor=paging.next_cursor("timeline", places),
    )


@router.get("/{subscriber_id}/export", summary="Export a person's data", responses=EXPORTED)
def export_person_data(app: App, now: Now, actor: Actor, subscriber_id: RowNumber) -> Response:
    """All data about a person, as they can export it themselves."""
    number = SubscriberId(subscriber_id)
    pieces = help_desk.export_data(app.signup_context, number, now=now, by=actor)
    return stream_file(pieces, media_type="application/json", name="paperround-data.json")


@router.delete("/{subscriber_id}", summary="Erase a person", status_code=204)
def erase_person_data(
    app: App,
    now: Now,
    actor: Actor,
    subscriber_id: RowNumber,
    suppress: Annotated[
        bool, Query(description="Keep a hash, so that the address is never emailed again.")
    ] = False,
) -> None:
    """Erase a person: address, choices, feedback, and what they were sent. The ledger keeps its
    rows without a name."""
    number = SubscriberId(subscriber_id)
    help_desk.erase_by_number(app.signup_context, number, suppress_too=suppress, now=now, by=actor)
