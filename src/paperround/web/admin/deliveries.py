"""Admin pages of the ledger: every digest, and one of them."""

from datetime import date
from typing import Annotated

from fastapi import Query, Response

from paperround.core.errors import InvalidInput, NotFound
from paperround.core.languages import marked
from paperround.db.transactions import Transaction
from paperround.delivery.status import DeliveryEntry, DeliveryQuery, redact_addresses
from paperround.delivery.store.status import StatusStore
from paperround.digests.resend import resend_digest
from paperround.editions.model import DeliveryState, DigestKind, EditionId
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberId
from paperround.web.admin.forms import (
    DayFilter,
    Filter,
    FormFields,
    ListFilter,
    parse_day,
    parse_subscriber,
    require_sure,
)
from paperround.web.admin.session import Visit, back_to, operator_router
from paperround.web.paging import MAX_ROW_ID, Paging, RowNumber

router = operator_router()


@router.get("/deliveries")
def list_deliveries(
    visit: Visit,
    paging: Paging,
    list_name: ListFilter = "",
    day: DayFilter = "",
    state: Filter = "",
    subscriber: Filter = "",
    edition: Annotated[int | None, Query(ge=1, le=MAX_ROW_ID)] = None,
) -> Response:
    """Show rows of the ledger, newest first. An empty filter matches all; `edition` is set by
    links."""
    asked = {"list": list_name, "date": day, "state": state, "subscriber": subscriber}
    asked |= {"edition": "" if edition is None else str(edition)}
    error, found = None, []
    with visit.database.reading() as work:
        lists = [one.name for one in work[ListStore].all()]
        try:
            wanted = _query(work, list_name, edition, day, state, subscriber)
        except InvalidInput as problem:
            error = problem
        else:
            before = paging.last_id("deliveries")
            found = work[StatusStore].deliveries(wanted, before=before, limit=paging.rows)
    return visit.page(
        "deliveries.html",
        found=found[: paging.limit],
        next_cursor=paging.next_cursor("deliveries", [one.id for one in found]),
        asked=asked,
        lists=lists,
        error=error,
    )


def _query(
    work: Transaction, list_name: str, edition: int | None, day: str, state: str, subscriber: str
) -> DeliveryQuery:
    """Return the filter. Raises InvalidInput, its code the field, and NotFound for a list."""
    if state and state not in [*DeliveryState]:
        raise InvalidInput(marked("Unknown state."), code="state")
    return DeliveryQuery(
        list_id=work[ListStore].get(list_name).id if list_name else None,
        edition_id=None if edition is None else EditionId(edition),
        local_date=parse_day(day),
        state=DeliveryState(state) if state else None,
        subscriber_id=parse_subscriber(subscriber),
    )


@router.get("/deliveries/{delivery_id}")
def show_delivery(visit: Visit, delivery_id: RowNumber) -> Response:
    """Show one digest: its papers, when it was sent, and the mail server's reply."""
    return _delivery_page(visit, delivery_id)


def _delivery_page(visit: Visit, number: int, *, error: InvalidInput | None = None) -> Response:
    with visit.database.reading() as work:
        entry = _entry(work, number)
        edition = work[EditionStore].get(entry.edition_id)
    titles = {paper.position: paper for paper in edition.all_papers}
    papers = [titles[position] for position in entry.positions]
    reply = redact_addresses(entry.reply) or ""
    return visit.page(
        "delivery.html",
        entry=entry,
        papers=papers,
        reply=reply,
        may_resend=entry.is_person and entry.kind == DigestKind.DIGEST and bool(papers),
        error=error,
    )


@router.post("/deliveries/{delivery_id}")
def send_again(visit: Visit, delivery_id: RowNumber, form: FormFields) -> Response:
    """Send the digest again to its reader, with the same papers."""
    with visit.database.reading() as work:
        entry = _entry(work, delivery_id)
    try:
        require_sure(form)
        resend(visit, entry.subscriber_id, entry.local_date, entry.list_name)
    except InvalidInput as error:
        return _delivery_page(visit, delivery_id, error=error)
    return back_to(f"/admin/people/{entry.subscriber_id}?done=digest")


def resend(visit: Visit, person: SubscriberId, day: date, list_name: str | None) -> None:
    """Send the digest of a date again. Raises Misconfigured, NotFound and InvalidInput."""
    app = visit.app
    app.settings.require_sender()
    resend_digest(
        app.database,
        person,
        day,
        identity=app.identity,
        list_name=list_name,
        now=visit.now,
        by=visit.by,
    )
    app.wake()


def _entry(work: Transaction, number: int) -> DeliveryEntry:
    """Return the delivery with this number. Raises NotFound."""
    before = min(number + 1, MAX_ROW_ID)
    for entry in work[StatusStore].deliveries(DeliveryQuery(), before=before, limit=1):
        if entry.id == number:
            return entry
    raise NotFound(marked("Delivery not found."))
