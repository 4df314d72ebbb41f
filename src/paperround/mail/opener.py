"""Opening a session in a thread of its own, so that a slow handshake holds up no other session."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Protocol

from paperround.domain.deliveries import Envelope
from paperround.mail.connection import Connection, Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mail that has no session; the relays that gave it none, and how the last one failed."""

    envelope: Envelope
    tried: frozenset[int] = field(default_factory=frozenset)
    last: Stopped | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The socket, ready for MAIL, and the extensions of EHLO."""

    sock: socket.socket
    features: Sequence[str]


class Running(Protocol):
    """A thread that was started."""

    def join(self, timeout: float | None = None) -> None: ...


def in_a_thread(run: Callable[[], None]) -> Running:
    """Start `run`. A daemon: a relay that hangs cannot keep a process from ending."""
    thread = Thread(target=run, name="paperround-smtp-opening", daemon=True)
    thread.start()
    return thread


class Opening:
    """A session to the relay of number `relay` that is coming about, for the mail `waiting`.

    Once there is a `result`, the other thread calls `report` with it.
    """

    def __init__(
        self,
        connection: Connection,
        relay: int,
        waiting: Waiting,
        *,
        report: Callable[["Opening"], None],
        start: Callable[[Callable[[], None]], Running],
    ) -> None:
        self.relay = relay
        self.waiting = waiting
        self.result: Opened | BaseException | None = None
        self._connection = connection
        self._report = report
        self._running = start(self._run)

    def _run(self) -> None:
        try:
            self._connection.open()
            self.result = Opened(*self._connection.release())
        except BaseException as error:  # the edge of a thread: the batch's thread raises it
            self._connection.close()
            self.result = error
        self._report(self)

    def kill(self) -> None:
        """End the connection under the other thread: whatever it waits for ends at once."""
        self._connection.kill()

    def join(self, seconds: float) -> None:
        """Wait for the other thread to end."""
        self._running.join(seconds)
