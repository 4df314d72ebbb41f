"""Choose the relay of each new session, and keep idle sessions for the next batch.

Relays are tried in order. After three failed sessions in a row, a relay is skipped for a minute,
then twice as long each time up to fifteen, and then tried with a single session; meanwhile the next
relay is used. A relay on another machine gets at most one new session a second.

The state of a relay outlives a batch, and is shared by all batches of a process.
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
"""After this many consecutive failed sessions a relay is skipped for a while."""

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 900.0
BETWEEN_OPENINGS = 1.0
AFTER_A_REFUSAL = 5.0
"""Seconds. The last applies after a relay refused a session while others are open."""

NO_RELAY = Stopped(Phase.CONNECT, error="no-relay: there is none to connect to")


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Retry after this many seconds; `inf` means when a session has ended."""

    seconds: float


@dataclass(slots=True)
class _RelayState:
    """A relay and its recent failures. Times are seconds on a monotonic clock."""

    route: Route
    is_local: bool
    sessions: set[Session] = field(default_factory=set)
    works: bool = False
    failures: int = 0
    last: Stopped | None = None
    failed_at: float = -inf
    paused_until: float = -inf
    next_session_at: float = -inf

    @property
    def is_on_trial(self) -> bool:
        """Whether a session is testing the relay after a failure."""
        return self.failures > 0 and bool(self.sessions)

    def fail(self, session: Session, stopped: Stopped, now: float) -> None:
        """Record a failure. Sessions that began before the last failure do not count again."""
        self.last, self.works = stopped, False
        if session.began >= self.failed_at:
            self.failed_at = now
            self.failures += 1
            pause = FIRST_PAUSE * 2 ** min(max(self.failures - MOST_FAILURES, 0), 4)
            self.paused_until = now + min(pause, LONGEST_PAUSE)


class ConnectionPool:
    """The relays and their sessions, which `open_session` creates.

    `most` limits the sessions of a relay over all batches; but each batch may have one, so that a
    confirmation never waits for a thousand digests. Idle sessions are kept for up to `keep`
    seconds: on a busy day system email leaves every few seconds, and a long run of digests stops
    for each. Thread-safe.
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
        self._idle: list[Session] = []
        self._timer: Timer | None = None

    def reserve(self, *, mine: int) -> Session | RetryLater | Stopped:
        """Return an idle or a new session, or why there is none. `mine` is how many the calling
        batch already has. Call `record_end` when it has ended."""
        now = self._world.monotonic()
        with self._lock:
            if self._idle:
                return self._idle.pop()
            # Relays that are not paused; if all are, those that have failed fewer times.
            available = [one for one in self._states if one.paused_until <= now]
            failing = [one for one in self._states if one.failures < MOST_FAILURES]
            candidates = available or sorted(failing, key=lambda one: one.failures)
            state = next((one for one in candidates if not one.is_on_trial), None)
            if state is not None:
                if len(state.sessions) >= self._most and mine:
                    return RetryLater(inf)
                if state.next_session_at > now:
                    return RetryLater(state.next_session_at - now)
                if not state.is_local:
                    state.next_session_at = now + BETWEEN_OPENINGS
                session = self._open_session(state.route)
                state.sessions.add(session)
                return session
            if any(one.is_on_trial for one in self._states):
                return RetryLater(BETWEEN_OPENINGS)
            return next((one.last for one in reversed(self._states) if one.last), NO_RELAY)

    def record_failure(self, session: Session, stopped: Stopped) -> bool:
        """Record that `session` ended before a reply to a message. Returns whether no other relay
        can be tried now.

        A relay with other working sessions is not failing: it only refuses further ones.
        """
        now = self._world.monotonic()
        with self._lock:
            state = self._states[session.route.number]
            conversation = session.conversation
            has_others = any(one.conversation.is_open for one in state.sessions - {session})
            if has_others and (conversation.is_proven or not conversation.is_open):
                state.next_session_at = now + AFTER_A_REFUSAL
            elif not conversation.is_proven:
                state.fail(session, stopped, now)
                return all(one.paused_until > now for one in self._states)
            return False

    def record_reply(self, session: Session) -> None:
        """Record that the relay of `session` replied to a message."""
        with self._lock:
            state = self._states[session.route.number]
            state.works, state.failures, state.paused_until = True, 0, -inf

    def record_end(self, session: Session) -> None:
        """Record that a reserved session has ended."""
        with self._lock:
            self._states[session.route.number].sessions.discard(session)

    def has_preferred(self, session: Session) -> bool:
        """Whether a relay preferred to that of `session` works."""
        return any(one.works for one in self._states[: session.route.number])

    def has_trial_due(self, number: int) -> bool:
        """Whether a relay preferred to that of this number is due for a trial after a pause."""
        now = self._world.monotonic()
        return any(
            one.failures and not one.sessions and one.paused_until <= now
            for one in self._states[:number]
        )

    def should_keep(self, session: Session) -> bool:
        """Whether to keep an idle session for the next batch."""
        return self._keep > 0 and not self.has_preferred(session)

    def keep(self, session: Session) -> None:
        """Keep an idle session that no loop listens to."""
        with self._lock:
            session.conversation.is_proven = (
                True  # its end while idle is not a failure of the relay
            )
            self._idle.append(session)
            if self._timer is None:
                self._timer = Timer(self._keep, self._quit_idle)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Quit the idle sessions."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()
        self._quit_idle()

    def _quit_idle(self) -> None:
        with self._lock:
            idle, self._idle, self._timer = self._idle, [], None
        loop = SelectorLoop(self._world, self._handle)
        for session in idle:
            loop.join(session)
            loop.quit(session)
        loop.finish()
        loop.close()

    def _handle(self, session: Session, event: Event | None) -> None:
        if event is None:
            self.record_end(session)
