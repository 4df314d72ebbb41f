"""Admin pages of bounces and complaints, the quarantine, and suppressions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query, Response

from paperround.bounces.redact import redacted_report
from paperround.bounces.store import ReturnStore
from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.self_service.suppressions import add_suppression, find_suppression, lift_suppression
from paperround.subscribers.model import GONE, Address, SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.admin.forms import FormFields, unknown_action
from paperround.web.admin.session import Visit, back_to, operator_router
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
    visit: Visit,
    paging: Paging,
    subscriber: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
) -> Response:
    """Show bounces and complaints, newest first, of everybody or one person, and the quarantine."""
    person = None if subscriber is None else SubscriberId(subscriber)
    before = paging.last_id("bounces")
    with visit.database.reading() as work:
        found = work[ReturnStore].events(person, before=before, limit=paging.rows)
        waiting = work[ReturnStore].waiting(limit=WAITING) if person is None else []
    return visit.page(
        "bounces.html",
        found=found[: paging.limit],
        next_cursor=paging.next_cursor("bounces", [one.id for one in found]),
        asked={"subscriber": subscriber},
        waiting=waiting,
    )


@router.get("/bounces/quarantine/{number}")
def show_quarantined(visit: Visit, number: RowNumber) -> Response:
    """Show a message in quarantine as text, without addresses."""
    text = redacted_report(visit.database, number)
    return visit.page("quarantined.html", number=number, text=text)


# --- suppressions --------------------------------------------------------------------------------


@router.get("/suppressions")
def list_suppressions(visit: Visit, paging: Paging, done: str = "") -> Response:
    """Show the search, and every suppression by the start of its hash."""
    return _suppressions_page(visit, paging, {}, done=DONE.get(done, ""))


@router.post("/suppressions")
def act(visit: Visit, paging: Paging, form: FormFields) -> Response:
    """Look an address up, suppress it, or lift its suppression."""
    try:
        address = address_in(form.get("email", ""))
        if form.get("action") == "find":
            found = find_suppression(
                visit.database, visit.app.settings.keys, address, now=visit.now, by=visit.by
            )
            return _suppressions_page(visit, paging, form, found=found)
        return back_to(f"{SUPPRESSIONS}?done={_change(visit, address, form)}")
    except InvalidInput as error:
        return _suppressions_page(visit, paging, form, error=error)


def _change(visit: Visit, address: Address, form: Mapping[str, str]) -> str:
    """Do what the button says; return the name of the message in DONE."""
    match form.get("action"):
        case "add":
            database, keys, reason = visit.database, visit.app.settings.keys, form.get("reason", "")
            changed = add_suppression(
                database, keys, address, reason=reason, now=visit.now, by=visit.by
            )
            return "added" if changed else "was"
        case "lift":
            return "lifted" if lift(visit, address, form) else "was"
    raise unknown_action()


def lift(visit: Visit, address: Address, form: Mapping[str, str]) -> bool:
    """Lift the suppression of an address; return whether there was one."""
    return lift_suppression(
        visit.database,
        visit.app.settings.keys,
        address,
        reason=form.get("reason", ""),
        resume="resume" in form,
        now=visit.now,
        by=visit.by,
    )


def _suppressions_page(
    visit: Visit,
    paging: PageRequest,
    form: Mapping[str, str],
    *,
    found: tuple[SubscriberId | None, Mapping[str, datetime]] | None = None,
    error: InvalidInput | None = None,
    done: str = "",
) -> Response:
    after = paging.last_id("suppressions") or 0
    with visit.database.reading() as work:
        known = work[SubscriberStore].suppressions(after=after, limit=paging.rows)
    places = range(after + 1, after + len(known) + 1)
    person, reasons = found or (None, {})
    return visit.page(
        "suppressions.html",
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
