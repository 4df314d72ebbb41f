"""Admin pages of bounces and complaints, the quarantine, and suppressions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response

from paperround.bootstrap import AppContext
from paperround.bounces.redact import redacted_report
from paperround.bounces.store import ReturnStore
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.self_service.suppressions import (
    add_suppression,
    find_suppression,
    lift_suppression,
)
from paperround.subscribers.model import GONE, Address, SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.admin.forms import FormFields, unknown_action
from paperround.web.admin.session import Operator, admin_page, back_to, operator_router
from paperround.web.context import App, Now
from paperround.web.paging import MAX_ROW_ID, PageRequest, Paging, RowNumber
from paperround.web.people_models import address_in

router = operator_router()

SUPPRESSIONS = "/admin/suppressions"
WAITING = 20
"""Messages in quarantine on the page."""

DONE: Mapping[str, str] = {
    "added": marked("The address is suppressed."),
    "was": marked("Nothing to change."),
    "lifted": marked("The suppression is lifted."),
}
"""What the page of suppressions says after a form was processed."""


# --- bounces -------------------------------------------------------------------------------------


@router.get("/bounces")
def list_bounces(
    app: App,
    request: Request,
    paging: Paging,
    subscriber: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
) -> Response:
    """Show bounces and complaints, newest first, of everybody or one person, and the quarantine."""
    person = None if subscriber is None else SubscriberId(subscriber)
    before = paging.last_id("bounces")
    with app.database.reading() as work:
        found = work[ReturnStore].events(person, before=before, limit=paging.rows)
        waiting = work[ReturnStore].waiting(limit=WAITING) if person is None else []
    return admin_page(
        request,
        "bounces.html",
        found=found[: paging.limit],
        next_cursor=paging.next_cursor("bounces", [one.id for one in found]),
        asked={"subscriber": subscriber},
        waiting=waiting,
    )


@router.get("/bounces/quarantine/{number}")
def show_quarantined(app: App, request: Request, number: RowNumber) -> Response:
    """Show a message in quarantine as text, without addresses."""
    text = redacted_report(app.database, number)
    return admin_page(request, "quarantined.html", number=number, text=text)


# --- suppressions --------------------------------------------------------------------------------


@router.get("/suppressions")
def list_suppressions(app: App, request: Request, paging: Paging, done: str = "") -> Response:
    """Show the search, and every suppression by the start of its hash."""
    return _suppressions_page(app, request, paging, {}, done=DONE.get(done, ""))


@router.post("/suppressions")
def act(
    app: App, now: Now, by: Operator, request: Request, paging: Paging, form: FormFields
) -> Response:
    """Look an address up, suppress it, or lift its suppression."""
    try:
        address = address_in(form.get("email", ""))
        if form.get("action") == "find":
            found = find_suppression(app.database, app.settings.keys, address, now=now, by=by)
            return _suppressions_page(app, request, paging, form, found=found)
        return back_to(f"{SUPPRESSIONS}?done={_change(app, now, by, address, form)}")
    except InvalidInput as error:
        return _suppressions_page(app, request, paging, form, error=error)


def _change(
    app: AppContext, now: datetime, by: str, address: Address, form: Mapping[str, str]
) -> str:
    """Do what the button says; return the name of the message in DONE."""
    database, keys, reason = app.database, app.settings.keys, form.get("reason", "")
    if form.get("action") == "add":
        changed = add_suppression(database, keys, address, reason=reason, now=now, by=by)
        return "added" if changed else "was"
    if form.get("action") == "lift":
        resume = "resume" in form
        changed = lift_suppression(
            database, keys, address, reason=reason, resume=resume, now=now, by=by
        )
        return "lifted" if changed else "was"
    raise unknown_action()


def _suppressions_page(
    app: AppContext,
    request: Request,
    paging: PageRequest,
    form: Mapping[str, str],
    *,
    found: tuple[SubscriberId | None, Mapping[str, datetime]] | None = None,
    error: InvalidInput | None = None,
    done: str = "",
) -> Response:
    after = paging.last_id("suppressions") or 0
    with app.database.reading() as work:
        known = work[SubscriberStore].suppressions(after=after, limit=paging.rows)
    places = range(after + 1, after + len(known) + 1)
    person, reasons = found or (None, {})
    return admin_page(
        request,
        "suppressions.html",
        status=422 if error else 200,
        known=known[: paging.limit],
        next_cursor=paging.next_cursor("suppressions", places),
        form=form,
        is_found=found is not None,
        person=person,
        reasons=reasons,
        may_resume=set(reasons) == {GONE},
        error=error,
        done=done,
    )
