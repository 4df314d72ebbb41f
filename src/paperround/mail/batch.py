"""One batch on its way: envelopes in, outcomes out, a mark before each dot.

    envelopes ─► place ─► offered ─► Ready ─┐
                   ▲                        ├─ all that wait now: before_dot(ids)
    outcomes ◄─── listen ◄─── dots ◄────────┘

Everything happens on the thread of whoever sends; only the opening of sessions has threads of its
own. A turn listens, tells outcomes, finds mails for whoever is free, and marks. While a body is
read at the other end the next mail is made, and lined up to go out with the dot; so by the time of
the mark most sessions wait for theirs, and share one.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from paperround.domain.deliveries import DeliveryId, Envelope, Outcome, Phase
from paperround.domain.replies import UNSENDABLE
from paperround.mail.connection import REST, Stopped, Timeouts
from paperround.mail.conversation import Back, Done, Event, Ready
from paperround.mail.opener import Opened, Opening, Waiting
from paperround.mail.relays import Later, Nowhere, Place, Relays
from paperround.mail.sendable import require_sendable
from paperround.mail.session import Session
from paperround.mail.shelf import Shelf
from paperround.mail.switchboard import Switchboard

MOMENT = 0.01
"""Seconds until mails that may come in a moment are asked for again."""

PATIENCE = 0.05
"""Seconds that mails which are ready wait at most while others are made to follow them."""

SLOWER = 1.05
"""By this the shortest time for an answer grows with each one, so that a line may get slower."""

NEAR = 0.003
"""Seconds within which a server that is near answers a dot."""

TOGETHER = 0.0005
"""Seconds for which mails that are ready wait at most for others that will be ready soon."""

SOON = 0.04
"""The same over a long line, as a part of the time for an answer. Mails whose dots leave together
get their answers together, so that the next ones need not wait at all."""

BeforeDot = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a batch works with. `open` starts the opening of a session to a relay, `greet` makes a
    session of what was opened; `size` is the most sessions."""

    relays: Relays
    shelf: Shelf
    open: Callable[[int, Waiting, Callable[[Opening], None]], Opening]
    greet: Callable[[Opened, int], Session]
    size: int
    timeouts: Timeouts
    monotonic: Callable[[], float]


