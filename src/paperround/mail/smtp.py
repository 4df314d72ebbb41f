"""Sending a batch over SMTP: threads for the sockets, one thread for everything that decides.

    envelopes ─► worker: MAIL RCPT DATA body ─► Ready ┐
                                                      ├─ all that wait now: before_dot(ids)
    outcomes ◄─ worker: dot, answer ◄─ permitted ids ◄┘

The more a mark costs, the more workers wait for the next one: commits group themselves.
"""

import re
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum, auto
from queue import Empty, SimpleQueue

from paperround.domain.deliveries import DeliveryId, Envelope, Outcome, Phase
from paperround.domain.errors import Misconfigured
from paperround.domain.replies import UNSENDABLE, is_opening
from paperround.mail.connection import Connection, Timeouts
from paperround.mail.sendable import require_sendable
from paperround.mail.smtp_url import Relay, Tls
from paperround.mail.worker import Crashed, Done, Event, Ready, Worker

MOST_FAILED_OPENINGS = 3
"""Sessions in a row that did not come about, after which a batch gives its last one up."""

MOMENT = 0.01
"""Seconds after which a batch that was told to wait a moment is asked for mail again."""

_USUAL = Timeouts()
_HOSTNAME = re.compile(r"[A-Za-z0-9.:\[\]-]+")

BeforeDot = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]


