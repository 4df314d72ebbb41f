"""Leasing deliveries, marking them before the final dot, and writing down what came of them.

Every move is one conditional update: it names the states it may leave and, where a claim is
needed, the claim's token. A process that was too slow therefore changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    not_,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)

from paperround.domain.deliveries import DeliveryId, DeliveryState, Lease, Worker
from paperround.domain.digests import DigestKind, SkipReason
from paperround.domain.editions import EditionId, EditionState
from paperround.domain.ledger import Claimed, Move
from paperround.domain.subscribers import SubscriberId, SubscriberState
from paperround.store import schema as db
from paperround.store.dialect import among

# Written out, because SQLite uses a partial index only where its condition is found word by word.
WAITING = text("deliveries.state IN ('queued', 'deferred')")
HELD = text("deliveries.state IN ('claimed', 'in_data')")

RELEASED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)
"""States in which the papers of a delivery did not reach anybody and may be sent again."""

LIFE_OVER = "life-over"

_NO_LEASE: Mapping[str, None] = {"lease_until": None, "host": None, "pid": None, "started": None}


class Processes(Protocol):
    """Knows whether another process still lives."""

    def is_dead(self, worker: Worker) -> bool: ...


class Claims:
    """What happens to the rows of the ledger between planning and their end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- taking --------------------------------------------------------------------------------

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
    ) -> list[Claimed]:
        """Lease rows that are due, oldest first, and skip those whose reader has left meanwhile.
        Rows `without` are passed over: the caller still has them in hand under an older claim.

        Rows another claim holds at this moment are passed over (SKIP LOCKED). Rows of a paused
        list wait. Returns an empty list when nothing is due.
        """
        while rows := self._lock_due(limit, now, without):
            leaving = {row.id: reason for row in rows if (reason := _why_not(row))}
            self._skip(leaving, lease.token)
            fit = [row for row in rows if row.id not in leaving]
            self._lease([row.id for row in fit], lease)
            if fit:
                return [_claimed(row, lease) for row in fit]
        return []

    def _lock_due(
        self, limit: int, now: datetime, without: Collection[DeliveryId]
    ) -> list[Row[Any]]:
        fresh = not_(among(self._connection, db.deliveries.c.id, without)) if without else true()
        due = self._connection.execute(
            _DUE.where(db.deliveries.c.next_at <= now, db.deliveries.c.expires_at > now, fresh)
            .order_by(db.deliveries.c.next_at, db.deliveries.c.id)
            .limit(limit)
            .with_for_update(of=db.deliveries, skip_locked=True)
        )
        return list(due)

    def _lease(self, ids: Collection[int], lease: Lease) -> None:
        if not ids:
            return
        self._connection.execute(
            update(db.deliveries)
            .where(among(self._connection, db.deliveries.c.id, ids), WAITING)
            .values(
                state=DeliveryState.CLAIMED.value,
                lease_until=lease.until,
                host=lease.worker.host,
                pid=lease.worker.pid,
                started=lease.worker.started,
                token=lease.token,
            )
        )

    def _skip(self, leaving: Mapping[int, SkipReason], token: str) -> None:
        for reason in set(leaving.values()):
            ids = [id_ for id_, why in leaving.items() if why is reason]
            self._connection.execute(
                update(db.deliveries)
                .where(among(self._connection, db.deliveries.c.id, ids), WAITING)
                .values(state=DeliveryState.SKIPPED.value, reason=reason.value, token=token)
            )
            self._release_papers(ids)

    # --- the final dot and after ---------------------------------------------------------------

    def mark_in_data(
        self, deliveries: Sequence[DeliveryId], token: str, *, until: datetime, now: datetime
    ) -> frozenset[DeliveryId]:
        """claimed -> in_data for the rows still held under `token`; returns those. Their lease
        then lasts until `until`, so that a slow answer is not taken for a dead process."""
        marked = self._connection.execute(
            update(db.deliveries)
            .where(
                among(self._connection, db.deliveries.c.id, deliveries),
                db.deliveries.c.token == token,
                db.deliveries.c.state == DeliveryState.CLAIMED.value,
            )
            .values(state=DeliveryState.IN_DATA.value, in_data_at=now, lease_until=until)
            .returning(db.deliveries.c.id)
        )
        return frozenset(DeliveryId(id_) for id_ in marked.scalars())

    def settle(self, moves: Sequence[Move], *, now: datetime) -> int:
        """Apply moves whose token still holds; papers of failed, expired and skipped rows are
        released. A late `sent` also moves a row from unknown. Returns how many applied."""
        if not moves:
            return 0
        applied = self._connection.execute(_SETTLE, [_settling(move, now) for move in moves])
        self._release_papers([move.id for move in moves if move.state in RELEASED])
        return applied.rowcount

    def release(self, token: str, *, now: datetime) -> int:  # noqa: ARG002 - as every move
        """claimed -> queued for what this claim has not sent, without counting a try."""
        released = self._connection.execute(
            update(db.deliveries)
            .where(
                HELD,
                db.deliveries.c.token == token,
                db.deliveries.c.state == DeliveryState.CLAIMED.value,
            )
            .values(state=DeliveryState.QUEUED.value, **_NO_LEASE)
        )
        return released.rowcount

    # --- tidying up ----------------------------------------------------------------------------

    def reclaim(self, processes: Processes, *, now: datetime) -> Mapping[str, int]:
        """End dead leases: claimed -> queued, in_data -> unknown. Returns counts by new state.

        A lease is dead when it is over, or at once when its process certainly is.
        """
        dead = self._dead_leases(processes, now)
        queued = self._end(dead, DeliveryState.CLAIMED, DeliveryState.QUEUED, "")
        unknown = self._end(dead, DeliveryState.IN_DATA, DeliveryState.UNKNOWN, "process-died")
        counts = {DeliveryState.QUEUED.value: queued, DeliveryState.UNKNOWN.value: unknown}
        return {state: count for state, count in counts.items() if count}

    def _dead_leases(self, processes: Processes, now: datetime) -> ColumnElement[bool]:
        found = self._connection.execute(
            select(*_WORKER).where(HELD, db.deliveries.c.lease_until > now).distinct()
        ).all()
        gone = [
            (host, pid, started)
            for host, pid, started in found
            if processes.is_dead(Worker(host=host, pid=pid, started=started))
        ]
        over = db.deliveries.c.lease_until <= now
        return or_(over, tuple_(*_WORKER).in_(gone)) if gone else over

    def _end(
        self, dead: ColumnElement[bool], old: DeliveryState, new: DeliveryState, reason: str
    ) -> int:
        ended = self._connection.execute(
            update(db.deliveries)
            .where(HELD, db.deliveries.c.state == old.value, dead)
            .values(state=new.value, reason=reason, **_NO_LEASE)
        )
        return ended.rowcount

    def expire(self, *, now: datetime) -> int:
        """Queued and deferred rows whose life is over become expired; their papers are released."""
        ended = self._connection.execute(
            update(db.deliveries)
            .where(WAITING, db.deliveries.c.expires_at <= now)
            .values(state=DeliveryState.EXPIRED.value, reason=LIFE_OVER)
            .returning(db.deliveries.c.id)
        )
        ids = ended.scalars().all()
        self._release_papers(ids)
        return len(ids)

    def _release_papers(self, ids: Collection[int]) -> None:
        """Forget the papers of those of `ids` that ended without reaching anybody."""
        if not ids:
            return
        ended = select(db.deliveries.c.id).where(
            among(self._connection, db.deliveries.c.id, ids), db.deliveries.c.state.in_(RELEASED)
        )
        self._connection.execute(
            delete(db.sent_papers).where(db.sent_papers.c.delivery_id.in_(ended))
        )


