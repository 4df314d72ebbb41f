"""Deliver: claim rows, make their bytes, send them, and write down what the server said.

    reclaim dead leases ─► expire ─► claim ─► compose ─► mailer ─► before the dot: in_data
          ▲                                                              │
          └────────── settle: sent | deferred | failed | unknown ◄── outcome

Everything here runs on one thread; the mailer's sockets do not. A mark and the outcomes that came
before it are one transaction, so at most one message a connection is ever in doubt. Outcomes that
cannot be written down wait in the process, and no mail leaves it before they are.

Notices go before digests. A notice that comes while digests are going out waits for one claim of
them at most: the run of digests then ends, notices are sent, and digests go on. The two lanes never
meet in one batch, since a row of one may have the same number as a row of the other.
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
"""How long a marked mail may wait for its answer before its process counts as dead. A server may
take ten minutes (RFC 5321 section 4.5.3.2.6)."""

SETTLE = 50
"""Outcomes that may wait for the next mark before they get a transaction of their own."""

MOST_KEYLESS = 50
"""Mails whose key is gone that a run passes over; where there are more, all are likely to be."""

ASKED_TO_STOP = "this process was asked to stop"


@dataclass(slots=True)
class RunTotals:
    """What the runs of one call came to."""

    pacer: Pacer
    ended: dict[bool, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    troubles: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    stopped: str | None = None

    def awaits(self) -> bool:
        """Whether mails wait for slots, having waited for the next of them or for a while."""
        return self.stopped is None and self.pacer.awaits()

    def send(self, run: "SendRun[Mail]") -> bool:
        """Send all that `run` finds; False when it had to stop."""
        run.tidy()
        run.send()
        self.stopped = self.stopped or run.stopped
        self.troubles += run.troubles
        self.ended[run.is_first] += run.ended
        return run.stopped is None


_Claimed = tuple[Sequence[Mail] | None, Gate | None, datetime | None]
"""The rows of a claim, what let them leave, and how far this machine came with it."""


class SendRun(Generic[Mail]):
    """One pass over what is due in a lane: the rows it holds, the outcomes not written down yet."""

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
        """Claim and send until a claim comes back empty, other mail has to go first, or the relay
        refuses us."""
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
        """End dead leases and mails whose life is over."""
        now, processes = self._post.clock.now(), self._post.processes

        def tidy(work: Transaction) -> tuple[Mapping[str, int], int]:
            ledger = self._lane.ledger(work)
            reason = work[PaceStore].why_untried(now=now)
            return ledger.reclaim(processes, now=now), ledger.expire(now=now, untried=reason)

        ended, self.expired = write(self._post.database, tidy)
        if ended or self.expired:
            log.info("%s: reclaimed %s, expired %d", self._lane.name, dict(ended), self.expired)

    def _envelopes(self) -> Iterator[Envelope | None]:
        """The mails that may leave; None while others may leave a little later and some are under
        way. The batch stays open for those, though nothing may leave just now."""
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
                if self._turned_back:  # a list was paused or somebody left: look at the rest anew
                    self._give_back(rows[place:])
                    break
                envelope = self._composed(row)
                if envelope is not None:
                    self._under_way.add(row.id)
                    yield envelope

    def _pauses(self, wanted: bool) -> Iterator[None]:
        """Let the mailer go on with what is under way, or wait when nothing is."""
        if wanted and self._under_way:
            yield None
        elif wanted and not self._pacer.rest(first=self._lane.first):
            self.stopped = self.stopped or ASKED_TO_STOP

    def _goes_on(self) -> bool:
        if self.stopped is None and self._post.stopping():
            self.stopped = ASKED_TO_STOP
        return self.stopped is None

    def _give_back(self, rows: Sequence[Mail]) -> None:
        """Let go of rows of one claim that are not to be sent now."""
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
        ended = {move.id for move in settling}  # a row that is due again at once may be claimed
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

        self._asked_for = {lease.token}  # also if the claim counts and its answer is lost
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
        """The mail of a row; a mail that cannot be made fails alone.

        What is wrong with the installation and not with the mail stops the run instead.
        """
        if not self._lane.has_key(row):
            # It waits until its key is back. It is given back at once: in hand it would count as
            # under way to its domain.
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
        except (Conflict, DatabaseFailed):  # the fault of no mail
            raise
        except RenderingFailed as error:
            self._keep(self._moves.failed(row, f"rendering: {error}"))
        except Exception as error:  # a poison message must not stop the other 999
            log.exception("%s %d could not be composed", self._lane.name, row.id)
            self._keep(self._moves.broke_down(row, f"{type(error).__name__}: {error}"))
        return None

    def _before_dot(self, ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        """Commit the marks of `ids` together with every outcome that came before them. What is
        not marked is no longer ours: nobody holds it, or somebody else does. Once the relay
        refuses us none is: those in hand are given back without a try."""
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

        self._dotless = ids  # also if the mark counts and its answer is lost
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
        """What became of a mail, until it is written down."""
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
        """How far this machine comes with what the transaction tells of mails, if it does."""
        return self._post.marks.advance(work, now=now) if told else None

    def _settled(self, moves: Sequence[Transition]) -> None:
        """Forget what is committed, and only that: a failed transaction is tried again."""
        del self._unsettled[: len(moves)]
        for move in moves:
            self._held.pop(move.id, None)

    def _release(self) -> None:
        """Give back what was not offered, or got no dot, and give up what nobody listens for any
        more: nobody is to wait for a lease."""
        now, ledger, dotless = self._post.clock.now(), self._lane.ledger, self._dotless
        tokens = {row.lease.token for row in self._held.values()} | self._asked_for

        def release(work: Transaction) -> None:
            for token in tokens:
                ledger(work).release(token, now=now, dotless=dotless)
                ledger(work).give_up(token, now=now)

        if tokens:
            self._post.unwritten.write(self._post.database, release, self._patience)
