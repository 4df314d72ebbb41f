"""Deliver email: claim rows, make their messages, send them, and store the outcomes.

    reclaim dead leases ─► expire ─► claim ─► compose ─► mailer ─► before the dot: in_data
          ▲                                                              │
          └────────── settle: sent | deferred | failed | unknown ◄── outcome

Everything here runs on one thread. A mark and the outcomes received before it share a transaction,
so at most one message for each connection can become unknown. Outcomes that cannot be stored wait
in the process, which sends nothing until they are stored.

System email goes before digests. If one is queued while digests are sent, it waits for at most one
claim: the run of digests ends, system email is sent, and digests continue. The two queues never
share a batch, because their rows may have the same ids.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic

from paperround.core.errors import Conflict, DatabaseFailed, Misconfigured, RenderingFailed
from paperround.core.interfaces import Advance, no_progress
from paperround.core.measures import ATTEMPTS
from paperround.db.transactions import RetryPolicy, Transaction, write
from paperround.delivery.holds import note_signed
from paperround.delivery.ledger_model import LedgerTotals, Transition
from paperround.delivery.model import Envelope, Outcome
from paperround.delivery.queues import Mail, MailQueue, SendContext, new_lease
from paperround.delivery.rate_limits import Pacer, describe_unreached
from paperround.delivery.replies import is_opening, reason_class, speaks_against_us, verdict
from paperround.delivery.store.rates import Gate, PaceStore
from paperround.delivery.transitions import ClaimSize, InFlight, Transitions
from paperround.editions.model import DeliveryId, DeliveryState

log = logging.getLogger(__name__)

ANSWER = timedelta(minutes=15)
"""How long a marked message may wait for its reply before its process counts as dead. A server may
take ten minutes (RFC 5321 section 4.5.3.2.6)."""

SETTLE = 50
"""How many outcomes may wait for the next mark before they get a transaction of their own."""

SETTLE_WITHIN = timedelta(seconds=5)
"""How long refusals of recipients wait for an accepted message that explains them."""

ASKED_TO_STOP = "this process was asked to stop"


@dataclass(slots=True, kw_only=True)
class DeliverReport:
    """The results of the runs of one call, and why the first of those that stopped early did so.

    `digests` and `others` count the emails by state, `troubles` those not sent by reason, `expired`
    those that had expired before. `totals` and `notices` are the ledger's totals afterwards.
    """

    digests: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    stopped: str | None = None
    totals: LedgerTotals = field(default_factory=LedgerTotals)
    notices: LedgerTotals = field(default_factory=LedgerTotals)


_Claimed = tuple[Sequence[Mail] | None, Gate | None, datetime | None]
"""The rows of a claim, its gate, and the send mark to store after the commit."""


class SendRun(Generic[Mail]):
    """One pass over the due rows of a queue, with the rows it holds and the outcomes to store.

    It adds what it does to `report`.
    """

    def __init__(
        self,
        context: SendContext,
        queue: MailQueue[Mail],
        pacer: Pacer,
        report: DeliverReport,
        progress: Advance = no_progress,
    ) -> None:
        self._context = context
        self._queue = queue
        self._pacer = pacer
        self._report = report
        self._progress = progress
        self._size = ClaimSize()
        self._rows: dict[DeliveryId, Mail] = {}
        self._in_flight = InFlight(trusts_codes=queue.first)
        self._transitions = Transitions(context.clock, context.jitter, context.judge)
        self._unsettled: list[Transition] = []
        self._dotless: Collection[DeliveryId] = ()
        self._open_tokens: set[str] = set()
        self._retry_policy = RetryPolicy(context.wait)
        self._has_claimed = self._lost_rows = self._has_warned = False
        self._is_first_signed = queue.signs
        self.claimed = 0
        self.gave_way = False
        self.expired = 0
        self.stopped: str | None = None

    def run(self) -> bool:
        """Tidy up and send. Returns False when it had to stop."""
        self.tidy()
        self.send()
        return self.stopped is None

    def send(self) -> None:
        """Claim and send until nothing is due, other email must go first, or the relay refuses
        us."""
        try:
            outcomes = self._queue.mailer.send(
                self._envelopes(),
                before_dot=self._before_dot,
                stopping=lambda: self.stopped is not None,
            )
            for outcome in outcomes:
                row, read = self._rows[outcome.id], self._pacer.read_probe(outcome)
                self._end(self._in_flight.answered(row, read, self._context.clock.now()))
            is_last = self.stopped is None and not self._pacer.has_slots(first=self._queue.first)
            self._end(self._in_flight.end_held(is_last=is_last and not self.gave_way))
            self._report.stopped = self._report.stopped or self.stopped
        finally:
            try:
                self._settle()
            finally:
                self._release_all()

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            row, found = self._rows[outcome.id], verdict(outcome)
            ATTEMPTS.add(found.state.value, reason_class(found))
            if is_opening(outcome.phase) and not self._has_warned:
                self._has_warned = True
                log.warning("%s", describe_unreached(found.reason))
            if self._in_flight.end(outcome.id, refuses_us=speaks_against_us(found)):
                self.stopped = f"the relay refuses our email: {found.reason}"
            self._pacer.add_outcome(outcome, row.address)
            self._record(self._transitions.answered(row, outcome, found))
            self._progress(1)

    def _is_old(self, since: datetime | None) -> bool:
        return since is not None and self._context.clock.now() - since >= SETTLE_WITHIN

    def tidy(self) -> None:
        """End dead leases and expire rows."""
        now, processes = self._context.clock.now(), self._context.processes

        def tidy(work: Transaction) -> tuple[Mapping[str, int], int]:
            ledger = self._queue.ledger(work)
            reason = work[PaceStore].why_untried(now=now)
            return ledger.reclaim(processes, now=now), ledger.expire(now=now, untried=reason)

        ended, self.expired = write(self._context.database, tidy)
        if ended or self.expired:
            log.info("%s: reclaimed %s, expired %d", self._queue.name, dict(ended), self.expired)

    def _envelopes(self) -> Iterator[Envelope | None]:
        """Yield the messages that may leave, and None to keep the batch open while some are in
        flight and others may leave a little later."""
        while self._may_continue():
            rows = self._claim()
            if not rows and not self._in_flight and self._is_old(self._in_flight.held_since):
                self._end(self._in_flight.end_held())  # held rows count as messages in flight
            if not rows and (
                self.gave_way
                or not self._may_continue()
                or not self._pacer.keeps_open(
                    first=self._queue.first, in_flight=len(self._in_flight)
                )
            ):
                return
            yield from self._pause(not rows)
            for place, row in enumerate(rows):
                if len(self._unsettled) >= SETTLE:
                    self._settle()
                if not self._may_continue():
                    return
                if self._lost_rows:  # a list was paused or a reader left: claim the rest again
                    self._release_rows(rows[place:])
                    break
                envelope = self._compose(row)
                if envelope is not None:
                    self._in_flight.add(row.id)
                    yield envelope

    def _pause(self, wanted: bool) -> Iterator[None]:
        """Yield None to the mailer if messages are in flight, otherwise wait."""
        if wanted and self._in_flight:
            yield None
        elif wanted and not self._pacer.wait_for_slot(first=self._queue.first):
            self.stopped = self.stopped or ASKED_TO_STOP

    def _may_continue(self) -> bool:
        if self.stopped is None and self._context.stopping():
            self.stopped = ASKED_TO_STOP
        return self.stopped is None

    def _release_rows(self, rows: Sequence[Mail]) -> None:
        """Release rows of one claim without sending them."""
        token, ledger = rows[0].lease.token, self._queue.ledger
        ids = {row.id for row in rows}
        held = tuple(self._rows.keys() - ids)
        write(
            self._context.database,
            lambda work: ledger(work).release(token, without=held),
        )
        for one in ids:
            del self._rows[one]

    def _claim(self) -> Sequence[Mail]:
        self._lost_rows = False
        now = self._context.clock.now()
        if self._has_claimed and self._pacer.is_early(now, first=self._queue.first):
            return ()
        self._has_claimed = True
        lease = new_lease(self._context, now)
        settling = tuple(self._unsettled)
        ended = {move.id for move in settling}  # a row that is due again may be claimed again
        held = self._rows.keys() - ended
        feedback, pace = self._pacer.feedback(), self._pacer
        most = self._size.at(now)

        def settle_and_claim(work: Transaction) -> _Claimed[Mail]:
            ledger = self._queue.ledger(work)
            self._queue.settle(work, settling, now)
            feedback.write(work, now=now)
            if self.claimed and self._queue.gives_way(work):
                return None, None, self._advance(work, settling, now)
            with pace.gate(work, first=self._queue.first, now=now) as gate:
                rows = ledger.claim(lease, limit=most, now=now, without=held, gate=gate)
            return rows, gate, self._advance(work, rows or settling, now)

        self._open_tokens = {lease.token}  # released even if the commit succeeds but seems to fail
        rows, gate, at = write(self._context.database, settle_and_claim)
        self._open_tokens = set()
        self._drop_settled(settling)
        pace.drop_feedback(feedback)
        self.gave_way = rows is None
        rows = rows or ()
        self._size.got(len(rows))
        pace.claimed(gate, rows=len(rows), first=self._queue.first, now=now)
        self.stopped = self.stopped or pace.stopped
        self._rows |= {row.id: row for row in rows}
        self.claimed += len(rows)
        self._context.marks.keep(at)
        return rows

    def _compose(self, row: Mail) -> Envelope | None:
        """Make the message of a row. One that cannot be made fails alone, but an error of the
        database stops the run."""
        try:
            return self._queue.envelope(row)
        except (Conflict, DatabaseFailed):  # not caused by this email
            raise
        except RenderingFailed as error:
            self._record(self._transitions.failed(row, f"rendering: {error}"))
        except Misconfigured as error:  # such as a missing key, which may come back
            self._record(self._transitions.deferred(row, str(error)))
        except Exception as error:  # a poison message must not stop the other 999
            log.exception("%s %d could not be composed", self._queue.name, row.id)
            self._record(self._transitions.broke_down(row, f"{type(error).__name__}: {error}"))
        return None

    def _before_dot(self, ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        """Commit the marks of `ids` together with all earlier outcomes, and return the marked ids.

        Unmarked rows are no longer claimed by this run. Once the relay refuses us, nothing is
        marked, and claimed rows are released without counting a try.
        """
        if self._in_flight.is_refused:
            self._in_flight.drop(ids)
            return ()
        now = self._context.clock.now()
        until = now + max(self._context.lease, ANSWER)
        by_token: dict[str, list[DeliveryId]] = {}
        for one in ids:
            by_token.setdefault(self._rows[one].lease.token, []).append(one)
        settling = tuple(self._unsettled)

        def settle_and_mark(
            work: Transaction,
        ) -> tuple[list[frozenset[DeliveryId]], datetime | None]:
            ledger = self._queue.ledger(work)
            self._queue.settle(work, settling, now)
            marked = [
                ledger.mark_in_data(mine, token, until=until, now=now)
                for token, mine in by_token.items()
            ]
            if self._is_first_signed:
                note_signed(work, now=now)
            return marked, self._advance(work, ids, now)

        self._dotless = ids  # released even if the commit succeeds but seems to fail
        marked, at = write(self._context.database, settle_and_mark)
        self._dotless = ()
        self._context.marks.keep(at, syncs=False)
        self._is_first_signed = False
        self._drop_settled(settling)
        permitted = frozenset[DeliveryId]().union(*marked)
        self._in_flight.drop(set(ids) - permitted)
        for one in set(ids) - permitted:
            self._rows.pop(one, None)
            self._lost_rows = True
        return permitted

    def _record(self, move: Transition) -> None:
        """Count a transition, and keep it until it is stored."""
        ended = self._report.others if self._queue.first else self._report.digests
        ended[move.state.value] += 1
        if move.state is not DeliveryState.SENT:
            self._report.troubles[move.reason] += 1
        self._unsettled.append(move)

    def _settle(self) -> None:
        settling, feedback = tuple(self._unsettled), self._pacer.feedback()
        if settling or feedback:
            now = self._context.clock.now()
            at: datetime | None = None

            def settle(work: Transaction) -> None:
                nonlocal at
                self._queue.settle(work, settling, now)
                feedback.write(work, now=now)
                at = self._advance(work, settling, now)

            del self._unsettled[: len(settling)]
            self._pacer.drop_feedback(feedback)
            self._context.pending_writes.write(self._context.database, settle, self._retry_policy)
            self._context.marks.keep(at)
            for move in settling:
                self._rows.pop(move.id, None)

    def _advance(self, work: Transaction, rows: Sequence[object], now: datetime) -> datetime | None:
        """Advance the send mark if the transaction contains a claim or outcomes."""
        return self._context.marks.advance(work, now=now) if rows else None

    def _drop_settled(self, moves: Sequence[Transition]) -> None:
        """Drop committed transitions. Those of a failed transaction stay for the next try."""
        del self._unsettled[: len(moves)]
        for move in moves:
            self._rows.pop(move.id, None)

    def _release_all(self) -> None:
        """Release rows that were not offered or got no dot, and mark those without a reply as
        unknown, so that none waits for its lease to end."""
        ledger, dotless = self._queue.ledger, self._dotless
        tokens = {row.lease.token for row in self._rows.values()} | self._open_tokens

        def release(work: Transaction) -> None:
            for token in tokens:
                ledger(work).release(token, dotless=dotless)
                ledger(work).give_up(token)

        if tokens:
            self._context.pending_writes.write(self._context.database, release, self._retry_policy)