_WORKER = (db.deliveries.c.host, db.deliveries.c.pid, db.deliveries.c.started)

_DUE: Select[Any] = (
    select(
        db.deliveries.c.id,
        db.deliveries.c.edition_id,
        db.deliveries.c.subscriber_id,
        db.deliveries.c.kind,
        db.deliveries.c.local_date,
        db.deliveries.c.positions,
        db.deliveries.c.message_id,
        db.deliveries.c.dated,
        db.deliveries.c.key_id,
        db.deliveries.c.nonce,
        db.deliveries.c.attempts,
        db.deliveries.c.breakdowns,
        db.deliveries.c.expires_at,
        db.subscribers.c.address,
        db.subscribers.c.state.label("person_state"),
        db.subscriptions.c.state.label("subscription_state"),
        db.editions.c.state.label("edition_state"),
    )
    .select_from(db.deliveries)
    .join(db.subscribers, db.deliveries.c.subscriber_id == db.subscribers.c.id)
    .join(db.editions, db.deliveries.c.edition_id == db.editions.c.id)
    .join(db.lists, db.deliveries.c.list_id == db.lists.c.id)
    .outerjoin(db.subscriptions, db.deliveries.c.subscription_id == db.subscriptions.c.id)
    .where(WAITING, db.lists.c.paused_at.is_(None))
)

