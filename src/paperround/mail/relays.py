"""Which relay a new session goes to, and when: order, rests, and the pace of opening.

The relays are tried in their order. One whose sessions failed three times in a row is left for a
minute, then twice as long each time up to fifteen, and then tried with a single session; the next
in order takes over meanwhile. A relay on another machine gets one new session a second at most, and
is warmed up: two sessions, then one more for every twenty mails it took.

What is known of a relay outlives a batch, and is shared by all batches of a process.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from threading import Lock

from paperround.domain.deliveries import Phase
from paperround.domain.smtp_url import Relay, is_loopback
from paperround.mail.connection import Stopped

MOST_FAILURES = 3
"""Sessions in a row that came to nothing, after which a relay is left for a while."""

FIRST_REST, LONGEST_REST = 60.0, 900.0
BETWEEN_OPENINGS = 1.0
AFTER_A_REFUSAL = 2.0
"""Seconds, the second after a relay wanted no more sessions than it has."""

FIRST_SESSIONS = 2
MAILS_FOR_ONE_MORE = 20

NO_RELAY = Stopped(Phase.CONNECT, error="no-relay: there is none to connect to")


@dataclass(frozen=True, slots=True)
class Place:
    """Open a session to the relay of this number. `paced_until` is how it stood before."""

    number: int
    paced_until: float


@dataclass(frozen=True, slots=True)
class Later:
    """Not now, but after this many seconds; `inf`: when a session has ended."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No relay is left to try; the last one failed like this."""

    stopped: Stopped


class Relays:
    """All that is known of the relays. Times are seconds on one monotonic clock.

    `sessions` is the most one relay may have open, counted over all batches; but each batch may
    have one, so that a confirmation never waits for a thousand digests.
    """

    def __init__(self, relays: Sequence[Relay], *, sessions: int) -> None:
        self._lock = Lock()
        self._known = [_Known(relay, sessions) for relay in relays]

    @property
    def is_one(self) -> bool:
        """Whether there is no choice."""
        return len(self._known) == 1

    def reserve(
        self, now: float, *, mine: int, tried: Collection[int] = ()
    ) -> Place | Later | Nowhere:
        """A place for one more session, for a mail that was refused a session by those `tried`;
        `mine` is how many the asking batch has. It must be told of by `opened` or `failed`, or
        given back with `cancel`."""
        last, is_in_hand = NO_RELAY, False
        with self._lock:
            for number, known in enumerate(self._known):
                last = known.last or last
                is_in_hand |= known.is_in_hand and number not in tried
                if number in tried or not known.may_be_tried(now):
                    continue
                if known.sessions >= known.most and mine:
                    return Later(inf)
                if (wait := known.paced_until - now) > 0:
                    return Later(wait)
                place = Place(number, known.paced_until)
                known.begin(now)
                return place
        return Later(BETWEEN_OPENINGS) if is_in_hand else Nowhere(last)

    def cancel(self, place: Place) -> None:
        """A place was not needed."""
        with self._lock:
            known = self._known[place.number]
            known.paced_until = place.paced_until
            known.opening -= 1
            known.forget_probe()

    def abandoned(self, number: int) -> None:
        """An opening was ended by us."""
        with self._lock:
            self._known[number].opening -= 1
            self._known[number].forget_probe()

    def opened(self, number: int) -> None:
        """A session came about."""
        with self._lock:
            known = self._known[number]
            known.opening -= 1
            known.open += 1

    def failed(self, number: int, stopped: Stopped, now: float) -> bool:
        """A session did not come about. True when that only means that the relay wants no more
        of them: it has others that work."""
        with self._lock:
            known = self._known[number]
            known.opening -= 1
            if known.open:
                known.want_fewer(now)
                known.paced_until = max(known.paced_until, now + AFTER_A_REFUSAL)
                return True
            known.fail(stopped, now)
            return False

    def ended(self, number: int) -> None:
        """An open session has ended."""
        with self._lock:
            self._known[number].open -= 1
            self._known[number].forget_probe()

    def came_to_nothing(self, number: int, stopped: Stopped, now: float) -> None:
        """A session ended before it had answered to one mail; it counts as one that failed."""
        with self._lock:
            self._known[number].fail(stopped, now)

    def answered(self, number: int, *, taken: int, now: float) -> None:
        """A relay answered to mails, and took so many of them."""
        with self._lock:
            self._known[number].prove(taken, now)

    def told_to_rest(self, number: int, now: float) -> None:
        """A session was ended with 421: one session less for now."""
        with self._lock:
            self._known[number].want_fewer(now)

    def is_due_again(self, now: float, *, before: int) -> bool:
        """Whether a relay before that of this number has rested long enough to be tried."""
        with self._lock:
            return any(known.is_due_again(now) for known in self._known[:before])

    def is_outranked(self, number: int) -> bool:
        """Whether a relay before that of this number works."""
        with self._lock:
            return any(known.works for known in self._known[:number])


class _Known:
    """One relay, and how it has behaved."""

    def __init__(self, relay: Relay, sessions: int) -> None:
        self.last: Stopped | None = None
        self.works = False
        self.open = self.opening = 0
        self.paced_until = -inf
        self._ceiling = sessions
        self._is_near = is_loopback(relay.host)
        self.most = self._first
        self._taken = 0
        self._grows_from = -inf
        self._failures = 0
        self._rest = 0.0
        self._rests_until = -inf
        self._probed = False

    @property
    def sessions(self) -> int:
        return self.open + self.opening

    @property
    def _first(self) -> int:
        return self._ceiling if self._is_near else min(FIRST_SESSIONS, self._ceiling)

    @property
    def _is_left(self) -> bool:
        return self._rest > 0

    def may_be_tried(self, now: float) -> bool:
        return not self._probed and (not self._is_left or now >= self._rests_until)

    @property
    def is_in_hand(self) -> bool:
        """Whether somebody is just finding out if a failure was more than that."""
        return self._probed and not self._is_left

    def is_due_again(self, now: float) -> bool:
        return self._failures > 0 and not self._probed and now >= self._rests_until

    def begin(self, now: float) -> None:
        self.opening += 1
        self._probed = self._failures > 0
        if not self._is_near:
            self.paced_until = now + BETWEEN_OPENINGS

    def forget_probe(self) -> None:
        """The one session that was to tell has ended and told nothing."""
        self._probed = self._probed and self.sessions > 0

    def fail(self, stopped: Stopped, now: float) -> None:
        self.last = stopped
        self._failures += 1
        if self._failures >= MOST_FAILURES and (self._probed or not self._is_left):
            self._rest = min(max(FIRST_REST, self._rest * 2), LONGEST_REST)
        self._rests_until = now + max(FIRST_REST, self._rest)
        self._probed = self.works = False
        self.most = self._first

    def prove(self, taken: int, now: float) -> None:
        self.works, self._failures, self._rest, self._probed = True, 0, 0.0, False
        if self.most < self._ceiling and now >= self._grows_from:
            self._taken += taken
            more, self._taken = divmod(self._taken, MAILS_FOR_ONE_MORE)
            self.most = min(self.most + more, self._ceiling)

    def want_fewer(self, now: float) -> None:
        self.most = max(1, min(self.most - 1, self.open))
        self._grows_from = now + FIRST_REST
