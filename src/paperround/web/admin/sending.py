"""Admin pages of a list's sending: why nothing was sent, missed digests, a test email, a pause."""

from collections.abc import Mapping

from fastapi import Response

from paperround.core.errors import Conflict, InvalidInput, Misconfigured, NotFound, RateLimited
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
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.admin_editions import ListName

router = operator_router()


@router.get("/lists/{name}/why")
def show_why(
    visit: Visit, name: ListName, day: DayFilter = "", subscriber: Filter = ""
) -> Response:
    """Explain in sentences why nothing, or not everything, was sent on a date."""
    error, reasons = None, list[RecordedReason]()
    with visit.database.reading() as work:
        mailing_list = work[ListStore].get(name)
    try:
        reasons = why(
            visit.database,
            name,
            hours=Hours(hour=visit.app.settings.default_hour),
            now=visit.now,
            day=parse_day(day),
            person=parse_subscriber(subscriber),
            pacing=visit.app.settings.pacing,
        )
    except InvalidInput as problem:
        error = problem
    except NotFound as problem:
        error = InvalidInput(problem.text, code="subscriber")
    return visit.page(
        "why.html",
        mailing_list=mailing_list,
        reasons=reasons,
        today=local_date(visit.now, mailing_list.zone),
        asked={"date": day, "subscriber": subscriber},
        error=error,
    )


# --- sending -------------------------------------------------------------------------------------


@router.get("/lists/{name}/send")
def show_sending(
    visit: Visit, name: ListName, day: DayFilter = "", unknown: Filter = ""
) -> Response:
    """Show the digests of a date that did not arrive, and the forms for sending."""
    asked = {"date": day, "unknown": unknown}
    return _sending_page(visit, name, asked=asked)


def _sending_page(
    visit: Visit,
    name: str,
    *,
    asked: Mapping[str, str],
    error: InvalidInput | None = None,
    tested: Notice | None = None,
) -> Response:
    with visit.database.reading() as work:
        mailing_list = work[ListStore].get(name)
    found = None
    if mailing_list.archived_at is None:
        try:
            day, is_unknown = parse_day(asked.get("date", "")), bool(asked.get("unknown"))
            found = missed(visit.database, name, day=day, now=visit.now, include_unknown=is_unknown)
        except InvalidInput as problem:
            error = error or problem
    return visit.page(
        "sending.html",
        mailing_list=mailing_list,
        today=local_date(visit.now, mailing_list.zone),
        by_hand=MANUAL_CUT,
        missed=found,
        tested=tested,
        reply=redact_addresses(tested.reply) if tested else None,
        asked=asked,
        error=error,
    )


@router.post("/lists/{name}/send")
def act(visit: Visit, name: ListName, form: FormFields) -> Response:
    """Pause or resume a list, send missed digests, or send a test email."""
    tested, path = None, f"/admin/lists/{name}/send"
    try:
        match form.get("action"):
            case "pause":
                pause(visit.database, name, now=visit.now, by=visit.by)
            case "resume":
                if resume(visit.database, name, now=visit.now, by=visit.by):
                    visit.app.wake()
            case "missed":
                require_sure(form)
                found = _send_missed(visit, name, form)
                path = f"{path}?date={found.day}" + ("&unknown=yes" if form.get("unknown") else "")
            case "test":
                to = parse_address(form.get("to", ""))
                tested = send_test(
                    visit.app.post(), visit.app.identity, to, name, now=visit.now, by=visit.by
                )
            case _:
                raise unknown_action()
    except (InvalidInput, Conflict, Misconfigured, RateLimited) as problem:
        named = problem.code if isinstance(problem, InvalidInput) else ""
        code = named if named in ("sure", "date", "action") else form["action"]
        error = InvalidInput(problem.text, code=code)
        return _sending_page(visit, name, asked=form, error=error)
    if tested is not None:  # its address must not be in a path
        return _sending_page(visit, name, asked={}, tested=tested)
    return back_to(path)


def _send_missed(visit: Visit, name: str, form: Mapping[str, str]) -> Missed:
    app = visit.app
    app.settings.require_sender()
    found = send_missed(
        app.database,
        name,
        identity=app.identity,
        day=parse_day(form.get("date", "")),
        now=visit.now,
        include_unknown=bool(form.get("unknown")),
        personal_ranking=app.personal_ranking,
        by=visit.by,
    )
    app.wake()
    return found
