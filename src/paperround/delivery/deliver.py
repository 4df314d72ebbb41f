"""Deliver email: claim rows, make their messages, send them, and store the outcomes.

    reclaim dead leases ─► expire ─► claim ─► compose ─► mailer ─► before the dot: in_data
          ▲                                                              │
          └────────── settle: sent | deferred | failed | unknown ◄── outcome

Everything here runs on one thread. A mark and the outcomes received before it share a transaction,
so at most one message for each connection can become unknown. Outcomes that cannot be stored wait
in the process, which sends nothing before they are.

System email goes before digests. If one is queued while digests are sent, it waits for at most one
claim: the run of digests ends, system email is sent, and digests continue. The two queues never
share a batch, because their rows may have the same ids.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic

from paperround.core.errors import Conflict, DatabaseFailed, RenderingFailed
from paperround.core.interfaces import Advance
from paperround.db.transactions import RetryPolicy, Transaction, write
from paperround.delivery.holds import note_signed
from paperround.delivery.ledger_model import Transition
from paperround.delivery.model import Envelope
from paperround.delivery.queues import Mail, MailQueue, SendContext, new_lease
from paperround.delivery.rate_limits import UNREACHED, Pacer
from paperround.delivery.replies import is_opening, speaks_against_us, verdict
from paperround.delivery.store.rates import Gate, PaceStore
from paperround.delivery.transitions import ClaimSize, InFlight, Transitions
from paperround.editions.model import DeliveryId, DeliveryState

log = logging.getLogger(__name__)

ANSWER = timedelta(minutes=15)
"""How long a marked message may wait for its reply before its process counts as dead. A server may
take ten minutes (RFC 5321 section 4.5.3.2.6)."""

SETTLE = 50
"""How many outcomes may wait for the next mark before they get a transaction of their own."""

MOST_KEYLESS = 50
"""A run stops after passing over this many emails whose key is missing: probably all lack it."""

ASKED_TO_STOP = "this process was asked to stop"


@dataclass(slots=True)
class RunTotals:
    """The totals over the runs of one call."""

    pacer: Pacer
    ended: dict[bool, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    troubles: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    stopped: str | None = None

    def awaits(self) -> bool:
        """Wait for a while if email will be allowed to leave soon. Returns whether it will."""
        return self.stopped is None and self.pacer.awaits()

    def send(self, run: "SendRun[Mail]") -> bool:
        """Send everything `run` finds. Returns False when it had to stop."""
        run.tidy()
        run.send()
        self.stopped = self.stopped or run.stopped
        self.troubles += run.troubles
        self.ended[run.is_first] += run.ended
        return run.stopped is None


_Claimed = tuple[Sequence[Mail] | None, Gate | None, datetime | None]
"""The rows of a claim, its gate, and the send mark to store after the commit."""


class SendRun(Generic[Mail]):
    """One pass over the due rows of a queue, with the rows it holds and the outcomes to store."""

    def __init__(
        self, post: SendContext, lane: MailQueue[Mail], progress: Advance, pacer: Pacer
    ) -> None:
        self._post = post
        self._lane = lane
        self._progress = progress
        self._pacer = pacer
        self._size = ClaimSize()
        self._held: dict[DeliveryId, Mail] = {}
        self._under_way = InFlight()
        self._moves = Transitions(post.clock, post.jitter, post.judge)
        self._unsettled: list[Transition] = []
        self._dotless: Collection[DeliveryId] = ()
        self._asked_for: set[str] = set()
        self._patience = RetryPolicy(post.wait)
        self._has_asked = self._turned_back = self._has_warned = False
        self._is_first_signed = lane.signs
        self._keyless: set[DeliveryId] = set()
        self._lost_key: str | None = None
        self.claimed = 0
        self.gave_way = False
        self.is_first = lane.first
        self.ended = Counter[str]()
        self.troubles = Counter[str]()
        self.expired = 0
        self.stopped: str | None = None

    def send(self) -> None:
        """Claim and send until nothing is due, other email must go first, or the relay refuses
        us."""
        try:
            outcomes = self._lane.mailer.send(
                self._envelopes(),
                before_dot=self._before_dot,
                stopping=lambda: self.stopped is not None,
            )
            for outcome in outcomes:
                row, found = self._held[outcome.id], verdict(outcome)
                if is_opening(outcome.phase) and not self._has_warned:
                    self._has_warned = True
                    log.warning("%s: %s", UNREACHED, found.reason)
                if self._under_way.end(outcome.id, refuses_us=speaks_against_us(found)):
                    self.stopped = f"the relay refuses our mail: {found.reason}"
                self._pacer.hear(outcome, row.address)
                self._keep(self._moves.answered(row, outcome, found))
                self._progress(1)
            self.stopped = self.stopped or self._lost_key
        finally:
            try:
                self._settle()
            finally:
                self._release()

    def tidy(self) -> None:
        """End dead leases and expire rows."""
        now, processes = self._post.clock.now(), self._post.processes

        def tidy(work: Transaction) -> tuple[Mapping[str, int], int]:
            ledger = self._lane.ledger(work)
            reason = work[PaceStore].why_untried(now=now)
            return ledger.reclaim(processes, now=now), ledger.expire(now=now, untried=reason)

        ended, self.expired = write(self._post.database, tidy)
        if ended or self.expired:
            log.info("%s: reclaimed %s, expired %d", self._lane.name, dict(ended), self.expired)

    def _envelopes(self) -> Iterator[Envelope | None]:
        """Yield the messages that may leave, and None to keep the batch open while some are in
        flight and others may leave a little later."""
        while self._goes_on():
            rows = self._claim()
            if not rows and (
                self.gave_way
                or not self._goes_on()
                or not self._pacer.lingers(first=self._lane.first, under_way=len(self._under_way))
            ):
                return
            yield from self._pauses(not rows)
            for place, row in enumerate(rows):
                if len(self._unsettled) >= SETTLE:
                    self._settle()
                if not self._goes_on():
                    return
                if self._turned_back:  # a list was paused or a reader left: claim the rest again
                    self._give_back(rows[place:])
                    break
                envelope = self._composed(row)
                if envelope is not None:
                    self._under_way.add(row.id)
                    yield envelope

    def _pauses(self, wanted: bool) -> Iterator[None]:
        """Yield None to the mailer if messages are in flight, otherwise wait."""
        if wanted and self._under_way:
            yield None
        elif wanted and not self._pacer.rest(first=self._lane.first):
            self.stopped = self.stopped or ASKED_TO_STOP

    def _goes_on(self) -> bool:
        if self.stopped is None and self._post.stopping():
            self.stopped = ASKED_TO_STOP
        return self.stopped is None

    def _give_back(self, rows: Sequence[Mail]) -> None:
        """Release rows of one claim without sending them."""
        now, token, ledger = self._post.clock.now(), rows[0].lease.token, self._lane.ledger
        given = {row.id for row in rows}
        in_hand = tuple(self._held.keys() - given)
        write(
            self._post.database,
            lambda work: ledger(work).release(token, now=now, without=in_hand),
        )
        for one in given:
            del self._held[one]

    def _claim(self) -> Sequence[Mail]:
        self._turned_back = False
        now = self._post.clock.now()
        if self._has_asked and self._pacer.is_early(now, first=self._lane.first):
            return ()
        self._has_asked = True
        lease = new_lease(self._post, now)
        settling = tuple(self._unsettled)
        ended = {move.id for move in settling}  # a row that is due again may be claimed again
        in_hand = (self._held.keys() - ended) | self._keyless
        said, pace = self._pacer.heard(), self._pacer
        most = self._size.at(now)

        def settle_and_claim(work: Transaction) -> _Claimed[Mail]:
            ledger = self._lane.ledger(work)
            self._lane.settle(work, settling, now)
            said.write(work, now=now)
            if self.claimed and self._lane.gives_way(work):
                return None, None, self._advance(work, settling, now)
            with pace.gate(work, first=self._lane.first, now=now) as gate:
                rows = ledger.claim(lease, limit=most, now=now, without=in_hand, gate=gate)
            return rows, gate, self._advance(work, rows or settling, now)

        self._asked_for = {lease.token}  # released even if the commit succeeds but seems to fail
        rows, gate, at = write(self._post.database, settle_and_claim)
        self._asked_for = set()
        self._settled(settling)
        pace.wrote(said)
        self.gave_way = rows is None
        rows = rows or ()
        self._size.got(len(rows))
        pace.claimed(gate, rows=len(rows), first=self._lane.first, now=now)
        self.stopped = self.stopped or pace.stopped
        self._held |= {row.id: row for row in rows}
        self.claimed += len(rows)
        self._post.marks.keep(at)
        return rows

    def _composed(self, row: Mail) -> Envelope | None:
        """Make the message of a row. One that cannot be made fails alone, but an error of the
        installation stops the run."""
        if not self._lane.has_key(row):
            # The row waits until its key is back. Release it at once: while claimed it would count
            # as in flight to its domain.
            self._keyless.add(row.id)
            self._give_back([row])
            self._lost_key = (
                f"the secret {row.key_id} that some mails were planned with is gone: add it to the "
                "end of PAPERROUND_SECRET_KEY"
            )
            if len(self._keyless) >= MOST_KEYLESS:
                self.stopped = self._lost_key
            return None
        try:
            return self._lane.envelope(row)
        except (Conflict, DatabaseFailed):  # not caused by this email
            raise
        except RenderingFailed as error:
            self._keep(self._moves.failed(row, f"rendering: {error}"))
        except Exception as error:  # a poison message must not stop the other 999
            log.exception("%s %d could not be composed", self._lane.name, row.id)
            self._keep(self._moves.broke_down(row, f"{type(error).__name__}: {error}"))
        return None

    def _before_dot(self, ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        """Commit the marks of `ids` together with all earlier outcomes, and return the marked ids.

        Unmarked rows are no longer claimed by this run. Once the relay refuses us, nothing is
        marked, and claimed rows are released without counting a try.
        """
        if self._under_way.is_refused:
            self._under_way.drop(ids)
            return ()
        now = self._post.clock.now()
        until = now + max(self._post.lease, ANSWER)
        by_token: dict[str, list[DeliveryId]] = {}
        for one in ids:
            by_token.setdefault(self._held[one].lease.token, []).append(one)
        settling = tuple(self._unsettled)

        def settle_and_mark(work: Transaction) -> list[frozenset[DeliveryId]]:
            ledger = self._lane.ledger(work)
            self._lane.settle(work, settling, now)
            marked = [
                ledger.mark_in_data(mine, token, until=until, now=now)
                for token, mine in by_token.items()
            ]
            if self._is_first_signed:
                note_signed(work, now=now)
            return marked

        self._dotless = ids  # released even if the commit succeeds but seems to fail
        marked = write(self._post.database, settle_and_mark)
        self._dotless = ()
        self._is_first_signed = False
        self._settled(settling)
        permitted = frozenset[DeliveryId]().union(*marked)
        self._under_way.drop(set(ids) - permitted)
        for one in set(ids) - permitted:
            self._held.pop(one, None)
            self._turned_back = True
        return permitted

    def _keep(self, move: Transition) -> None:
        """Count a transition, and keep it until it is stored."""
        self.ended[move.state.value] += 1
        if move.state is not DeliveryState.SENT:
            self.troubles[move.reason] += 1
        self._unsettled.append(move)

    def _settle(self) -> None:
        settling, said = tuple(self._unsettled), self._pacer.heard()
        if settling or said:
            now = self._post.clock.now()

            at: datetime | None = None

            def settle(work: Transaction) -> None:
                nonlocal at
                self._lane.settle(work, settling, now)
                said.write(work, now=now)
                at = self._advance(work, settling, now)

            del self._unsettled[: len(settling)]
            self._pacer.wrote(said)
            self._post.unwritten.write(self._post.database, settle, self._patience)
            self._post.marks.keep(at)
            for move in settling:
                self._held.pop(move.id, None)

    def _advance(self, work: Transaction, told: Sequence[object], now: datetime) -> datetime | None:
        """Advance the send mark if the transaction contains a claim or outcomes."""
        return self._post.marks.advance(work, now=now) if told else None

    def _settled(self, moves: Sequence[Transition]) -> None:
        """Drop committed transitions. Those of a failed transaction stay for the next try."""
        del self._unsettled[: len(moves)]
        for move in moves:
            self._held.pop(move.id, None)

    def _release(self) -> None:
        """Release rows that were not offered or got no dot, and mark those without a reply as
        unknown, so that none waits for its lease to end."""
        now, ledger, dotless = self._post.clock.now(), self._lane.ledger, self._dotless
        tokens = {row.lease.token for row in self._held.values()} | self._asked_for

        def release(work: Transaction) -> None:
            for token in tokens:
                ledger(work).release(token, now=now, dotless=dotless)
                ledger(work).give_up(token, now=now)

        if tokens:
            self._post.unwritten.write(self._post.database, release, self._patience)
