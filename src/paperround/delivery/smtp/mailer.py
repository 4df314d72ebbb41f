"""Send email through the first relay that works, and probe a relay without sending.

    envelopes ─► stock ─► offered or queued ─► Ready ─┐
                                                      ├─ all that are ready: before_dot(ids)
    outcomes ◄── listen ◄─────────────────── dots ◄───┘

Everything happens on the caller's thread. While servers read bodies and answer dots, the next
messages are made and queued, so that each is pipelined with the dot before it.
"""

import re
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import inf

from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import Relay
from paperround.delivery.model import BeforeDot, Envelope, Outcome, Phase, require_sendable
from paperround.delivery.replies import UNSENDABLE
from paperround.delivery.smtp.conversation import (
    CLOSING,
    Conversation,
    Event,
    Ready,
    Returned,
    Stopped,
    Timeouts,
)
from paperround.delivery.smtp.pool import ConnectionPool, RetryLater
from paperround.delivery.smtp.session import Route, SelectorLoop, Session, World, route_to
from paperround.editions.model import DeliveryId

MOMENT = 0.01
"""Seconds until the envelopes are pulled again after a None."""

GATHER = 0.003
"""Most seconds that ready messages wait for others, to share their commit."""

_DEFAULT_TIMEOUTS = Timeouts()
_WORLD = World()
_HOSTNAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")


