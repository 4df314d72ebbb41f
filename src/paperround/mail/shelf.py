"""Sessions that wait a few seconds for the next batch."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock, Timer

from paperround.mail.session import Session

_GOODBYE = b"QUIT\r\n"


class Shelf:
    """Keeps idle sessions for `seconds` after the last batch put some there; 0 keeps none.

    Notices leave every few seconds on a busy day, and a long run of digests stops for each of
    them: without this every stop would log in anew. Any thread may use it. `ended` is told the
    relay of each session that is given up.
    """

    def __init__(self, seconds: float, ended: Callable[[int], None], *, goodbye: float) -> None:
        self._seconds = seconds
        self._ended = ended
        self._goodbye = goodbye
        self._lock = Lock()
        self._sessions: list[Session] = []
        self._until = 0.0
        self._timer: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything is kept at all."""
        return self._seconds > 0

    def put(self, sessions: Sequence[Session]) -> None:
        """Keep sessions that are idle."""
        with self._lock:
            self._sessions += sessions
            self._until = time.monotonic() + self._seconds
            if self._timer is None:
                self._wait(self._seconds)

    def take(self) -> Session | None:
        """The session that was put here last; its server may have hung up meanwhile."""
        with self._lock:
            return self._sessions.pop() if self._sessions else None

    def clear(self) -> None:
        """Say goodbye on all that are left."""
        with self._lock:
            timer, self._timer = self._timer, None
            sessions, self._sessions = self._sessions, []
        if timer is not None:
            timer.cancel()
            timer.join(self._goodbye)
        self._end(sessions)

    def _wait(self, seconds: float) -> None:
        self._timer = Timer(seconds, self._time_is_up)
        self._timer.daemon = True
        self._timer.start()

    def _time_is_up(self) -> None:
        """On the timer's thread; others may have been put here since it was set."""
        with self._lock:
            self._timer = None
            left = self._until - time.monotonic()
            if self._sessions and left > 0:
                self._wait(left)
                return
            sessions, self._sessions = self._sessions, []
        self._end(sessions)

    def _end(self, sessions: Sequence[Session]) -> None:
        _say_goodbye([session.sock for session in sessions], self._goodbye)
        for session in sessions:
            session.close()
            self._ended(session.relay)


def _say_goodbye(socks: Sequence[socket.socket], seconds: float) -> None:
    """QUIT to all of them, and wait for each a part of `seconds`: every mail has its answer, so
    nothing is lost with what they say."""
    for sock in socks:
        with suppress(OSError):
            sock.settimeout(seconds / len(socks))
            sock.sendall(_GOODBYE)
    for sock in socks:
        with suppress(OSError):
            sock.recv(512)
