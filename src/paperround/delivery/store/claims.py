"""Leasing mails, marking them before the final dot, and writing down what came of them.

Deliveries and notices have tables of their own and go through the same states, so this module
serves both: a `LedgerTable` says what differs. Every transition is one conditional update: it names
the states it may leave and, where a claim is needed, the claim's token. A process that was too slow
therefore changes nothing.
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
    Update,
    case,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from paperround.core.interfaces import Processes, Worker
from paperround.db.compiled_query import CompiledQuery
from paperround.db.dialect import among, as_ids
from paperround.db.rows import value_of
from paperround.db.transactions import Store, Transaction
from paperround.delivery.ledger_model import LedgerTotals, Transition
from paperround.delivery.model import LIFE_OVER, Lease
from paperround.delivery.store.claim_statements import (
    NO_LEASE,
    held,
    leasing,
    locking,
    marking,
    putting_off,
    queue,
    queueing,
    settled,
    settled_together,
    settling,
    settling_together,
    waiting,
)
from paperround.delivery.store.rates import Gate
from paperround.editions.model import DeliveryId, DeliveryState, SkipReason

RELEASED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)
"""States of a mail that did not reach anybody and is not tried again."""

MOST_LOOKS = 20
"""How often one claim looks past mails that have to wait for their domain; the next goes on."""

PAUSE = timedelta(minutes=1)
"""How long a row waits that was claimed and may not go: a sender must never spin on one."""

_UNSETTLED = {
    DeliveryState.CLAIMED: DeliveryState.QUEUED,
    DeliveryState.IN_DATA: DeliveryState.QUEUED,
}
"""How states that nobody need know about are counted."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTable(Generic[Item]):
    """A table of mails, and what sets them apart from mails of another kind.

    `due` selects the rows that wait, with all that `why_not` (a reason not to send one any more,
    None when it may go) and `claimed` (the row as jobs take it) read. `lines` names the lines that
    have rows due, oldest first, and `in_line` says that a row stands in the line named by the
    parameter b_line; a row of another may not be sent now. `may_go` says both of a row
    within a statement: it is in such a line, and nothing speaks against it. `unsent` does what is
    to be done for those of some rows that have ended without reaching anybody.
    """

    table: Table
    due: Select[Any]
    lines: Callable[[Connection, datetime], Sequence[int]]
    in_line: ColumnElement[bool]
    why_not: Callable[[Row[Any]], SkipReason | None]
    may_go: ColumnElement[bool]
    claimed: Callable[[Row[Any], Lease], Item]
    unsent: Callable[[Connection, Collection[int]], None]