class SmtpMailer:
    """Send batches, and remember between them which relays work.

    `connections` is the most connections to a relay; they are opened as needed. Without
    `pipelining`, each command waits for its reply, even if the server supports PIPELINING.
    Connections stay open for `keep` seconds after a batch, for the next one.

    Several threads may each send a batch. Raises Misconfigured for an unreadable certificate file
    and for a hostname that is not valid in EHLO.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        hostname: str,
        connections: int = 10,
        pipelining: bool = True,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        keep: float = 0.0,
        world: World = _WORLD,
    ) -> None:
        if not _HOSTNAME.fullmatch(hostname):
            raise Misconfigured(f"{hostname!r} is not a valid host name for EHLO")
        self._hostname = hostname
        self._connections = connections
        self._pipelining = pipelining
        self._timeouts = timeouts
        self._world = world
        routes = [
            route_to(relay, number=number, seconds=timeouts.connect, world=world)
            for number, relay in enumerate(relays)
        ]
        self._pool = ConnectionPool(routes, self._session, most=connections, keep=keep, world=world)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: BeforeDot,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Outcome]:
        """Send `envelopes` and yield one outcome for each, in any order; see `Mailer`.

        There is no outcome for an id that `before_dot` does not return, because its row belongs to
        another claim, nor for an id that is already in flight. An ambiguous envelope gets an
        outcome at MAIL with the error `unsendable: ...`. A message without a session is deferred;
        once every relay is paused, so is the rest of the batch, without another try. A message that
        was queued behind another when their connection was lost is offered again over a new one.

        Once `stopping` returns true, messages not offered yet have no outcome.

        An error of `envelopes` or `before_dot` is raised after the outcomes of the dots already
        written; no other dot follows. Closing the iterator early also writes no more dots, but
        loses outcomes: to stop without losing any, end `envelopes` and keep iterating.
        """
        batch = _Batch(self._pool, self._world, size=self._connections, stopping=stopping)
        try:
            yield from batch.deliver(iter(envelopes), before_dot)
            batch.finish()
        except GeneratorExit:
            raise
        except BaseException:
            yield from batch.abort(self._timeouts.patience)
            raise
        finally:
            batch.close(self._timeouts.patience)

    def close(self) -> None:
        """Quit the idle connections."""
        self._pool.close()

    def _session(self, route: Route) -> Session:
        conversation = Conversation(
            route.relay,
            hostname=self._hostname,
            timeouts=self._timeouts,
            pipelining=self._pipelining,
        )
        return Session(route, conversation, began=self._world.monotonic())


class _Batch:
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
        self._has_progress = False

    def deliver(
        self, envelopes: Iterator[Envelope | None], before_dot: BeforeDot
    ) -> Iterator[Outcome]:
        """Send all envelopes and yield their outcomes."""
        wait = 0.0
        while self._has_more or self._in_flight:
            self._loop.listen(wait)
            self._has_progress = False
            yield from self._drain_outcomes()
            self._dispatch()
            if self._ready and self._commit_at() <= self._monotonic():
                self._mark_ready(before_dot)
            self._fill_stock(envelopes)
            wait = self._commit_at() - self._monotonic() if self._ready else self._pause
            wait = 0.0 if self._has_progress else wait
        yield from self._drain_outcomes()

    def abort(self, patience: float) -> Iterator[Outcome]:
        """Drop every message without a dot, and wait up to `patience` seconds for open dots."""
        until = self._monotonic() + patience
        self._loop.listen(0.0)
        while self._drop_without_dots():
            left = until - self._monotonic()
            if left <= 0:
                self._loop.fail_all("timeout: the run was cut short")
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
            if not session.conversation.is_idle:
                self._drop(session)
            elif self._pool.should_keep(session):
                self._loop.release(session)
                self._pool.keep(session)
            else:
                self._loop.quit(session)
        self._loop.finish()

    # --- events --------------------------------------------------------------------------------

    def _handle(self, session: Session, event: Event | None) -> None:
        self._has_progress = True
        match event:
            case Ready(envelope):
                self._ready_since = self._ready_since if self._ready else self._monotonic()
                self._ready[session] = envelope
            case Returned(envelope):
                self._returned.append(envelope)
            case Outcome() as outcome:
                self._add_outcome(outcome)
                # The reply to a message also shows whether the relay works.
                reply = outcome.reply
                if reply is not None and reply.code != CLOSING:
                    self._pool.record_reply(session)
                elif reply is not None or not session.conversation.is_proven:
                    self._pool.record_failure(
                        session, Stopped(outcome.phase, reply=reply, error=outcome.error)
                    )
            case Stopped() if self._pool.record_failure(session, event):
                self._fail_next(event)
            case None:
                self._ready.pop(session, None)
                self._pool.record_end(session)

    def _add_outcome(self, outcome: Outcome) -> None:
        self._has_progress = True
        self._in_flight.discard(outcome.id)
        self._outcomes.append(outcome)

    def _fail_next(self, stopped: Stopped) -> None:
        """Give the next message the outcome of a session that failed to open."""
        waiting = self._returned or self._stock
        if waiting:
            self._add_outcome(stopped.outcome(waiting.popleft().id))

    def _drain_outcomes(self) -> Iterator[Outcome]:
        outcomes, self._outcomes = self._outcomes, []
        yield from outcomes

    # --- dispatching ---------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Offer a message to each free session, and open further sessions for the rest.

        A returned message is never queued behind another: it could be returned forever.
        """
        self._pause = inf
        if self._stopping():
            self._drop_unoffered()
        self._open_sessions()
        for session in [one for one in self._loop.sessions if one.conversation.is_idle]:
            if self._pool.has_preferred(session):
                self._loop.quit(session)
            elif waiting := self._returned or self._stock:
                session.conversation.offer(waiting.popleft(), self._monotonic())
                self._loop.serve(session)
        for session in self._ready:
            conversation = session.conversation
            if self._stock and conversation.can_queue and not self._pool.has_preferred(session):
                conversation.queue(self._stock.popleft())

    def _drop_unoffered(self) -> None:
        """Drop messages not offered yet: those in stock and those that were returned."""
        self._has_more = False
        for waiting in (self._returned, self._stock):
            self._in_flight.difference_update(one.id for one in waiting)
            waiting.clear()

    def _open_sessions(self) -> None:
        while self._needs_session():
            match self._pool.reserve(mine=len(self._loop.sessions)):
                case Session() as session:
                    self._loop.join(session)
                case RetryLater(seconds):
                    self._pause = seconds
                    return
                case stopped if self._loop.sessions:
                    return
                case stopped:
                    self._fail_next(stopped)

    def _needs_session(self) -> bool:
        """Whether a message waits for a session, or a preferred relay is due for a trial."""
        sessions = self._loop.sessions
        free = sum(one.conversation.is_idle or not one.conversation.is_open for one in sessions)
        if len(self._returned) + len(self._stock) <= free:
            return False
        used = min((one.route.number for one in sessions), default=0)
        return len(sessions) < self._size or self._pool.has_trial_due(used)

    def _fill_stock(self, envelopes: Iterator[Envelope | None]) -> None:
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
            self._has_progress = True
            if envelope.id not in self._in_flight:
                try:
                    require_sendable(envelope)
                except ValueError as error:
                    unsendable = f"{UNSENDABLE}: {error}"
                    self._add_outcome(Outcome(id=envelope.id, phase=Phase.MAIL, error=unsendable))
                else:
                    self._in_flight.add(envelope.id)
                    self._stock.append(envelope)

    # --- dots ----------------------------------------------------------------------------------

    def _commit_at(self) -> float:
        """Return when ready messages stop waiting for others: at once if all sessions are ready."""
        busy = sum(not one.conversation.is_idle for one in self._loop.sessions)
        return self._ready_since + GATHER if len(self._ready) < busy else -inf

    def _mark_ready(self, before_dot: BeforeDot) -> None:
        """Commit the marks of the ready messages, and write the permitted dots."""
        waiting, self._ready = self._ready, {}
        permitted = frozenset(before_dot([one.id for one in waiting.values()]))
        for session, envelope in waiting.items():
            if envelope.id not in permitted:
                self._in_flight.discard(envelope.id)
                self._drop(session)
        self._loop.listen(0.0)  # replies received during the commit precede the dot
        for session in waiting:
            if session.conversation.is_ready:
                session.conversation.write_dot(self._monotonic())
                self._loop.serve(session)

    # --- endings -------------------------------------------------------------------------------

    def _drop(self, session: Session) -> None:
        session.conversation.drop()
        self._loop.serve(session)

    def _drop_without_dots(self) -> bool:
        """End every session without an open dot. Returns whether any is left."""
        for session in list(self._loop.sessions):
            if not session.conversation.dot_is_open:
                self._drop(session)
        return bool(self._loop.sessions)


