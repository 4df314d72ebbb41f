"""The admin page of one person: what email they get and why, actions, and their timeline."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import Query, Response

from paperround.core.errors import InvalidInput, RateLimited
from paperround.core.languages import marked
from paperround.core.times import parse_date
from paperround.digests.plan import Hours
from paperround.ops.standing import standing_of
from paperround.ops.timeline import timeline
from paperround.self_service import adding, help_desk
from paperround.signup.magic_links import address_of
from paperround.subscribers.model import GONE, SubscriberId, SubscriberState
from paperround.web.admin.bounces import lift
from paperround.web.admin.deliveries import resend
from paperround.web.admin.forms import FormFields, require_sure, unknown_action
from paperround.web.admin.labels import INTEREST_KINDS
from paperround.web.admin.people import ERASED, PATH, as_invalid
from paperround.web.admin.session import Visit, back_to, operator_router, require_fresh
from paperround.web.paging import PageRequest, Paging, RowNumber
from paperround.web.people_models import address_in
from paperround.web.preferences_form import FREQUENCIES
from paperround.web.templates import stream_file

router = operator_router()

EVENTS = 20
"""Lines of a timeline on a page."""

DONE: Mapping[str, str] = {
    "saved": marked("Saved."),
    "mailed": marked("We emailed them to confirm."),
    "digest": marked("The digest is being resent."),
}
"""What a page says after a form was processed."""

Done = Annotated[str, Query(max_length=20)]


@router.get("/people/{number}")
def show_person(visit: Visit, number: RowNumber, paging: Paging, done: Done = "") -> Response:
    """Show what email a person gets, or why they get none, and their timeline, newest first. It is
    audited."""
    page = _person_page(visit, SubscriberId(number), paging, done=done)
    help_desk.note_reading(visit.database, SubscriberId(number), by=visit.by, now=visit.now)
    return page


def _person_page(
    visit: Visit,
    number: SubscriberId,
    paging: PageRequest,
    *,
    typed: Mapping[str, str] | None = None,
    error: InvalidInput | None = None,
    done: str = "",
) -> Response:
    record = help_desk.person_record(visit.database, number, visit.app.settings.keys)
    hours = Hours(hour=visit.app.settings.default_hour)
    after = paging.last_id("timeline") or 0
    events = timeline(visit.database, number, after=after, limit=EVENTS + 1)
    places = range(after + 1, after + len(events) + 1)
    states = [one.state for _, one in record.subscriptions]
    return visit.page(
        "person.html",
        record=record,
        hours=hours,
        says=standing_of(visit.database, record, hours, now=visit.now),
        active=[
            mailing_list.name
            for mailing_list, one in record.subscriptions
            if one.state is SubscriberState.ACTIVE
        ],
        waits=SubscriberState.PENDING in states,
        may_resume=set(record.suppressions) == {GONE},
        frequencies=FREQUENCIES,
        interest_kinds=INTEREST_KINDS,
        events=events[:EVENTS],
        next_cursor=PageRequest(EVENTS, None).next_cursor("timeline", places),
        typed=typed or {},
        error=error,
        done=DONE.get(done, ""),
    )


@router.post("/people/{number}")
def act(visit: Visit, number: RowNumber, paging: Paging, form: FormFields) -> Response:
    """Run the action of the button pressed."""
    person = SubscriberId(number)
    try:
        if form.get("action") in ("export", "erase"):
            require_fresh(visit.request)
        if form.get("action") == "export":
            pieces = help_desk.export_data(
                visit.app.signup_context, person, now=visit.now, by=visit.by
            )
            return stream_file(pieces, media_type="application/json", name="paperround-data.json")
        done = _change(visit, person, form)
    except (InvalidInput, RateLimited) as error:
        return _person_page(visit, person, paging, typed=form, error=as_invalid(error))
    return back_to(f"{PATH}?done={done}" if done == ERASED else f"{PATH}/{person}?done={done}")


def _change(visit: Visit, person: SubscriberId, form: Mapping[str, str]) -> str:
    """Do what the button says, for one list or all of the person's lists; return the name of the
    message in DONE."""
    context, now, by = visit.app.signup_context, visit.now, visit.by
    list_name = form.get("list") or None
    match form.get("action"):
        case "pause" | "go-on" as action:
            until = _day(form, "until") if action == "pause" else None
            help_desk.pause_person(context, person, until, list_name=list_name, now=now, by=by)
        case "unsubscribe":
            help_desk.unsubscribe_person(context, person, list_name=list_name, now=now, by=by)
        case "resend":
            adding.resend_confirmation(context, person, now=now, by=by)
            return "mailed"
        case "send-again":
            resend(visit, person, _day(form, "date"), list_name)
            return "digest"
        case _:
            return _change_person(visit, person, form)
    return "saved"


def _change_person(visit: Visit, person: SubscriberId, form: Mapping[str, str]) -> str:
    """Do what the button says, for all of the person's lists."""
    context, now, by = visit.app.signup_context, visit.now, visit.by
    match form.get("action"):
        case "move":
            address, at_once = address_in(form.get("email", "")), "unconfirmed" in form
            help_desk.move_person(context, person, address, unconfirmed=at_once, now=now, by=by)
            return "saved" if at_once else "mailed"
        case "lift":
            with visit.database.reading() as work:
                address = address_of(help_desk.require_person(work, person))
            lift(visit, address, form)
        case "erase":
            require_sure(form)
            suppress_too = "suppress" in form
            help_desk.erase_by_number(context, person, suppress_too=suppress_too, now=now, by=by)
            return ERASED
        case _:
            raise unknown_action()
    return "saved"


def _day(form: Mapping[str, str], field: str) -> date:
    try:
        return parse_date(form.get(field, ""))
    except InvalidInput as error:
        raise InvalidInput(error.text, code=field) from None
