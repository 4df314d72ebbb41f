"""Convert deliveries to and from rows, and define their ledger table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    literal,
    not_,
    or_,
    select,
)

from paperround.core.i18n.localize import english_reason
from paperround.core.languages import ENGLISH
from paperround.db.dialect import column_in
from paperround.db.driver import map_by_identity
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.delivery.ledger_model import (
    Claimed,
    DeliveryContent,
    NewDelivery,
    parts_by_position,
)
from paperround.delivery.model import Lease
from paperround.delivery.store.claim_statements import waiting
from paperround.delivery.store.claims import RELEASED, LedgerTable
from paperround.editions.model import (
    DigestKind,
    EditionState,
    JournalClub,
    NewPapers,
    RisenPaper,
    SkipReason,
    Withdrawal,
)
from paperround.papers.model import PaperId
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.mapping import EMAIL


def delivery_columns(rows: Sequence[NewDelivery]) -> dict[str, Sequence[Any]]:
    """Return the columns of planned rows, without their ids, edition, list and creation time.

    Readers who get the same papers share positions, reasons and parts, so each is serialized once.
    """
    none_yet = [0] * len(rows)
    due = [row.due_at for row in rows]
    reasons = [row.reasons or None for row in rows]
    return {
        "subscriber_id": [row.subscriber_id for row in rows],
        "subscription_id": [row.subscription_id for row in rows],
        "kind": [row.kind.value for row in rows],
        "local_date": [row.local_date for row in rows],
        "positions": map_by_identity(_positions, [row.papers for row in rows]),
        "reasons": map_by_identity(_english, reasons),
        "reason_codes": map_by_identity(_codes, reasons),
        "parts": [row.parts or None for row in rows],
        "withdrawn": [
            [{"paper": one.paper_id, "title": one.title, "page": one.page} for one in row.withdrawn]
            or None
            for row in rows
        ],
        "club": [row.club and columns_of(row.club) for row in rows],
        "new_papers": map_by_identity(_counted, [row.new_papers for row in rows]),
        "risen": map_by_identity(_risen, [row.risen for row in rows]),
        "next_titles": [len(row.next_papers) or None for row in rows],
        "next_papers": [row.next_papers or None for row in rows],
        "language": [None if row.language == ENGLISH else row.language for row in rows],
        "state": [row.state.value for row in rows],
        "reason": [row.reason for row in rows],
        "due_at": due,
        "next_at": due,
        "expires_at": [row.expires_at for row in rows],
        "attempts": none_yet,
        "breakdowns": none_yet,
        "message_id": [row.message_id for row in rows],
        "dated": [row.dated for row in rows],
        "key_id": [row.key_id for row in rows],
        "nonce": [row.nonce for row in rows],
    }


def _positions(papers: Sequence[tuple[PaperId, int]]) -> list[int]:
    return [position for _, position in papers]


def _codes(reasons: Mapping[int, str] | None) -> Mapping[str, str] | None:
    if reasons is None:
        return None
    return {str(position): why for position, why in reasons.items()}


def _english(reasons: Mapping[int, str] | None) -> Mapping[str, str] | None:
    if reasons is None:
        return None
    return {str(position): english_reason(why) for position, why in reasons.items()}


def _counted(new_papers: NewPapers | None) -> Mapping[str, int] | None:
    return None if new_papers is None else asdict(new_papers)


def _risen(papers: Sequence[RisenPaper]) -> list[dict[str, Any]] | None:
    return [asdict(one) for one in papers] or None


def content_of_row(row: Row[Any]) -> DeliveryContent:
    """Return the content of a row's email; the address is empty after an erasure."""
    return value_of(DeliveryContent, row, **_content_fields(row))


def _content_fields(row: Row[Any]) -> dict[str, Any]:
    """Return the fields that differ from their columns."""
    reasons = row.reason_codes or row.reasons or {}
    return {
        "row": row.id,
        "address": row.address or "",
        "positions": tuple(row.positions),
        "reasons": {int(position): why for position, why in reasons.items()},
        "parts": parts_by_position(row.positions, row.parts or {}),
        "withdrawn": tuple(
            Withdrawal(paper_id=PaperId(one["paper"]), title=one["title"], page=one["page"])
            for one in row.withdrawn or ()
        ),
        "club": row.club and JournalClub(**row.club),
        "new_papers": NewPapers(**row.new_papers) if row.new_papers else None,
        "risen": tuple(RisenPaper(**one) for one in row.risen or ()),
        "next_papers": tuple(row.next_papers or ()),
        "language": row.language or ENGLISH,
    }


def claimed_delivery_of(row: Row[Any], lease: Lease) -> Claimed:
    """Return the claimed delivery of a row under `lease`."""
    others = {"kind": DigestKind(row.kind), "lease": lease, "taken": 0}
    return value_of(Claimed, row, **_content_fields(row), **others)