_PROBE_TIMEOUTS = Timeouts(connect=10, command=15, goodbye=2)


def probe(
    relay: Relay, *, hostname: str, sender: str, timeouts: Timeouts = _PROBE_TIMEOUTS
) -> datetime | None:
    """Test whether the relay accepts a message from `sender`, and return when its certificate
    expires, None without TLS.

    `hostname` is the name in EHLO. Raises Stopped where a message would be refused, and
    Misconfigured for an unreadable certificate file.
    """
    expires_at: datetime | None = None
    stopped: list[Stopped] = []

    def note(_session: Session, event: Event | None) -> None:
        if isinstance(event, Stopped):
            stopped.append(event)

    route = route_to(relay, seconds=timeouts.connect, world=_WORLD)
    conversation = Conversation(relay, hostname=hostname, timeouts=timeouts, sender=sender)
    session = Session(route, conversation, began=0.0)
    loop = SelectorLoop(_WORLD, note)
    loop.join(session)
    while loop.sessions:
        loop.listen(inf)
        if conversation.is_idle:
            if isinstance(session.sock, ssl.SSLSocket) and (peer := session.sock.getpeercert()):
                expiry = ssl.cert_time_to_seconds(str(peer["notAfter"]))
                expires_at = datetime.fromtimestamp(expiry, tz=UTC)
            loop.quit(session)
    loop.close()
    if stopped:
        raise stopped[0]
    return expires_at