_SETTLE = (
    update(db.deliveries)
    .where(
        db.deliveries.c.id == bindparam("b_id"),
        db.deliveries.c.token == bindparam("b_token"),
        or_(
            HELD,
            and_(
                db.deliveries.c.state == DeliveryState.UNKNOWN.value,
                bindparam("b_late", type_=db.deliveries.c.attempts.type) == 1,
            ),
        ),
    )
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        code=bindparam("b_code"),
        reply=bindparam("b_reply"),
        next_at=func.coalesce(
            bindparam("b_next_at", type_=db.deliveries.c.next_at.type), db.deliveries.c.next_at
        ),
        attempts=db.deliveries.c.attempts
        + case((db.deliveries.c.state == DeliveryState.UNKNOWN.value, 0), else_=1),
        breakdowns=db.deliveries.c.breakdowns + bindparam("b_breakdown"),
        sent_at=bindparam("b_sent_at"),
        **_NO_LEASE,
    )
)


def _settling(move: Move, now: datetime) -> dict[str, Any]:
    sent = move.state is DeliveryState.SENT
    return {
        "b_id": move.id,
        "b_token": move.token,
        "b_late": int(sent),
        "b_state": move.state.value,
        "b_reason": _storable(move.reason),
        "b_code": move.code,
        "b_reply": None if move.reply is None else _storable(move.reply),
        "b_next_at": move.next_at,
        "b_breakdown": int(move.breakdown),
        "b_sent_at": now if sent else None,
    }


def _storable(words: str) -> str:
    """What a server said, without what no database takes: it must not undo the whole batch."""
    return words.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _why_not(row: Row[Any]) -> SkipReason | None:
    """Why a due row must not be sent any more, None when it may."""
    if row.edition_state == EditionState.CANCELLED:
        return SkipReason.EDITION_CANCELLED
    if row.person_state == SubscriberState.SUPPRESSED:
        return SkipReason.SUPPRESSED
    active = row.person_state == row.subscription_state == SubscriberState.ACTIVE
    return None if active and row.address else SkipReason.UNSUBSCRIBED


def _claimed(row: Row[Any], lease: Lease) -> Claimed:
    return Claimed(
        id=DeliveryId(row.id),
        edition_id=EditionId(row.edition_id),
        subscriber_id=SubscriberId(row.subscriber_id),
        address=row.address,
        kind=DigestKind(row.kind),
        local_date=row.local_date,
        positions=tuple(row.positions),
        message_id=row.message_id,
        dated=row.dated,
        key_id=row.key_id,
        nonce=row.nonce,
        attempts=row.attempts,
        breakdowns=row.breakdowns,
        expires_at=row.expires_at,
        lease=lease,
    )