class Batch:
    """The mails of one batch, and where each of them is."""

    def __init__(self, means: Means, board: Switchboard, stopping: Callable[[], bool]) -> None:
        self._means = means
        self._stopping = stopping
        self._relays = means.relays
        self._board = board
        self._queue: deque[Waiting] = deque()
        self._stock: deque[Waiting] = deque()
        self._ready: dict[Session, Envelope] = {}
        self._ends: deque[Session] = deque()
        self._open_ids: set[DeliveryId] = set()
        self._outcomes: list[Outcome] = []
        self._more = True
        self._is_cut_short = False
        self._crash: BaseException | None = None
        self._pause = inf
        self._trip = inf

    def deliver(
        self, envelopes: Iterator[Envelope | None], before_dot: BeforeDot
    ) -> Iterator[Outcome]:
        """Run the batch to its end. Outcomes go first, then new mails, then marks."""
        goes_on = True
        while self._has_mails or self._board.is_busy:
            self._listen(0.0 if goes_on or self._stock_up(envelopes) else self._pause)
            yield from self._told()
            if self._ready and self._trip < inf:
                yield from self._gather(envelopes)
            goes_on = self._find_mails(envelopes)
            if self._ready:
                served = list(self._ready)  # who gets ready meanwhile has no mail to follow yet
                self._listen(0.0)
                yield from self._told()
                self._mark(before_dot, served)
                goes_on = True
        yield from self._told()

    def _gather(self, envelopes: Iterator[Envelope | None]) -> Iterator[Outcome]:
        """Make mails while further lines get ready, and wait for those a moment: a mark is one
        commit for however many mails."""
        is_near = self._trip <= NEAR
        until = inf if is_near else self._means.monotonic() + SOON * self._trip
        while len(self._ready) < len(self._board.sessions) - len(self._board.idle):
            if not (is_near or self._expects_another(until)):
                return
            longest = 0.0
            if not self._stock_up(envelopes):
                now = self._means.monotonic()
                until = min(until, now + TOGETHER) if is_near else until
                longest = until - now
                if longest <= 0:
                    return
            is_quiet = not self._listen(longest)
            yield from self._told()
            if is_quiet and longest > 0:
                return

    def _expects_another(self, until: float) -> bool:
        """Whether the answer of an open dot is likely to come before a moment that is not over. Of
        a line that is late nothing is expected."""
        if self._means.monotonic() >= until:
            return False
        latest = until - self._trip
        earliest = latest - 2 * SOON * self._trip
        return any(
            earliest <= one.permitted_at <= latest and one.talk.dot_is_open
            for one in self._board.sessions
        )

    def abort(self) -> Iterator[Outcome]:
        """Leave every mail that has no dot, and wait a while for the dots that are open. An error
        of an opening's own is raised last."""
        self._is_cut_short = True
        self._listen(0.0)
        for opening in self._board.openings:
            opening.kill()
        until = self._means.monotonic() + self._means.timeouts.patience
        while self._leave_all_but_open_dots():
            left = until - self._means.monotonic()
            if left <= 0:
                self._board.lose_all("timeout: the run was cut short")
            self._listen(max(left, 0.0))
            yield from self._outcomes
            self._outcomes = []
        yield from self._told()

    def finish(self) -> None:
        """Keep the sessions that may be of use again, and say goodbye on the others."""
        now = self._means.monotonic()
        kept = []
        for session in list(self._board.idle):
            if self._means.shelf.is_open and not self._relays.is_outranked(session.relay):
                self._board.release(session)
                kept.append(session)
            else:
                self._say_goodbye(session, now)
        if kept:
            self._means.shelf.put(kept)
        until = now + self._means.timeouts.goodbye
        while self._board.sessions and (left := until - self._means.monotonic()) > 0:
            self._listen(left)

    def dismiss(self) -> None:
        """End what is unfinished, and tell nobody what came of it."""
        try:
            for _ in self.abort():
                pass
        finally:
            self._board.lose_all("timeout: the run was cut short")
            self._take_what_was_heard()
            self._board.free(self._means.timeouts.goodbye)
            for opening in self._board.openings:
                self._relays.abandoned(opening.relay)

    # --- hearing -------------------------------------------------------------------------------

    def _listen(self, longest: float) -> bool:
        """Whether anything was heard within so many seconds."""
        found = self._board.listen(longest)
        self._take_what_was_heard()
        return found

    def _take_what_was_heard(self) -> None:
        now = self._means.monotonic()
        for opening in self._board.results():
            self._begin(opening, now)
        heard, ended = self._board.heard, self._board.ended
        while heard:
            session, event = heard.popleft()
            self._take(session, event, now)
        while ended:
            self._relays.ended(ended.popleft().relay)

    def _told(self) -> Iterator[Outcome]:
        """What became known since it was asked last, and then what crashed."""
        outcomes, self._outcomes = self._outcomes, []
        yield from outcomes
        crash, self._crash = self._crash, None
        if crash is not None:
            raise crash

    def _take(self, session: Session, event: Event, now: float) -> None:
        match event:
            case Ready(envelope):
                self._ready[session] = envelope
                self._ends.append(session)
            case Done(outcome):
                self._ready.pop(session, None)
                if outcome.phase is Phase.DOT:
                    self._open_ids.discard(outcome.id)
                    self._trip = min(now - session.permitted_at, SLOWER * self._trip)
                self._outcomes.append(outcome)
                self._judge(session, outcome, now)
            case Back(envelope):
                self._queue.append(Waiting(envelope=envelope))

    def _judge(self, session: Session, outcome: Outcome, now: float) -> None:
        """What an outcome says of the relay."""
        reply = outcome.reply
        if reply is not None and reply.code != REST:
            taken = outcome.phase is Phase.DOT and reply.code < 300
            self._relays.answered(session.relay, taken=int(taken), now=now)
            return
        if reply is not None:
            self._relays.told_to_rest(session.relay, now)
        if not session.talk.has_answered:
            stopped = Stopped(outcome.phase, reply=reply, error=outcome.error)
            self._relays.came_to_nothing(session.relay, stopped, now)

    def _begin(self, opening: Opening, now: float) -> None:
        """An opening came to something: a session, a relay that gives none, or a fault of ours."""
        waiting, relay = opening.waiting, opening.relay
        match opening.result:
            case Opened() as opened:
                self._relays.opened(relay)
                session = self._means.greet(opened, relay)
                self._board.join(session)
                if self._is_cut_short:
                    self._leave(session)
                elif not self._stopping():
                    self._offer(waiting.envelope, session, now)
            case Stopped() as stopped:
                if self._relays.failed(relay, stopped, now):
                    self._queue.append(waiting)
                else:
                    tried = waiting.tried | {relay}
                    self._queue.append(replace(waiting, tried=tried, last=stopped))
            case error:
                self._relays.abandoned(relay)
                self._crash = self._crash or error

    # --- finding mails for whoever is free -----------------------------------------------------

    def _find_mails(self, envelopes: Iterator[Envelope | None]) -> bool:
        """Give every place a mail, but no more than one each before the next mark: a mail whose
        line has another to follow costs one round trip instead of two. False when there is nothing
        left to do until something is heard."""
        self._pause = inf
        if self._stopping():
            self._keep_back()
        begin = now = self._means.monotonic()
        for _ in range(self._means.size):
            if not self._has_mails:
                return False
            if self._ready and now - begin > PATIENCE:
                return True
            now = self._means.monotonic()
            place = self._place(now)
            if place is None:
                return False
            waiting = self._first() or self._next(envelopes)
            if waiting is not None:
                self._put(waiting, place, now)
            elif isinstance(place, Place):
                self._relays.cancel(place)
            if self._pause == MOMENT:
                return False
        return True

    def _keep_back(self) -> None:
        """Offer nothing more: neither mails that were made ahead nor mails that came back."""
        self._more = False
        self._queue.clear()
        self._stock.clear()

    @property
    def _has_mails(self) -> bool:
        """Whether there may be mails that are on no wire yet."""
        return self._more or bool(self._queue or self._stock)

    def _first(self) -> Waiting | None:
        """The first of the mails that are at hand: those that came back go first."""
        return (self._queue or self._stock).popleft() if self._queue or self._stock else None

    def _stock_up(self, envelopes: Iterator[Envelope | None]) -> bool:
        """Take up a mail while all lines wait for answers, at most one for each line: then it is
        there when an answer comes, and the line waits for no mail to be made."""
        if not self._more or self._pause == MOMENT or len(self._stock) >= len(self._board.sessions):
            return False
        waiting = self._next(envelopes)
        if waiting is not None:
            self._stock.append(waiting)
        return self._pause != MOMENT

    def _next(self, envelopes: Iterator[Envelope | None]) -> Waiting | None:
        """The next mail that may be put on a wire; None where there is none in this turn. Where
        more may come in a moment, that is how long the next turn listens at most."""
        try:
            envelope = next(envelopes)
        except StopIteration:
            self._more = False
            return None
        if envelope is None:
            self._pause = MOMENT
            return None
        try:
            require_sendable(envelope)
        except ValueError as error:
            unsendable = f"{UNSENDABLE}: {error}"
            self._outcomes.append(Outcome(id=envelope.id, phase=Phase.MAIL, error=unsendable))
            return None
        return Waiting(envelope=envelope)

    def _put(self, waiting: Waiting, place: Session | Place | Stopped, now: float) -> None:
        match place:
            case Session() if place.talk.idle:
                self._offer(waiting.envelope, place, now)
            case Session():
                place.talk.line_up(waiting.envelope)
            case Place(number):
                self._board.openings.add(self._means.open(number, waiting, self._board.report))
            case _:
                self._outcomes.append((waiting.last or place).outcome(waiting.envelope.id))

    def _offer(self, envelope: Envelope, session: Session, now: float) -> None:
        session.talk.offer(envelope, now)
        session.write(now)
        self._board.look_after(session)

    def _place(self, now: float) -> Session | Place | Stopped | None:
        """Where the next mail may go: over a session, over a new one, nowhere and why; or None,
        not now. A mail that comes back never stands second: it could come back for ever."""
        is_due = self._leave_for_better(now)
        if not is_due and (session := self._free_session()):
            return session
        mine = len(self._board.sessions) + len(self._board.openings)
        if mine < self._means.size or is_due:
            tried = self._queue[0].tried if self._queue else ()
            match self._relays.reserve(now, mine=mine, tried=tried):
                case Place() as place:
                    return place
                case Later(seconds):
                    self._pause = seconds
                case Nowhere(stopped) if mine == 0:
                    return stopped
        return None if self._queue else self._place_behind()

    def _leave_for_better(self, now: float) -> bool:
        """Whether a relay before those in use has rested long enough to be tried. Sessions with
        one that only stood in for another, which works again, are ended."""
        if self._relays.is_one:
            return False
        for session in [one for one in self._board.idle if self._relays.is_outranked(one.relay)]:
            self._say_goodbye(session, now)
        used = min((one.relay for one in self._board.sessions), default=0)
        return self._relays.is_due_again(now, before=used)

    def _free_session(self) -> Session | None:
        if self._board.idle:
            return next(iter(self._board.idle))
        while kept := self._means.shelf.take():
            self._board.join(kept)
            if kept in self._board.idle:
                return kept
        return None

    def _place_behind(self) -> Session | None:
        """A session whose mail waits for its dot, and which may have another right behind it."""
        while self._ends:
            session = self._ends.popleft()
            if session.talk.takes_another and not self._relays.is_outranked(session.relay):
                return session
        return None

    # --- dots ----------------------------------------------------------------------------------

    def _mark(self, before_dot: BeforeDot, served: Sequence[Session]) -> None:
        """Let these end their mails. Each id is asked for once: two dots of one id must never be
        open together."""
        waiting = {one: self._ready.pop(one) for one in served if one in self._ready}
        asking: dict[DeliveryId, Session] = {}
        for session, envelope in waiting.items():
            if envelope.id not in self._open_ids:
                asking.setdefault(envelope.id, session)
        permitted = frozenset(before_dot(list(asking)) if asking else ())
        for session, envelope in waiting.items():
            if asking.get(envelope.id) is not session or envelope.id not in permitted:
                self._leave(session)
        self._listen(0.0)  # what came meanwhile came before the dot
        now = self._means.monotonic()
        for session, envelope in waiting.items():
            if session.talk.is_ready:
                self._open_ids.add(envelope.id)
                session.permitted_at = now
                session.talk.permit(now)
                session.write(now)
                self._board.look_after(session)
        self._take_what_was_heard()

    # --- endings -------------------------------------------------------------------------------

    def _say_goodbye(self, session: Session, now: float) -> None:
        session.talk.say_goodbye(now)
        session.write(now)
        self._board.look_after(session)

    def _leave(self, session: Session) -> None:
        session.talk.leave()
        self._board.look_after(session)

    def _leave_all_but_open_dots(self) -> bool:
        """End every session without an open dot; whether any is left."""
        for session in list(self._board.sessions):
            if not session.talk.dot_is_open:
                self._leave(session)
        return bool(self._board.sessions)
