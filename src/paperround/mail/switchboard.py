"""All sessions of a batch: one wait for all of them, and what is heard meanwhile."""

import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterator
from math import inf

from paperround.mail.conversation import Event
from paperround.mail.opener import Opened, Opening
from paperround.mail.session import Session

_ENDING = 1.0
"""Seconds for a thread that has nothing left to do."""

LISTENING = 5.0
"""Seconds after which deadlines are looked at anew, at the latest."""


class Switchboard:
    """Sessions that are open and sessions that are coming about.

    `listen` is called by one thread; only `report` is for others. What a session came to is in
    `heard`, those that are over in `ended`, what was opened in `opened`: whoever listens takes it
    out. `shortest` is the shortest wait for any answer.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        monotonic: Callable[[], float],
        *,
        shortest: float,
    ) -> None:
        self.sessions: set[Session] = set()
        self.idle: dict[Session, None] = {}
        self.openings: set[Opening] = set()
        self.heard: deque[tuple[Session, Event]] = deque()
        self.ended: deque[Session] = deque()
        self.opened: deque[Opening] = deque()
        self._selector = selector
        self._monotonic = monotonic
        self._longest_look = min(shortest, LISTENING)
        self._looks_at = -inf
        self._bell, self._ring = socket.socketpair()
        selector.register(self._bell, selectors.EVENT_READ, None)

    @property
    def is_busy(self) -> bool:
        """Whether anything may still be heard of a mail."""
        return bool(self.openings) or len(self.sessions) > len(self.idle)

    def listen(self, longest: float) -> bool:
        """Wait up to `longest` seconds for something to be heard; whether anything was."""
        ready = self._selector.select(self._wait(longest))
        now = self._monotonic()
        for key, events in ready:
            session: Session | None = key.data
            if session is None:
                self._bell.recv(4096)
                continue
            if events & selectors.EVENT_WRITE:
                session.write(now)
            if events & selectors.EVENT_READ:
                session.read(now)
            self.look_after(session)
        if now >= self._looks_at:
            self._look_at_deadlines(now)
        return bool(ready)

    def _wait(self, longest: float) -> float:
        if longest <= 0 or self.heard or self.ended or self.opened:
            return 0.0
        return max(0.0, min(longest, self._looks_at - self._monotonic()))

    def report(self, opening: Opening) -> None:
        """An opening has its result."""
        self.opened.append(opening)
        try:
            self._ring.send(b"!")
        except OSError:  # the batch has ended meanwhile
            _close(opening)

    def results(self) -> Iterator[Opening]:
        """The openings that have their result since last time."""
        while self.opened:
            opening = self.opened.popleft()
            self.openings.discard(opening)
            opening.join(_ENDING)
            yield opening

    def join(self, session: Session) -> None:
        """Listen to `session` too."""
        self.sessions.add(session)
        self._selector.register(session.sock, selectors.EVENT_READ, session)
        self.look_after(session)

    def release(self, session: Session) -> None:
        """Listen to `session` no more."""
        self._selector.unregister(session.sock)
        self.sessions.discard(session)
        self.idle.pop(session, None)

    def look_after(self, session: Session) -> None:
        """Something was said on either side: take what it came to."""
        talk = session.talk
        if talk.events:
            self.heard.extend((session, event) for event in talk.events)
            talk.events.clear()
        if talk.over:
            if session in self.sessions:
                self.release(session)
                session.close()
                self.ended.append(session)
            return
        if talk.idle:
            self.idle[session] = None
        else:
            self.idle.pop(session, None)
        if session.has_more_to_write != session.is_watched_for_writing:
            self._watch(session)

    def lose_all(self, error: str) -> None:
        """Give every session up as it is."""
        for session in list(self.sessions):
            session.talk.lose(error)
            self.look_after(session)

    def free(self, seconds: float) -> None:
        """End what is left: openings get so many seconds for it."""
        for opening in self.openings:
            opening.kill()
        until = self._monotonic() + seconds
        for opening in self.openings:
            opening.join(max(0.0, until - self._monotonic()))
        for opening in self.opened:
            _close(opening)
        self._selector.close()
        self._bell.close()
        self._ring.close()

    def _watch(self, session: Session) -> None:
        session.is_watched_for_writing = session.has_more_to_write
        writing = selectors.EVENT_WRITE if session.is_watched_for_writing else 0
        self._selector.modify(session.sock, selectors.EVENT_READ | writing, session)

    def _look_at_deadlines(self, now: float) -> None:
        """A deadline is never sooner than the shortest wait from now, so that one look at all of
        them lasts for a while."""
        for session in [one for one in self.sessions if one.talk.is_late(now)]:
            session.talk.lose("timeout: no answer in time")
            self.look_after(session)
        deadlines = [one.talk.deadline for one in self.sessions]
        soonest = min((one for one in deadlines if one is not None), default=inf)
        self._looks_at = min(soonest, now + self._longest_look)


def _close(opening: Opening) -> None:
    if isinstance(opening.result, Opened):
        opening.result.sock.close()
