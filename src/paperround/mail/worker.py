"""A thread that sends one message at a time over a connection of its own.

It does socket work and nothing else: what to send and whether its dot may follow comes from the
thread that runs the batch, and everything it finds out goes back there as an event.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from paperround.domain.deliveries import Envelope, Outcome, Phase
from paperround.mail.connection import Connection, Stopped


@dataclass(frozen=True, slots=True)
class Ready:
    """The body is out; the worker waits to hear whether the dot may follow."""

    worker: "Worker"


@dataclass(frozen=True, slots=True)
class Done:
    """The worker is free again. No outcome: it was told to leave the message without its dot."""

    worker: "Worker"
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Crashed:
    """The worker's own code failed; the thread has ended."""

    worker: "Worker"
    error: BaseException


Event = Ready | Done | Crashed


class Worker:
    """One thread and at most one connection. Its methods are for the thread of the batch.

    `candidates` gives unopened connections, best first; the first that opens is used.
    """

    def __init__(
        self,
        name: str,
        candidates: Callable[[], Iterator[Connection]],
        events: SimpleQueue[Event],
    ) -> None:
        self._candidates = candidates
        self._events = events
        self._tasks: SimpleQueue[Envelope | None] = SimpleQueue()
        self._permits: SimpleQueue[bool] = SimpleQueue()
        self._connection: Connection | None = None
        self._killed = False
        # A daemon: a relay that hangs cannot keep a process from ending.
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def give(self, envelope: Envelope) -> None:
        """Send this next; the worker must be free."""
        self._tasks.put(envelope)

    def permit(self, *, allowed: bool) -> None:
        """Answer a Ready: the dot, or the end of the connection without it."""
        self._permits.put(allowed)

    def kill(self) -> None:
        """End the connection under the worker: whatever it waits for ends at once."""
        self._killed = True
        connection = self._connection
        if connection is not None:
            connection.kill()

    def dismiss(self) -> None:
        """Say goodbye to the relay and end, once the work in hand is done."""
        self._tasks.put(None)

    def join(self) -> None:
        """Wait for the thread to end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while (envelope := self._tasks.get()) is not None:
                self._events.put(Done(self, self._send(envelope)))
            if self._connection is not None:
                self._connection.say_goodbye()
        except BaseException as error:  # the edge of a thread: the batch's thread raises it
            if self._connection is not None:
                self._connection.close()
            self._events.put(Crashed(self, error))

    def _send(self, envelope: Envelope) -> Outcome | None:
        try:
            connection = self._offered(envelope)
            self._events.put(Ready(self))
            if not self._permits.get():
                connection.close()
                return None
            reply = connection.finish()
        except Stopped as stopped:
            return stopped.outcome(envelope.id)
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=reply)

    def _offered(self, envelope: Envelope) -> Connection:
        """Offer the message; once more, on a new connection, when a kept one had gone stale."""
        kept = self._connection
        if kept is not None and kept.usable:
            try:
                kept.offer(envelope)
            except Stopped as stopped:
                if not stopped.stale:
                    raise
                kept.close()
            else:
                return kept
        connection = self._open()
        connection.offer(envelope)
        return connection

    def _open(self) -> Connection:
        last = Stopped(Phase.CONNECT, error="no-relay: there is none to connect to")
        for connection in self._candidates():
            self._connection = connection
            if self._killed:
                connection.kill()
            try:
                connection.open()
            except Stopped as stopped:
                last = stopped
            else:
                return connection
        raise last
