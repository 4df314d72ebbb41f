"""Admin pages of a list's sending: why nothing was sent, missed digests, a test email, a pause."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import Request, Response

from paperround.bootstrap import AppContext
from paperround.core.errors import Conflict, InvalidInput, Misconfigured, NotFound
from paperround.core.times import local_date
from paperround.delivery.status import redact_addresses
from paperround.delivery.system_mail_model import Notice
from paperround.digests.cancel import pause, resume
from paperround.digests.plan import Hours
from paperround.digests.resend import Missed, missed, send_missed
from paperround.editions.lists import MANUAL_CUT
from paperround.editions.store.lists import ListStore
from paperround.ops.why import RecordedReason, why
from paperround.self_service.preview import send_test
from paperround.subscribers.addresses import parse_address
from paperround.web.admin.forms import (
    DayFilter,
    Filter,
    FormFields,
    parse_day,
    parse_subscriber,
    require_sure,
    unknown_action,
)
from paperround.web.admin.session import Operator, admin_page, back_to, operator_router
from paperround.web.admin_editions import ListName
from paperround.web.context import App, Now

router = operator_router()


@router.get("/lists/{name}/why")
def show_why(
    app: App,
    now: Now,
    request: Request,
    name: ListName,
    day: DayFilter = "",
    subscriber: Filter = "",
) -> Response:
    """Explain in sentences why nothing, or not everything, was sent on a date."""
    error, reasons = None, list[RecordedReason]()
    with app.database.reading() as work:
        mailing_list = work[ListStore].get(name)
    try:
        reasons = why(
            app.database,
            name,
            hours=Hours(hour=app.settings.default_hour),
            now=now,
            day=parse_day(day),
            person=parse_subscriber(subscriber),
            pacing=app.settings.pacing,
        )
    except InvalidInput as problem:
        error = problem
    except NotFound as problem:
        error = InvalidInput(problem.text, code="subscriber")
    return admin_page(
        request,
        "why.html",
        status=422 if error else 200,
        mailing_list=mailing_list,
        reasons=reasons,
        today=local_date(now, mailing_list.zone),
        asked={"date": day, "subscriber": subscriber},
        error=error,
    )


# --- sending -------------------------------------------------------------------------------------


@router.get("/lists/{name}/send")
def show_sending(
    app: App,
    now: Now,
    request: Request,
    name: ListName,
    day: DayFilter = "",
    unknown: Filter = "",
) -> Response:
    """Show the digests of a date that did not arrive, and the forms for sending."""
    asked = {"date": day, "unknown": unknown}
    return _sending_page(app, now, request, name, asked=asked)


def _sending_page(
    app: AppContext,
    now: datetime,
    request: Request,
    name: str,
    *,
    asked: Mapping[str, str],
    error: InvalidInput | None = None,
    tested: Notice | None = None,
) -> Response:
    with app.database.reading() as work:
        mailing_list = work[ListStore].get(name)
    found = None
    if mailing_list.archived_at is None:
        try:
            found = _missed(app, now, name, asked)
        except InvalidInput as problem:
            error = error or problem
    return admin_page(
        request,
        "sending.html",
        status=422 if error else 200,
        mailing_list=mailing_list,
        today=local_date(now, mailing_list.zone),
        by_hand=MANUAL_CUT,
        missed=found,
        tested=tested,
        reply=redact_addresses(tested.reply) if tested else None,
        asked=asked,
        error=error,
    )


def _missed(app: AppContext, now: datetime, name: str, asked: Mapping[str, str]) -> Missed:
    day, is_unknown = parse_day(asked.get("date", "")), bool(asked.get("unknown"))
    return missed(app.database, name, day=day, now=now, include_unknown=is_unknown)


@router.post("/lists/{name}/send")
def act(
    app: App, now: Now, by: Operator, request: Request, name: ListName, form: FormFields
) -> Response:
    """Pause or resume a list, send missed digests, or send a test email."""
    tested, path = None, f"/admin/lists/{name}/send"
    try:
        match form.get("action"):
            case "pause":
                pause(app.database, name, now=now, by=by)
            case "resume":
                if resume(app.database, name, now=now, by=by):
                    app.wake()
            case "missed":
                require_sure(form)
                found = _send_missed(app, now, name, form, by=by)
                path = f"{path}?date={found.day}" + ("&unknown=yes" if form.get("unknown") else "")
            case "test":
                to = parse_address(form.get("to", ""))
                tested = send_test(app.post(), app.identity, to, name, now=now, by=by)
            case _:
                raise unknown_action()
    except (InvalidInput, Conflict, Misconfigured) as problem:
        named = problem.code if isinstance(problem, InvalidInput) else ""
        code = named if named in ("sure", "date", "action") else form["action"]
        error = InvalidInput(problem.text, code=code)
        return _sending_page(app, now, request, name, asked=form, error=error)
    if tested is not None:  # its address must not be in a path
        return _sending_page(app, now, request, name, asked={}, tested=tested)
    return back_to(path)


def _send_missed(
    app: AppContext, now: datetime, name: str, form: Mapping[str, str], *, by: str
) -> Missed:
    app.settings.require_sender()
    found = send_missed(
        app.database,
        name,
        identity=app.identity,
        day=parse_day(form.get("date", "")),
        now=now,
        include_unknown=bool(form.get("unknown")),
        personal_ranking=app.personal_ranking,
        by=by,
    )
    app.wake()
    return found