class SmtpMailer:
    """Sends batches to the first relay that can be reached.

    `connections` is the most there may be at once; fewer are opened when fewer are needed.
    Raises Misconfigured for a certificate file that cannot be read, or a name no server would
    take in EHLO.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        hostname: str,
        connections: int = 10,
        timeouts: Timeouts = _USUAL,
    ) -> None:
        if not _HOSTNAME.fullmatch(hostname):
            raise Misconfigured(f"{hostname!r} is not a host name to introduce ourselves with")
        self._routes = [(relay, _context(relay)) for relay in relays]
        self._hostname = hostname
        self._connections = connections
        self._timeouts = timeouts

    def send(
        self, envelopes: Iterable[Envelope | None], *, before_dot: BeforeDot
    ) -> Iterator[Outcome]:
        """Send `envelopes`; one outcome each, in any order, as jobs' Mailer describes it.

        An id that `before_dot` does not return has no outcome: its row is somebody else's now.
        Nor has an envelope whose id is under way already, at its mark or at its dot.
        An envelope no server could read in one way only is answered at MAIL with the error
        `unsendable: ...`. A session that does not come about is one connection less for the
        batch, since a relay may want fewer; when the last one fails and three in a row have, the
        rest of the batch gets its outcome without another try.

        An error of `envelopes` or `before_dot` is raised here after the outcomes of the dots
        already written; no other dot follows. Closing the iterator early does the same, but can
        give no outcomes: to stop and lose none, end `envelopes` and read on.
        """
        crew = _Crew(self._candidates, self._connections, self._timeouts.patience)
        try:
            yield from crew.deliver(iter(envelopes), before_dot)
        except GeneratorExit:
            raise
        except BaseException:
            yield from crew.abort()
            raise
        finally:
            crew.dismiss()

    def _candidates(self) -> Iterator[Connection]:
        for relay, context in self._routes:
            yield Connection(
                relay, hostname=self._hostname, timeouts=self._timeouts, context=context
            )


def _context(relay: Relay) -> ssl.SSLContext | None:
    if relay.tls is Tls.NONE:
        return None
    try:
        return ssl.create_default_context(cafile=relay.ca_file)
    except OSError as error:
        raise Misconfigured(
            f"the certificate file {relay.ca_file} of {relay} cannot be used: {error.strerror}"
        ) from error


class _Stage(Enum):
    """How far a busy worker's message is. Only the batch's thread moves it on."""

    OFFERING = auto()
    WAITING = auto()
    OPEN = auto()
    REFUSED = auto()


class _Crew:
    """The workers of one batch, as the thread that runs it sees them."""

    def __init__(
        self, candidates: Callable[[], Iterator[Connection]], size: int, patience: float
    ) -> None:
        self._candidates = candidates
        self._size = size
        self._patience = patience
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._workers: list[Worker] = []
        self._idle: list[Worker] = []
        self._busy: dict[Worker, tuple[_Stage, DeliveryId]] = {}
        self._failed_openings = 0
        self._down: Outcome | None = None
        self._crash: BaseException | None = None

    def deliver(
        self, envelopes: Iterator[Envelope | None], before_dot: BeforeDot
    ) -> Iterator[Outcome]:
        """Run the batch to its end. Outcomes go first, then marks, then new envelopes."""
        more = True
        while more or self._busy:
            yield from self._news()
            self._raise_crash()
            if waiting := self._at(_Stage.WAITING):
                self._mark(waiting, before_dot)
            elif more and self._has_room():
                try:
                    envelope = next(envelopes)
                except StopIteration:
                    more = False
                    continue
                if envelope is not None:
                    yield from self._take(envelope)
                elif event := self._next_event(time.monotonic() + MOMENT):
                    yield from self._heard(event)
            elif self._busy:
                yield from self._heard(self._events.get())
        self._raise_crash()

    def abort(self) -> Iterator[Outcome]:
        """Leave every message that has no dot, and wait a while for the dots that are open. A
        worker that crashes meanwhile holds up none of the others; its error is raised last."""
        yield from self._news()
        for worker in self._at(_Stage.OFFERING):
            self._move(worker, _Stage.REFUSED)
            worker.kill()
        for worker in self._at(_Stage.WAITING):
            self._move(worker, _Stage.REFUSED)
            worker.permit(allowed=False)
        deadline = time.monotonic() + self._patience
        while self._busy:
            event = self._next_event(deadline)
            if event is None:
                for worker in self._busy:
                    worker.kill()
                event = self._events.get()
            if isinstance(event, Ready):
                event.worker.permit(allowed=False)
            else:
                yield from self._heard(event)
        self._raise_crash()

    def dismiss(self) -> None:
        """Leave what is unfinished, say goodbye on every connection and end the threads."""
        try:
            for _ in self.abort():
                pass
        finally:
            for worker in self._busy:  # the wait itself was broken off
                worker.kill()
                worker.permit(allowed=False)
            for worker in self._workers:
                worker.dismiss()
            for worker in self._workers:
                worker.join()

    def _raise_crash(self) -> None:
        crash, self._crash = self._crash, None
        if crash is not None:
            raise crash

    def _news(self) -> Iterator[Outcome]:
        """Hear what has been said by now, without waiting."""
        while not self._events.empty():
            yield from self._heard(self._events.get())

    def _next_event(self, deadline: float) -> Event | None:
        try:
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            return None

    def _heard(self, event: Event) -> Iterator[Outcome]:
        worker = event.worker
        match event:
            case Ready():
                self._failed_openings = 0
                self._move(worker, _Stage.WAITING)
            case Done(outcome=outcome):
                stage, _ = self._busy.pop(worker)
                self._free(worker, outcome)
                if outcome is not None and stage is not _Stage.REFUSED:
                    yield outcome
            case Crashed(error=error):
                self._busy.pop(worker, None)
                if self._crash is None:
                    self._crash = error

    def _free(self, worker: Worker, outcome: Outcome | None) -> None:
        if outcome is None or not is_opening(outcome.phase):
            self._idle.append(worker)
            return
        self._failed_openings += 1
        if self._size > 1:
            self._size -= 1
            worker.dismiss()
            return
        self._idle.append(worker)
        if self._failed_openings >= MOST_FAILED_OPENINGS:
            self._down = outcome

    def _take(self, envelope: Envelope) -> Iterator[Outcome]:
        try:
            require_sendable(envelope)
        except ValueError as error:
            yield Outcome(id=envelope.id, phase=Phase.MAIL, error=f"{UNSENDABLE}: {error}")
            return
        if self._down is not None:
            yield replace(self._down, id=envelope.id)
            return
        worker = self._idle.pop() if self._idle else self._hire()
        self._busy[worker] = (_Stage.OFFERING, envelope.id)
        worker.give(envelope)

    def _hire(self) -> Worker:
        name = f"paperround-smtp-{len(self._workers) + 1}"
        self._workers.append(Worker(name, self._candidates, self._events))
        return self._workers[-1]

    def _has_room(self) -> bool:
        return self._down is not None or len(self._busy) < self._size

    def _mark(self, waiting: Sequence[Worker], before_dot: BeforeDot) -> None:
        """Ask for each id once: two dots of one id must never be open together."""
        open_ids = {self._busy[worker][1] for worker in self._at(_Stage.OPEN)}
        asking: dict[DeliveryId, Worker] = {}
        for worker in waiting:
            if (delivery := self._busy[worker][1]) not in open_ids:
                asking.setdefault(delivery, worker)
        permitted = frozenset(before_dot(list(asking)) if asking else ())
        for worker in waiting:
            delivery = self._busy[worker][1]
            allowed = delivery in permitted and asking.get(delivery) is worker
            self._move(worker, _Stage.OPEN if allowed else _Stage.REFUSED)
            worker.permit(allowed=allowed)

    def _at(self, stage: _Stage) -> list[Worker]:
        return [worker for worker, (now_at, _) in self._busy.items() if now_at is stage]

    def _move(self, worker: Worker, stage: _Stage) -> None:
        self._busy[worker] = (stage, self._busy[worker][1])
