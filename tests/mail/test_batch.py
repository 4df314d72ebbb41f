"""A batch that is cut short: what comes about meanwhile is ended too."""

import selectors
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from paperround.domain.deliveries import Envelope
from paperround.domain.smtp_url import Relay, Tls
from paperround.mail.batch import Batch, Means
from paperround.mail.commands import Offers
from paperround.mail.connection import Connection, Timeouts
from paperround.mail.conversation import Conversation
from paperround.mail.opener import Opened, Opening, Waiting
from paperround.mail.relays import Relays
from paperround.mail.session import Session
from paperround.mail.shelf import Shelf
from paperround.mail.switchboard import Switchboard
from tests.mail.envelopes import Marks, envelope

RELAY = Relay(host="127.0.0.1", port=25, tls=Tls.NONE)
TIMES = Timeouts()


class Breakdown(Exception):
    """The caller's mails came to an end they should not have."""


class Ended:
    """A thread that is over."""

    def join(self, timeout: float | None = None) -> None:
        assert timeout is None or timeout >= 0


class JustOpened(Opening):
    """Had its session before it could be killed, and says so while it is being killed."""

    def __init__(
        self, sock: socket.socket, waiting: Waiting, report: Callable[[Opening], None]
    ) -> None:
        connection = Connection(RELAY, hostname="papers.example", timeouts=TIMES)
        super().__init__(connection, 0, waiting, report=report, start=lambda _run: Ended())
        self._sock = sock
        self._tell = report

    def kill(self) -> None:
        if self.result is None:
            self.result = Opened(self._sock, ())
            self._tell(self)


def test_a_session_that_opens_while_its_run_is_cut_short_is_closed() -> None:
    def poisoned() -> Iterator[Envelope]:
        yield envelope(1)
        raise Breakdown

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    relays = Relays([RELAY], sessions=2)
    means = Means(
        relays=relays,
        shelf=Shelf(0.0, relays.ended, goodbye=1),
        open=lambda _number, waiting, report: JustOpened(ours, waiting, report),
        greet=lambda opened, number: Session(
            opened.sock,
            number,
            Conversation(Offers.named(opened.features, pipelining=False), TIMES),
        ),
        size=2,
        timeouts=TIMES,
        monotonic=time.monotonic,
    )
    batch = Batch(
        means,
        Switchboard(selectors.DefaultSelector(), time.monotonic, shortest=60),
        stopping=lambda: False,
    )
    with theirs:
        with pytest.raises(Breakdown):
            list(batch.deliver(poisoned(), Marks()))
        batch.dismiss()
        assert theirs.recv(1) == b""
    assert ours.fileno() == -1