class Claims(Store, Generic[Item]):
    """What happens to a row between planning and its end, whatever `book` it is in."""

    def __init__(self, work: Transaction, book: LedgerTable[Item]) -> None:
        super().__init__(work)
        self._book = book
        self._table = book.table
        self._c = book.table.c

    # --- taking --------------------------------------------------------------------------------

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
        gate: Gate | None = None,
    ) -> list[Item]:
        """Lease rows that are due, oldest first, and skip those whose reader has left meanwhile.
        Rows `without` are passed over: the caller still has them in hand under an older claim.

        Rows that another claim holds are passed over (SKIP LOCKED). Rows that `gate` puts off
        wait, without a try counted. Returns an empty list when nothing is due, or the relay rests.
        """
        if gate is not None and gate.rests_until is not None:
            return []
        for line in self._book.lines(self._connection, now):
            if rows := self._take(queue(self._connection, line, limit, now, without), lease, gate):
                return [self._book.claimed(row, lease) for row in rows]
        return []

    def has_due(self, *, now: datetime) -> bool:
        """Whether rows wait that a claim would look at; it may find that none of them may go."""
        dialect = self._connection.dialect.name
        looking = queueing(self._book.due, self._book.in_line, self._table, dialect)
        return any(
            self._connection.execute(looking, queue(self._connection, line, 1, now, ())).first()
            for line in self._book.lines(self._connection, now)
        )

    def _take(self, wanted: Mapping[str, Any], lease: Lease, gate: Gate | None) -> list[Row[Any]]:
        """Lease the first of a queue that may go, and skip those before them that may not."""
        dialect = self._connection.dialect
        lock = locking(self._book.due, self._book.in_line, self._table, dialect.name)
        looking, looks = CompiledQuery(lock), 0
        while rows := looking.rows(self._connection, **wanted):
            leaving = self._leaving(rows)
            self._skip(leaving, lease.token)
            fit = [row for row in rows if row.id not in leaving] if leaving else list(rows)
            if gate is not None:
                looks += 1
                fit = self._admitted(fit, gate)
            if fit:
                self._lease([row.id for row in fit], lease)
            if fit or (gate is not None and gate.is_full) or looks >= MOST_LOOKS:
                return fit
        return []

    def _admitted(self, rows: Sequence[Row[Any]], gate: Gate) -> list[Row[Any]]:
        """Those of `rows` that may leave. The others keep their tries, and are put off or stay."""
        leaving, later = gate.admit([(DeliveryId(row.id), row.domain or "") for row in rows])
        if later:
            self._connection.execute(
                putting_off(self._table),
                [{"b_id": id_, "b_next_at": at} for id_, at in later.items()],
            )
        return [row for row in rows if row.id in leaving]

    def _leaving(self, rows: Sequence[Row[Any]]) -> Mapping[int, SkipReason]:
        return {row.id: reason for row in rows if (reason := self._book.why_not(row))}

    def _lease(self, ids: Collection[int], lease: Lease) -> None:
        CompiledQuery(leasing(self._table, self._connection.dialect.name)).run(
            self._connection,
            {
                "b_ids": as_ids(self._connection, ids),
                "b_until": lease.until,
                "b_host": lease.worker.host,
                "b_pid": lease.worker.pid,
                "b_started": lease.worker.started,
                "b_token": lease.token,
            },
        )

    def _skip(self, leaving: Mapping[int, SkipReason], token: str) -> None:
        for reason in set(leaving.values()):
            ids = [id_ for id_, why in leaving.items() if why is reason]
            self._connection.execute(
                update(self._table)
                .where(among(self._connection, self._c.id, ids), waiting(self._table))
                .values(state=DeliveryState.SKIPPED.value, reason=reason.value, token=token)
            )
            self._unsent(ids)

    # --- the final dot and after ---------------------------------------------------------------

    def mark_in_data(
        self, deliveries: Sequence[DeliveryId], token: str, *, until: datetime, now: datetime
    ) -> frozenset[DeliveryId]:
        """claimed -> in_data for the rows still held under `token` that may still go; returns
        those. Their lease then lasts until `until`, so that a slow answer is not taken for a dead
        process. Rows whose reader has left since the claim are skipped, those of a list paused
        since are queued again."""
        statement = marking(self._table, self._book.may_go, self._connection.dialect.name)
        found = CompiledQuery(statement).run(
            self._connection,
            {
                "b_ids": as_ids(self._connection, deliveries),
                "b_token": token,
                "b_until": until,
                "b_now": now,
            },
        )
        marked = frozenset([DeliveryId(id_) for (id_,) in found])
        if len(marked) < len(deliveries):
            self._turn_back([one for one in deliveries if one not in marked], token, now + PAUSE)
        return marked

    def _turn_back(self, deliveries: Collection[DeliveryId], token: str, next_at: datetime) -> None:
        """Take the claim from rows that may not go: they wait, or are skipped for good."""
        turned = self._connection.execute(
            self._giving_back(token)
            .where(among(self._connection, self._c.id, deliveries))
            .values(next_at=next_at)
            .returning(self._c.id)
        )
        waits = among(self._connection, self._c.id, turned.scalars().all())
        rows = self._connection.execute(self._book.due.where(waits)).all()
        self._skip(self._leaving(rows), token)

    def settle(self, moves: Sequence[Transition], *, now: datetime) -> int:
        """Apply moves whose token still holds; what failed, expired and skipped rows carried is
        released. A late `sent` also moves a row from unknown. Returns how many applied."""
        if not moves:
            return 0
        if self._connection.dialect.name == "postgresql":
            together = CompiledQuery(settling_together(self._table))
            applied = len(together.run(self._connection, settled_together(moves, now)))
        else:
            each = CompiledQuery(settling(self._table))
            applied = each.run_many(self._connection, [settled(move, now) for move in moves])
        self._unsent([move.id for move in moves if move.state in RELEASED])
        return applied

    def release(
        self,
        token: str,
        *,
        now: datetime,  # noqa: ARG002 - as every move
        without: Collection[DeliveryId] = (),
        dotless: Collection[DeliveryId] = (),
    ) -> int:
        """claimed -> queued for what this claim has not sent, without counting a try; but for the
        rows `without`, which the caller has in hand. Of the rows `dotless` the caller knows that no
        dot followed, so their mark, if it counts, is taken back: in_data -> queued."""
        kept = not_(among(self._connection, self._c.id, without)) if without else true()
        return self._connection.execute(self._giving_back(token, dotless).where(kept)).rowcount

    def give_up(self, token: str, *, now: datetime) -> int:  # noqa: ARG002 - as every move
        """in_data -> unknown for what this claim has marked: nobody hears the answer any more.
        Returns how many."""
        mine = self._c.token == token
        return self._end(mine, DeliveryState.IN_DATA, DeliveryState.UNKNOWN, "run-ended")

    def _giving_back(self, token: str, dotless: Collection[DeliveryId] = ()) -> Update:
        unsent = self._c.state == DeliveryState.CLAIMED.value
        if dotless:
            unsent = or_(unsent, among(self._connection, self._c.id, dotless))
        return (
            update(self._table)
            .where(held(self._table), self._c.token == token, unsent)
            .values(state=DeliveryState.QUEUED.value, **NO_LEASE)
        )

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
        """Those that are over, and those of claims whose process is gone: by their tokens, so that
        the statement is the same however many they are."""
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
        return or_(over, among(self._connection, self._c.token, gone)) if gone else over

    def _end(
        self, dead: ColumnElement[bool], old: DeliveryState, new: DeliveryState, reason: str
    ) -> int:
        ended = self._connection.execute(
            update(self._table)
            .where(held(self._table), self._c.state == old.value, dead)
            .values(state=new.value, reason=reason, **NO_LEASE)
        )
        return ended.rowcount

    def expire(self, *, now: datetime, untried: str = LIFE_OVER) -> int:
        """Queued and deferred rows whose life is over become expired; what they carried is
        released. `untried` is the reason of those that were never tried. Returns how many."""
        reason = case((self._c.attempts == 0, untried), else_=LIFE_OVER)
        ended = self._connection.execute(
            update(self._table)
            .where(waiting(self._table), self._c.expires_at <= now)
            .values(state=DeliveryState.EXPIRED.value, reason=reason)
            .returning(self._c.id)
        )
        ids = ended.scalars().all()
        self._unsent(ids)
        return len(ids)

    def end_unfinished(self, *, reason: str, now: datetime) -> int:  # noqa: ARG002 - as every move
        """Every row that is not final becomes unknown: it may have been sent. For a restore."""
        ended = self._connection.execute(
            update(self._table)
            .where(or_(waiting(self._table), held(self._table)))
            .values(state=DeliveryState.UNKNOWN.value, reason=reason, **NO_LEASE)
        )
        return ended.rowcount

    def _unsent(self, ids: Collection[int]) -> None:
        if ids:
            self._book.unsent(self._connection, ids)

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
