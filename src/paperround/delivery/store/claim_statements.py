"""Build the statements that change the state of deliveries, cached so that they compile once."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    TextClause,
    Update,
    and_,
    bindparam,
    case,
    func,
    not_,
    null,
    or_,
    text,
    update,
)

from paperround.db.dialect import column_in_ids, ids_parameter
from paperround.delivery.ledger_model import Transition
from paperround.editions.model import DeliveryId, DeliveryState

NO_LEASE: Mapping[str, ColumnElement[Any]] = {
    name: null() for name in ("lease_until", "host", "pid", "started")
}


# As text, because SQLite uses a partial index only if its condition occurs literally.


@cache
def waiting(table: Table) -> TextClause:
    """Return the condition for rows to be sent, now or later."""
    return text(f"{table.name}.state IN ('queued', 'deferred')")


@cache
def held(table: Table) -> TextClause:
    """Return the condition for rows that a process has claimed."""
    return text(f"{table.name}.state IN ('claimed', 'in_data')")


@cache
def select_due(
    due: Select[Any],
    in_line: ColumnElement[bool],
    table: Table,
    dialect: str,
    *,
    lock: bool = False,
) -> Select[Any]:
    """Select the first due rows of a line, with the parameters of `queue`. With `lock`, lock them,
    and skip rows locked by another claim."""
    c = table.c
    now = bindparam("b_now", type_=c.next_at.type)
    passed_over = column_in_ids(dialect, c.id, "b_without")
    first = (
        due.where(in_line, c.next_at <= now, c.expires_at > now, not_(passed_over))
        .order_by(c.next_at, c.id)
        .limit(bindparam("b_limit"))
    )
    return first.with_for_update(of=table, skip_locked=True) if lock else first


def queue(
    connection: Connection, line: int, limit: int, now: datetime, without: Collection[DeliveryId]
) -> dict[str, Any]:
    """Return the parameters of `select_due`: the first `limit` rows of a line except `without`."""
    return {
        "b_line": line,
        "b_limit": limit,
        "b_now": now,
        "b_without": ids_parameter(connection, without),
    }


@cache
def mark_rows(table: Table, may_go: ColumnElement[bool], dialect: str) -> Update:
    """Set claimed rows of a token that may still go to in_data, returning their ids."""
    c = table.c
    return (
        update(table)
        .where(
            column_in_ids(dialect, c.id, "b_ids"),
            c.token == bindparam("b_token"),
            c.state == DeliveryState.CLAIMED.value,
            may_go,
        )
        .values(
            state=DeliveryState.IN_DATA.value,
            in_data_at=bindparam("b_now", type_=c.in_data_at.type),
            lease_until=bindparam("b_until", type_=c.lease_until.type),
        )
        .returning(c.id)
    )


@cache
def settle_row(table: Table) -> Update:
    """Apply one transition, with the parameters of `settle_params`.

    A reply often repeats the address, so it is dropped if the person was erased. An erasure blanks
    the row's `domain`, which is checked because another table might be read as it was before an
    erasure that this update waited for.
    """
    c = table.c
    columns = {one: c[one] for one in ("id", "token", "state", "reason", "code", "reply")}
    columns |= {"next_at": c.next_at, "sent_at": c.sent_at}
    columns |= {"late": c.attempts, "breakdown": c.breakdowns}
    move = {name: bindparam(f"b_{name}", type_=one.type) for name, one in columns.items()}
    late = move["late"] == 1
    return (
        update(table)
        .where(
            c.id == move["id"],
            c.token == move["token"],
            or_(held(table), and_(c.state == DeliveryState.UNKNOWN.value, late)),
        )
        .values(
            state=move["state"],
            reason=move["reason"],
            code=move["code"],
            reply=case((c.domain.is_(None), null()), else_=move["reply"]),
            next_at=func.coalesce(move["next_at"], c.next_at),
            attempts=c.attempts + case((c.state == DeliveryState.UNKNOWN.value, 0), else_=1),
            breakdowns=c.breakdowns + move["breakdown"],
            sent_at=move["sent_at"],
            **NO_LEASE,
        )
    )


def settle_params(move: Transition, now: datetime) -> dict[str, Any]:
    """Return the parameters of `settle_row` for one transition."""
    sent = move.state is DeliveryState.SENT
    return {
        "b_id": move.id,
        "b_token": move.token,
        "b_late": int(sent),
        "b_state": move.state.value,
        "b_reason": storable(move.reason),
        "b_code": move.code,
        "b_reply": None if move.reply is None else storable(move.reply),
        "b_next_at": move.next_at,
        "b_breakdown": int(move.breakdown),
        "b_sent_at": now if sent else None,
    }


def storable(reply: str) -> str:
    """Remove characters that databases reject, so that one reply cannot fail the whole batch."""
    return reply.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