def _why_not(row: Row[Any]) -> SkipReason | None:
    withdrawn = row.edition_state == EditionState.CANCELLED
    if withdrawn and row.kind != DigestKind.REPLACEMENT:
        return SkipReason.CANCELLED
    if row.person_state == SubscriberState.SUPPRESSED:
        return SkipReason.SUPPRESSED
    if row.is_paused:
        return SkipReason.PAUSED
    active = row.person_state == row.subscription_state == SubscriberState.ACTIVE
    return None if active and row.address else SkipReason.UNSUBSCRIBED


def release_papers(connection: Connection, ids: Collection[int]) -> None:
    """Delete the records of papers and withdrawals of those of `ids` that ended without reaching
    their recipient."""
    ended = select(db.deliveries.c.id).where(
        column_in(connection, db.deliveries.c.id, ids), db.deliveries.c.state.in_(RELEASED)
    )
    for table in (db.sent_papers, db.told_withdrawals):
        connection.execute(delete(table).where(table.c.delivery_id.in_(ended)))


_SENDS = (db.lists.c.paused_at.is_(None), db.lists.c.archived_at.is_(None))
"""The conditions that a list sends its digests."""


_NOT_PAUSED = or_(
    db.deliveries.c.kind == DigestKind.REPLACEMENT.value,  # checked when it was requested
    db.subscribers.c.kind != EMAIL,  # posts of a paused channel wait
    db.subscriptions.c.paused_until.is_(None),
    db.subscriptions.c.paused_until <= db.deliveries.c.local_date,
)


def due_rows(address: ColumnElement[Any]) -> Select[Any]:
    """Select the waiting deliveries with the states that decide whether each may go."""
    return (
        select(
            db.deliveries,
            address.label("address"),
            db.subscribers.c.state.label("person_state"),
            db.subscriptions.c.state.label("subscription_state"),
            db.editions.c.state.label("edition_state"),
            not_(_NOT_PAUSED).label("is_paused"),
        )
        .select_from(db.deliveries)
        .join(db.subscribers, db.deliveries.c.subscriber_id == db.subscribers.c.id)
        .join(db.editions, db.deliveries.c.edition_id == db.editions.c.id)
        .join(db.lists, db.deliveries.c.list_id == db.lists.c.id)
        .outerjoin(db.subscriptions, db.deliveries.c.subscription_id == db.subscriptions.c.id)
        .where(waiting(db.deliveries), *_SENDS)
    )


_DUE = due_rows(db.subscribers.c.address).where(db.subscribers.c.kind == EMAIL)
"""Channel posts have a ledger table of their own."""


def sendable_now(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a row may be sent now, and that `conditions` hold."""
    return (
        select(literal(1))
        .where(
            db.lists.c.id == db.deliveries.c.list_id,
            *_SENDS,
            db.editions.c.id == db.deliveries.c.edition_id,
            or_(
                db.editions.c.state != EditionState.CANCELLED.value,
                db.deliveries.c.kind == DigestKind.REPLACEMENT.value,  # requested afterwards
            ),
            db.subscribers.c.id == db.deliveries.c.subscriber_id,
            db.subscribers.c.state == SubscriberState.ACTIVE.value,
            db.subscriptions.c.id == db.deliveries.c.subscription_id,
            db.subscriptions.c.state == SubscriberState.ACTIVE.value,
            _NOT_PAUSED,
            *conditions,
        )
        .correlate(db.deliveries)
        .exists()
    )


_MAY_GO = sendable_now(db.subscribers.c.address.is_not(None))

_FIRST_DUE = (
    select(func.min(db.deliveries.c.next_at))
    .where(waiting(db.deliveries), db.deliveries.c.list_id == db.lists.c.id)
    .correlate(db.lists)
    .scalar_subquery()
)
_FIRST_DUES = select(db.lists.c.id, _FIRST_DUE.label("head")).where(*_SENDS)
"""For each list that is neither paused nor archived, when its first waiting email may go."""


def due_lines(first_dues: Select[Any], connection: Connection, now: datetime) -> list[int]:
    """Return the lines with due rows, oldest first; `first_dues` selects when the first of each may
    go."""
    found = [(due_at, id_) for id_, due_at in connection.execute(first_dues) if due_at is not None]
    return [id_ for due_at, id_ in sorted(found) if due_at <= now]


DELIVERIES: LedgerTable[Claimed] = LedgerTable(
    table=db.deliveries,
    due=_DUE,
    lines=partial(due_lines, _FIRST_DUES),
    in_line=db.deliveries.c.list_id == bindparam("b_line"),
    why_not=_why_not,
    may_go=_MAY_GO,
    claimed=claimed_delivery_of,
    unsent=release_papers,
)
"""The ledger table of digests. Rows of a paused list wait."""
