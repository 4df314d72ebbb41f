"""Which relay a new session goes to, and when; and the sessions that wait for the next batch.

The relays are tried in their order. One whose sessions failed three times in a row is left for a
minute, then twice as long each time up to fifteen, and then tried with a single session; the next
in order takes over meanwhile. A relay on another machine gets one new session a second at most.

What is known of a relay outlives a batch, and is shared by all batches of a process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from threading import Lock, Timer

from paperround.core.smtp_url import is_loopback
from paperround.delivery.model import Phase
from paperround.delivery.smtp.conversation import Event, Stopped
from paperround.delivery.smtp.session import Route, SelectorLoop, Session, World

MOST_FAILURES = 3
"""Sessions in a row that came to nothing, after which a relay is left for a while."""

FIRST_REST, LONGEST_REST = 60.0, 900.0
BETWEEN_OPENINGS = 1.0
AFTER_A_REFUSAL = 5.0
"""Seconds, the last after a relay wanted no more sessions than it has."""

NO_RELAY = Stopped(Phase.CONNECT, error="no-relay: there is none to connect to")


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not now, but after this many seconds; `inf`: when a session has ended."""

    seconds: float


@dataclass(slots=True)
class _RelayState:
    """One relay, and how it has behaved. Times are seconds on one monotonic clock."""

    route: Route
    is_near: bool
    sessions: set[Session] = field(default_factory=set)
    works: bool = False
    failures: int = 0
    last: Stopped | None = None
    failed_at: float = -inf
    rests_until: float = -inf
    paced_until: float = -inf

    @property
    def is_on_trial(self) -> bool:
        """Whether a session is just finding out if a failure was more than that."""
        return self.failures > 0 and bool(self.sessions)

    def fail(self, session: Session, stopped: Stopped, now: float) -> None:
        """Sessions that were begun together fail together, which counts once."""
        self.last, self.works = stopped, False
        if session.began >= self.failed_at:
            self.failed_at = now
            self.failures += 1
            rest = FIRST_REST * 2 ** min(max(self.failures - MOST_FAILURES, 0), 4)
            self.rests_until = now + min(rest, LONGEST_REST)


class ConnectionPool:
    """All that is known of the relays, which `open_session` makes sessions for.

    `most` is the most sessions one relay may have, counted over all batches; but each batch may
    have one, so that a confirmation never waits for a thousand digests. Idle sessions are kept for
    `keep` seconds at most: notices leave every few seconds on a busy day, and a long run of digests
    stops for each of them. Any thread may use it.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        open_session: Callable[[Route], Session],
        *,
        most: int,
        keep: float,
        world: World,
    ) -> None:
        self._states = [_RelayState(one, is_loopback(one.relay.host)) for one in routes]
        self._open_session = open_session
        self._most = most
        self._keep = keep
        self._world = world
        self._lock = Lock()
        self._kept: list[Session] = []
        self._timer: Timer | None = None

    def reserve(self, *, mine: int) -> Session | RetryLater | Stopped:
        """One more session, kept or new; or why no relay gives one. `mine` is how many the asking
        batch has. `ended` must be told of it some day."""
        now = self._world.monotonic()
        with self._lock:
            if self._kept:
                return self._kept.pop()
            # Those that are not resting; if all are, those that have not failed often yet.
            rested = [one for one in self._states if one.rests_until <= now]
            few = [one for one in self._states if one.failures < MOST_FAILURES]
            tried = rested or sorted(few, key=lambda one: one.failures)
            state = next((one for one in tried if not one.is_on_trial), None)
            if state is not None:
                if len(state.sessions) >= self._most and mine:
                    return RetryLater(inf)
                if state.paced_until > now:
                    return RetryLater(state.paced_until - now)
                if not state.is_near:
                    state.paced_until = now + BETWEEN_OPENINGS
                session = self._open_session(state.route)
                state.sessions.add(session)
                return session
            if any(one.is_on_trial for one in self._states):
                return RetryLater(BETWEEN_OPENINGS)
            return next((one.last for one in reversed(self._states) if one.last), NO_RELAY)

    def failed(self, session: Session, stopped: Stopped) -> bool:
        """`session` came to nothing, before it had an answer to a message. Whether no other relay
        can be tried at once.

        A relay with sessions that work only wants no more of them.
        """
        now = self._world.monotonic()
        with self._lock:
            state = self._states[session.route.number]
            talk = session.talk
            has_others = any(one.talk.is_open for one in state.sessions - {session})
            if has_others and (talk.is_proven or not talk.is_open):
                state.paced_until = now + AFTER_A_REFUSAL
            elif not talk.is_proven:
                state.fail(session, stopped, now)
                return all(one.rests_until > now for one in self._states)
            return False

    def answered(self, session: Session) -> None:
        """A relay answered to a message."""
        with self._lock:
            state = self._states[session.route.number]
            state.works, state.failures, state.rests_until = True, 0, -inf

    def ended(self, session: Session) -> None:
        """A session that was reserved has ended."""
        with self._lock:
            self._states[session.route.number].sessions.discard(session)

    def has_better(self, session: Session) -> bool:
        """Whether a relay before that of `session` works."""
        return any(one.works for one in self._states[: session.route.number])

    def has_trial_due(self, number: int) -> bool:
        """Whether a relay before that of this number has rested long enough to be tried."""
        now = self._world.monotonic()
        return any(
            one.failures and not one.sessions and one.rests_until <= now
            for one in self._states[:number]
        )

    def wants(self, session: Session) -> bool:
        """Whether an idle session is of use to the next batch."""
        return self._keep > 0 and not self.has_better(session)

    def keep(self, session: Session) -> None:
        """Keep an idle session, which no loop listens to any more."""
        with self._lock:
            session.talk.is_proven = True  # its end meanwhile would say nothing of the relay
            self._kept.append(session)
            if self._timer is None:
                self._timer = Timer(self._keep, self._end_kept)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Say goodbye on the sessions that are kept."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()
        self._end_kept()

    def _end_kept(self) -> None:
        with self._lock:
            kept, self._kept, self._timer = self._kept, [], None
        loop = SelectorLoop(self._world, self._note)
        for session in kept:
            loop.join(session)
            loop.say_goodbye(session)
        loop.finish()
        loop.close()

    def _note(self, session: Session, event: Event | None) -> None:
        if event is None:
            self.ended(session)
