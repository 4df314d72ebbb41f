"""The admin page of one person: what email they get and why, actions, and their timeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Query, Request, Response

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, RateLimited
from paperround.core.languages import marked
from paperround.core.times import parse_date
from paperround.digests.plan import Hours
from paperround.digests.resend import resend_digest
from paperround.ops.standing import standing_of
from paperround.ops.timeline import timeline
from paperround.self_service import adding, help_desk, suppressions
from paperround.signup.magic_links import address_of
from paperround.subscribers.model import GONE, SubscriberId, SubscriberState
from paperround.web.admin.forms import FormFields, require_sure, unknown_action
from paperround.web.admin.labels import INTEREST_KINDS
from paperround.web.admin.people import ERASED, PATH, as_invalid
from paperround.web.admin.session import Operator, admin_page, back_to, operator_router
from paperround.web.context import App, Now
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
def show_person(
    app: App,
    now: Now,
    by: Operator,
    request: Request,
    number: RowNumber,
    paging: Paging,
    done: Done = "",
) -> Response:
    """Show what email a person gets, or why they get none, and their timeline, newest first. It is
    audited."""
    page = _person_page(app, now, request, SubscriberId(number), paging, done=done)
    help_desk.note_reading(app.database, SubscriberId(number), by=by, now=now)
    return page


def _person_page(
    app: AppContext,
    now: datetime,
    request: Request,
    number: SubscriberId,
    paging: PageRequest,
    *,
    typed: Mapping[str, str] | None = None,
    error: InvalidInput | None = None,
    done: str = "",
) -> Response:
    record = help_desk.person_record(app.database, number, app.settings.keys)
    hours = Hours(hour=app.settings.default_hour)
    after = paging.last_id("timeline") or 0
    events = timeline(app.database, number, after=after, limit=EVENTS + 1)
    places = range(after + 1, after + len(events) + 1)
    states = [one.state for _, one in record.subscriptions]
    return admin_page(
        request,
        "person.html",
        status=422 if error else 200,
        record=record,
        hours=hours,
        says=standing_of(app.database, record, hours, now=now),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """An operator's action for a person, with the fields of the form."""

    app: AppContext
    now: datetime
    by: str
    number: SubscriberId
    form: Mapping[str, str]

    @property
    def list_name(self) -> str | None:
        """The list to act on, None for all of the person's lists."""
        return self.form.get("list") or None

    def back(self, done: str = "saved") -> Response:
        """Return to the page of the person."""
        return back_to(f"{PATH}/{self.number}?done={done}")


@router.post("/people/{number}")
def act(
    app: App,
    now: Now,
    by: Operator,
    request: Request,
    number: RowNumber,
    paging: Paging,
    form: FormFields,
) -> Response:
    """Run the action of the button pressed."""
    person = SubscriberId(number)
    one = _Action(app=app, now=now, by=by, number=person, form=form)
    try:
        action = _ACTIONS.get(form.get("action", ""))
        if action is None:
            raise unknown_action()
        return action(one)
    except (InvalidInput, RateLimited) as error:
        shown = as_invalid(error)
        return _person_page(app, now, request, person, paging, typed=form, error=shown)


def _pause(one: _Action) -> Response:
    until = _day(one, "until") if one.form.get("action") == "pause" else None
    help_desk.pause_person(
        one.app.signup_context, one.number, until, list_name=one.list_name, now=one.now, by=one.by
    )
    return one.back()


def _day(one: _Action, field: str) -> date:
    try:
        return parse_date(one.form.get(field, ""))
    except InvalidInput as error:
        raise InvalidInput(error.text, code=field) from None


def _send_again(one: _Action) -> Response:
    one.app.settings.require_sender()
    resend_digest(
        one.app.database,
        one.number,
        _day(one, "date"),
        identity=one.app.identity,
        list_name=one.list_name,
        now=one.now,
        by=one.by,
    )
    one.app.wake()
    return one.back("digest")


def _unsubscribe(one: _Action) -> Response:
    help_desk.unsubscribe_person(
        one.app.signup_context, one.number, list_name=one.list_name, now=one.now, by=one.by
    )
    return one.back()


def _resend(one: _Action) -> Response:
    adding.resend_confirmation(one.app.signup_context, one.number, now=one.now, by=one.by)
    return one.back("mailed")


def _move(one: _Action) -> Response:
    at_once = "unconfirmed" in one.form
    help_desk.move_person(
        one.app.signup_context,
        one.number,
        address_in(one.form.get("email", "")),
        unconfirmed=at_once,
        now=one.now,
        by=one.by,
    )
    return one.back("saved" if at_once else "mailed")


def _lift(one: _Action) -> Response:
    settings, database = one.app.settings, one.app.database
    with database.reading() as work:
        address = address_of(help_desk.require_person(work, one.number))
    suppressions.lift_suppression(
        database,
        settings.keys,
        address,
        reason=one.form.get("reason", ""),
        resume="resume" in one.form,
        now=one.now,
        by=one.by,
    )
    return one.back()


def _export(one: _Action) -> Response:
    pieces = help_desk.export_data(one.app.signup_context, one.number, now=one.now, by=one.by)
    return stream_file(pieces, media_type="application/json", name="paperround-data.json")


def _erase(one: _Action) -> Response:
    require_sure(one.form)
    help_desk.erase_by_number(
        one.app.signup_context,
        one.number,
        suppress_too="suppress" in one.form,
        now=one.now,
        by=one.by,
    )
    return back_to(f"{PATH}?done={ERASED}")


_ACTIONS: Mapping[str, Callable[[_Action], Response]] = {
    "pause": _pause,
    "go-on": _pause,
    "unsubscribe": _unsubscribe,
    "resend": _resend,
    "send-again": _send_again,
    "move": _move,
    "lift": _lift,
    "export": _export,
    "erase": _erase,
}
