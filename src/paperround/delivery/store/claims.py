"""Lease rows, mark them before the final dot, and store their outcomes.

Deliveries and system email have their own tables but the same states; a `LedgerTable` describes the
differences. Every transition is one conditional update on the current state and, where a claim is
needed, its token. A process that was too slow therefore changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    TextClause,
    Update,
    bindparam,
    case,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from paperround.core.interfaces import Processes, Worker
from paperround.db.dialect import column_in, ids_parameter
from paperround.db.driver import CompiledQuery
from paperround.db.mapping import columns_of, value_of
from paperround.db.transactions import Store, Transaction
from paperround.delivery.ledger_model import LedgerTotals, Transition
from paperround.delivery.model import LIFE_OVER, Lease
from paperround.delivery.store.claim_statements import (
    NO_LEASE,
    held,
    mark_rows,
    queue,
    select_due,
    settle_params,
    settle_row,
    waiting,
)
from paperround.delivery.store.rates import Gate
from paperround.editions.model import DeliveryId, DeliveryState, SkipReason

RELEASED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)
"""Final states of an email that did not reach its recipient."""

MOST_LOOKS = 20
"""How many pages of rows one claim reads past emails that wait for their domain."""

PAUSE = timedelta(minutes=1)
"""How long a claimed row that may not go waits, so that a sender never spins on it."""

_UNSETTLED = {
    DeliveryState.CLAIMED: DeliveryState.QUEUED,
    DeliveryState.IN_DATA: DeliveryState.QUEUED,
}
"""Internal states, and how they are counted."""

MailRow = TypeVar("MailRow")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTable(Generic[MailRow]):
    """A table of emails and how it differs from the others.

    `due` selects the waiting rows with all columns that `why_not` (returns a reason to skip a row,
    or None) and `claimed` (converts a claimed row) read. A line is a group of rows with its own
    order, such as those of one list: `lines` returns the lines with due rows, oldest first, and
    `in_line` is the condition for the line in the parameter b_line. `may_go` is the condition that
    a row may be sent now. `unsent` cleans up after those of the given rows that ended without
    reaching their recipient.
    """

    table: Table
    due: Select[Any]
    lines: Callable[[Connection, datetime], Sequence[int]]
    in_line: ColumnElement[bool]
    why_not: Callable[[Row[Any]], SkipReason | None]
    may_go: ColumnElement[bool]
    claimed: Callable[[Row[Any], Lease], MailRow]
    unsent: Callable[[Connection, Collection[int]], None]


class Claims(Store, Generic[MailRow]):
    """The transitions of rows between planning and their final state, in the table `ledger`."""

    def __init__(self, work: Transaction, ledger: LedgerTable[MailRow]) -> None:
        super().__init__(work)
        self._ledger = ledger
        self._table = ledger.table
        self._c = ledger.table.c

    # --- claiming ------------------------------------------------------------------------------

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
        gate: Gate | None = None,
    ) -> list[MailRow]:
        """Lease due rows, oldest first, and skip those whose reader has left meanwhile.

        Ignores the rows `without`, which the caller holds under an older claim, and rows locked by
        another claim (SKIP LOCKED). Rows that `gate` defers wait, without counting a try. Returns
        an empty list when nothing is due or the relay pauses.
        """
        if gate is not None and gate.rests_until is not None:
            return []
        for line in self._ledger.lines(self._connection, now):
            if rows := self._claim(queue(self._connection, line, limit, now, without), lease, gate):
                return [self._ledger.claimed(row, lease) for row in rows]
        return []

    def has_due(self, *, now: datetime) -> bool:
        """Whether rows are due. A claim may still find that none of them may go."""
        query = self._select_due()
        return any(
            self._connection.execute(query, queue(self._connection, line, 1, now, ())).first()
            for line in self._ledger.lines(self._connection, now)
        )

    def _select_due(self, *, lock: bool = False) -> Select[Any]:
        ledger, dialect = self._ledger, self._connection.dialect.name
        return select_due(ledger.due, ledger.in_line, self._table, dialect, lock=lock)

    def _claim(self, wanted: Mapping[str, Any], lease: Lease, gate: Gate | None) -> list[Row[Any]]:
        """Lease the first rows of a queue that may go, and skip those before them that may not."""
        query, looks = CompiledQuery(self._select_due(lock=True)), 0
        while rows := query.rows(self._connection, **wanted):
            leaving = self._skip_reasons(rows)
            self._skip(leaving, lease.token)
            fit = [row for row in rows if row.id not in leaving] if leaving else list(rows)
            if gate is not None:
                looks += 1
                fit = self._admit(fit, gate)
            if fit:
                self._lease([row.id for row in fit], lease, wanted["b_now"])
            if fit or (gate is not None and gate.is_full) or looks >= MOST_LOOKS:
                return fit
        return []

    def _admit(self, rows: Sequence[Row[Any]], gate: Gate) -> list[Row[Any]]:
        """Return those of `rows` that may leave. The others are deferred or stay, without a try."""
        leaving, later = gate.admit([(DeliveryId(row.id), row.domain or "") for row in rows])
        if later:
            self._connection.execute(
                update(self._table)
                .where(self._c.id == bindparam("b_id"))
                .values(next_at=bindparam("b_next_at")),
                [{"b_id": id_, "b_next_at": at} for id_, at in later.items()],
            )
        return [row for row in rows if row.id in leaving]

    def _skip_reasons(self, rows: Sequence[Row[Any]]) -> Mapping[int, SkipReason]:
        return {row.id: reason for row in rows if (reason := self._ledger.why_not(row))}

    def _lease(self, ids: Collection[int], lease: Lease, now: datetime) -> None:
        self._connection.execute(
            update(self._table)
            .where(column_in(self._connection, self._c.id, ids), waiting(self._table))
            .values(
                state=DeliveryState.CLAIMED.value,
                in_data_at=now,  # of its last step: the claim, later the mark before its dot
                lease_until=lease.until,
                token=lease.token,
                **columns_of(lease.worker),
            )
        )

    def _skip(self, leaving: Mapping[int, SkipReason], token: str) -> None:
        for reason in set(leaving.values()):
            ids = [id_ for id_, why in leaving.items() if why is reason]
            which = column_in(self._connection, self._c.id, ids), waiting(self._table)
            self._move(*which, state=DeliveryState.SKIPPED, reason=reason.value, token=token)

    # --- the final dot and after ---------------------------------------------------------------

    def mark_in_data(
        self, deliveries: Sequence[DeliveryId], token: str, *, until: datetime, now: datetime
    ) -> frozenset[DeliveryId]:
        """Set rows still claimed under `token` that may still go from claimed to in_data, and
        return them. Their lease is extended to `until`, so that a slow reply is not mistaken for a
        dead process. Rows whose reader has left since the claim are skipped, those of a list paused
        since are queued again."""
        statement = mark_rows(self._table, self._ledger.may_go, self._connection.dialect.name)
        found = CompiledQuery(statement).run(
            self._connection,
            {
                "b_ids": ids_parameter(self._connection, deliveries),
                "b_token": token,
                "b_until": until,
                "b_now": now,
            },
        )
        marked = frozenset([DeliveryId(id_) for (id_,) in found])
        if len(marked) < len(deliveries):
            self._unclaim([one for one in deliveries if one not in marked], token, now + PAUSE)
        return marked

    def _unclaim(self, deliveries: Collection[DeliveryId], token: str, next_at: datetime) -> None:
        """Release claimed rows that may not go: they wait, or are skipped."""
        released = self._connection.execute(
            self._release(token)
            .where(column_in(self._connection, self._c.id, deliveries))
            .values(next_at=next_at)
            .returning(self._c.id)
        )
        waits = column_in(self._connection, self._c.id, released.scalars().all())
        rows = self._connection.execute(self._ledger.due.where(waits)).all()
        self._skip(self._skip_reasons(rows), token)

    def settle(self, moves: Sequence[Transition], *, now: datetime) -> int:
        """Apply transitions whose token is still valid, and release the papers of failed, expired
        and skipped rows. A late `sent` also applies to an unknown row. Returns how many applied."""
        if not moves:
            return 0
        each = CompiledQuery(settle_row(self._table))
        applied = each.run_many(self._connection, [settle_params(move, now) for move in moves])
        self._unsent([move.id for move in moves if move.state in RELEASED])
        return applied

    def release(
        self,
        token: str,
        *,
        without: Collection[DeliveryId] = (),
        dotless: Collection[DeliveryId] = (),
    ) -> int:
        """Set the claimed rows of this claim back to queued, without counting a try, except the
        rows `without`. Also resets the rows `dotless` if they were marked, because the caller knows
        that their dot was not written. Returns the number of rows."""
        kept = not_(column_in(self._connection, self._c.id, without)) if without else true()
        return self._connection.execute(self._release(token, dotless).where(kept)).rowcount

    def give_up(self, token: str) -> int:
        """Set the marked rows of this claim to unknown, because their reply will not be received.
        Returns the number of rows."""
        mine = self._c.token == token
        return self._end(mine, DeliveryState.IN_DATA, DeliveryState.UNKNOWN, "run-ended")

    def _release(self, token: str, dotless: Collection[DeliveryId] = ()) -> Update:
        unsent = self._c.state == DeliveryState.CLAIMED.value
        if dotless:
            unsent = or_(unsent, column_in(self._connection, self._c.id, dotless))
        return (
            update(self._table)
            .where(held(self._table), self._c.token == token, unsent)
            .values(state=DeliveryState.QUEUED.value, **NO_LEASE)
        )

    # --- cleanup -------------------------------------------------------------------------------

    def reclaim(self, processes: Processes, *, now: datetime) -> Mapping[str, int]:
        """End dead leases: claimed -> queued, in_data -> unknown. Returns counts by new state.

        A lease is dead when it has expired, or as soon as its process is known to be dead.
        """
        dead = self._dead_leases(processes, now)
        queued = self._end(dead, DeliveryState.CLAIMED, DeliveryState.QUEUED, "")
        unknown = self._end(dead, DeliveryState.IN_DATA, DeliveryState.UNKNOWN, "process-died")
        counts = {DeliveryState.QUEUED.value: queued, DeliveryState.UNKNOWN.value: unknown}
        return {state: count for state, count in counts.items() if count}

    def _dead_leases(self, processes: Processes, now: datetime) -> ColumnElement[bool]:
        """Return the condition for expired leases and those of dead processes. It lists the tokens
        as one parameter, so that the statement is the same for any number."""
        over = self._c.lease_until <= now
        claims = self._connection.execute(
            select(self._c.token, self._c.host, self._c.pid, self._c.started)
            .where(held(self._table), self._c.lease_until > now)
            .distinct()
        )
        by_worker: dict[Worker, list[str]] = {}
        for row in claims:
            by_worker.setdefault(value_of(Worker, row), []).append(row.token)
        dead = [worker for worker in by_worker if processes.is_dead(worker)]
        gone = [token for worker in dead for token in by_worker[worker]]
        return or_(over, column_in(self._connection, self._c.token, gone)) if gone else over

    def _end(
        self, dead: ColumnElement[bool], old: DeliveryState, new: DeliveryState, reason: str
    ) -> int:
        which = held(self._table), self._c.state == old.value, dead
        return self._move(*which, state=new, reason=reason, **NO_LEASE)

    def expire(self, *, now: datetime, untried: str = LIFE_OVER) -> int:
        """Set waiting rows that have expired to expired, and release their papers. `untried` is the
        reason for rows that were never tried. Returns the number of rows."""
        reason = case((self._c.attempts == 0, untried), else_=LIFE_OVER)
        which = waiting(self._table), self._c.expires_at <= now
        return self._move(*which, state=DeliveryState.EXPIRED, reason=reason)

    def end_unfinished(self, *, reason: str) -> int:
        """Set every unfinished row to unknown, because it may have been sent. Used after a restore.
        Returns the number of rows."""
        which = or_(waiting(self._table), held(self._table))
        return self._move(which, state=DeliveryState.UNKNOWN, reason=reason, **NO_LEASE)

    def _move(
        self, *which: ColumnElement[bool] | TextClause, state: DeliveryState, **values: Any
    ) -> int:
        """Set rows to `state` with these values, release the papers of those that did not reach
        their recipient, and return the number of rows."""
        moved = self._connection.execute(
            update(self._table)
            .where(*which)
            .values(state=state.value, **values)
            .returning(self._c.id)
        )
        ids = moved.scalars().all()
        if state in RELEASED:
            self._unsent(ids)
        return len(ids)

    def _unsent(self, ids: Collection[int]) -> None:
        if ids:
            self._ledger.unsent(self._connection, ids)

    # --- counting ------------------------------------------------------------------------------

    def _by_state(self, *which: ColumnElement[bool]) -> Mapping[DeliveryState, int]:
        found = self._connection.execute(
            select(self._c.state, func.count()).where(*which).group_by(self._c.state)
        )
        return {DeliveryState(state): count for state, count in found}

    def _totals(self, *which: ColumnElement[bool]) -> LedgerTotals:
        counts = Counter[str]()
        for state, count in self._by_state(*which).items():
            counts[_UNSETTLED.get(state, state)] += count
        return LedgerTotals(**counts)
