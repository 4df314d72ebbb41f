"""Send one batch: envelopes in, outcomes out, a commit before each final dot.

    envelopes ─► stock ─► offered or queued ─► Ready ─┐
                                                      ├─ all that are ready: before_dot(ids)
    outcomes ◄── listen ◄─────────────────── dots ◄───┘

Everything happens on the caller's thread. While servers read bodies and answer dots, the next
messages are made and queued, so that each is pipelined with the dot before it.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from math import inf

from paperround.delivery.model import Envelope, Outcome, Phase
from paperround.delivery.replies import UNSENDABLE
from paperround.delivery.smtp.conversation import REST, Back, Event, Ready, Stopped
from paperround.delivery.smtp.pool import ConnectionPool, RetryLater
from paperround.delivery.smtp.session import SelectorLoop, Session, World
from paperround.delivery.wire_format import require_sendable
from paperround.editions.model import DeliveryId

MOMENT = 0.01
"""Seconds until the envelopes are pulled again after a None."""

GATHER = 0.003
"""Most seconds that ready messages wait for others, to share their commit."""

BeforeDot = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]


class Batch:
    """The messages of one batch and their sessions, `size` at most."""

    def __init__(
        self, pool: ConnectionPool, world: World, *, size: int, stopping: Callable[[], bool]
    ) -> None:
        self._pool = pool
        self._size = size
        self._stopping = stopping
        self._monotonic = world.monotonic
        self._loop = SelectorLoop(world, self._handle)
        self._stock: deque[Envelope] = deque()
        self._returned: deque[Envelope] = deque()
        self._in_flight: set[DeliveryId] = set()
        self._ready: dict[Session, Envelope] = {}
        self._ready_since = 0.0
        self._outcomes: list[Outcome] = []
        self._has_more = True
        self._pause = inf
        self._goes_on = False

    def deliver(
        self, envelopes: Iterator[Envelope | None], before_dot: BeforeDot
    ) -> Iterator[Outcome]:
        """Send all envelopes and yield their outcomes."""
        wait = 0.0
        while self._has_more or self._in_flight:
            self._loop.listen(wait)
            self._goes_on = False
            yield from self._drain_outcomes()
            self._hand_out()
            if self._ready and self._gathering_ends() <= self._monotonic():
                self._mark(before_dot)
            self._stock_up(envelopes)
            wait = self._gathering_ends() - self._monotonic() if self._ready else self._pause
            wait = 0.0 if self._goes_on else wait
        yield from self._drain_outcomes()

    def abort(self, patience: float) -> Iterator[Outcome]:
        """Drop every message without a dot, and wait up to `patience` seconds for open dots."""
        until = self._monotonic() + patience
        self._loop.listen(0.0)
        while self._leave_all_but_open_dots():
            left = until - self._monotonic()
            if left <= 0:
                self._loop.lose_all("timeout: the run was cut short")
            self._loop.listen(max(left, 0.0))
            yield from self._drain_outcomes()
        yield from self._drain_outcomes()

    def close(self, patience: float) -> None:
        """Abort what is unfinished, and discard the outcomes."""
        try:
            for _ in self.abort(patience):
                pass
        finally:
            self._loop.close()

    def finish(self) -> None:
        """Return reusable sessions to the pool, and quit the others."""
        for session in list(self._loop.sessions):
            if not session.talk.is_idle:
                self._leave(session)
            elif self._pool.wants(session):
                self._loop.release(session)
                self._pool.keep(session)
            else:
                self._loop.say_goodbye(session)
        self._loop.finish()

    # --- events --------------------------------------------------------------------------------

    def _handle(self, session: Session, event: Event | None) -> None:
        self._goes_on = True
        match event:
            case Ready(envelope):
                self._ready_since = self._ready_since if self._ready else self._monotonic()
                self._ready[session] = envelope
            case Back(envelope):
                self._returned.append(envelope)
            case Outcome() as outcome:
                self._tell(outcome)
                # The reply to a message also shows whether the relay works.
                reply = outcome.reply
                if reply is not None and reply.code != REST:
                    self._pool.answered(session)
                elif reply is not None or not session.talk.is_proven:
                    self._pool.failed(
                        session, Stopped(outcome.phase, reply=reply, error=outcome.error)
                    )
            case Stopped() if self._pool.failed(session, event):
                self._put_off(event)
            case None:
                self._ready.pop(session, None)
                self._pool.ended(session)

    def _tell(self, outcome: Outcome) -> None:
        self._goes_on = True
        self._in_flight.discard(outcome.id)
        self._outcomes.append(outcome)

    def _put_off(self, stopped: Stopped) -> None:
        """Give the next message the outcome of a session that failed to open."""
        mails = self._returned or self._stock
        if mails:
            self._tell(stopped.outcome(mails.popleft().id))

    def _drain_outcomes(self) -> Iterator[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        yield from outcomes

    # --- dispatching ---------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Offer a message to each free session, and open further sessions for the rest.

        A returned message is never queued behind another: it could be returned forever.
        """
        self._pause = inf
        if self._stopping():
            self._keep_back()
        self._open_sessions()
        for session in [one for one in self._loop.sessions if one.talk.is_idle]:
            if self._pool.has_better(session):
                self._loop.say_goodbye(session)
            elif mails := self._returned or self._stock:
                session.talk.offer(mails.popleft(), self._monotonic())
                self._loop.serve(session)
        for session in self._ready:
            if self._stock and session.talk.takes_another and not self._pool.has_better(session):
                session.talk.line_up(self._stock.popleft())

    def _keep_back(self) -> None:
        """Drop messages not offered yet: those in stock and those that were returned."""
        self._has_more = False
        for mails in (self._returned, self._stock):
            self._in_flight.difference_update(one.id for one in mails)
            mails.clear()

    def _open_sessions(self) -> None:
        while self._lacks_sessions():
            match self._pool.reserve(mine=len(self._loop.sessions)):
                case Session() as session:
                    self._loop.join(session)
                case RetryLater(seconds):
                    self._pause = seconds
                    return
                case stopped if self._loop.sessions:
                    return
                case stopped:
                    self._put_off(stopped)

    def _lacks_sessions(self) -> bool:
        """Whether a message waits for a session, or a preferred relay is due for a trial."""
        sessions = self._loop.sessions
        free = sum(one.talk.is_idle or not one.talk.is_open for one in sessions)
        if len(self._returned) + len(self._stock) <= free:
            return False
        used = min((one.route.number for one in sessions), default=0)
        return len(sessions) < self._size or self._pool.has_trial_due(used)

    def _stock_up(self, envelopes: Iterator[Envelope | None]) -> None:
        """Pull one message for each session and one more, so that free sessions need not wait."""
        most = min(self._size, len(self._loop.sessions) + 1)
        for _ in range(most - len(self._stock) if self._has_more else 0):
            try:
                envelope = next(envelopes)
            except StopIteration:
                self._has_more = False
                return
            if envelope is None:
                self._pause = min(self._pause, MOMENT)
                return
            self._goes_on = True
            if envelope.id not in self._in_flight:
                try:
                    require_sendable(envelope)
                except ValueError as error:
                    unsendable = f"{UNSENDABLE}: {error}"
                    self._tell(Outcome(id=envelope.id, phase=Phase.MAIL, error=unsendable))
                else:
                    self._in_flight.add(envelope.id)
                    self._stock.append(envelope)

    # --- dots ----------------------------------------------------------------------------------

    def _gathering_ends(self) -> float:
        """Return when ready messages stop waiting for others: at once if all sessions are ready."""
        busy = sum(not one.talk.is_idle for one in self._loop.sessions)
        return self._ready_since + GATHER if len(self._ready) < busy else -inf

    def _mark(self, before_dot: BeforeDot) -> None:
        """Commit the marks of the ready messages, and write the permitted dots."""
        waiting, self._ready = self._ready, {}
        permitted = frozenset(before_dot([one.id for one in waiting.values()]))
        for session, envelope in waiting.items():
            if envelope.id not in permitted:
                self._in_flight.discard(envelope.id)
                self._leave(session)
        self._loop.listen(0.0)  # replies received during the commit precede the dot
        for session in waiting:
            if session.talk.is_ready:
                session.talk.permit(self._monotonic())
                self._loop.serve(session)

    # --- endings -------------------------------------------------------------------------------

    def _leave(self, session: Session) -> None:
        session.talk.leave()
        self._loop.serve(session)

    def _leave_all_but_open_dots(self) -> bool:
        """End every session without an open dot. Returns whether any is left."""
        for session in list(self._loop.sessions):
            if not session.talk.dot_is_open:
                self._leave(session)
        return bool(self._loop.sessions)
