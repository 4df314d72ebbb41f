"""How long each answer is waited for, on a clock that only the relay moves."""

import socket
from collections import deque

import pytest

from paperround.domain.deliveries import Phase
from paperround.domain.replies import verdict
from paperround.mail.connection import Connection, Stopped, Timeouts
from paperround.mail.smtp_url import Relay, Tls
from tests.mail.envelopes import envelope

RELAY = Relay(host="127.0.0.1", port=25, tls=Tls.NONE)
ANSWERS = {b"EHLO": b"250 slow.example\r\n", b"DATA": b"354 go on\r\n"}


class SlowRelay(socket.socket):
    """A relay whose answers take the seconds given for their command, on its own clock.

    With `trickling`, every byte of an answer takes that long.
    """

    def __init__(self, seconds: dict[bytes, float], *, trickling: bool = False) -> None:
        super().__init__()
        self.now = 0.0
        self._seconds = seconds
        self._trickling = trickling
        self._limit: float | None = None
        self._coming: deque[tuple[float, bytes]] = deque()
        self._answer(b"banner", b"220 slow.example\r\n")

    def clock(self) -> float:
        return self.now

    def settimeout(self, value: float | None) -> None:
        self._limit = value

    def sendall(self, data: object, _flags: int = 0) -> None:
        assert isinstance(data, bytes)
        verb = data.split(b" ")[0].strip()
        if verb in (b"EHLO", b"MAIL", b"RCPT", b"DATA", b"."):
            self._answer(verb, ANSWERS.get(verb, b"250 ok\r\n"))

    def recv(self, _size: int, _flags: int = 0) -> bytes:
        if self._limit == 0:
            raise BlockingIOError
        assert self._limit is not None
        wait, chunk = self._coming.popleft()
        self.now += min(wait, self._limit)
        if wait > self._limit:
            raise TimeoutError
        return chunk

    def _answer(self, verb: bytes, line: bytes) -> None:
        wait = self._seconds.get(verb, 0.0)
        chunks = [line[at : at + 1] for at in range(len(line))] if self._trickling else [line]
        self._coming.extend((wait, chunk) for chunk in chunks)


def connection(relay: SlowRelay) -> Connection:
    return Connection(
        RELAY,
        hostname="papers.example",
        timeouts=Timeouts(),
        dial=lambda _relay, _seconds: relay,
        monotonic=relay.clock,
    )


@pytest.mark.accept("R7")
def test_an_answer_599_seconds_after_the_dot_is_still_heard() -> None:
    with SlowRelay({b".": 599.0}) as relay:
        session = connection(relay)
        session.open()
        session.offer(envelope(1))
        assert session.finish().code == 250
        assert relay.now == 599.0
        session.close()


@pytest.mark.accept("R7")
@pytest.mark.parametrize(("seconds", "trickling"), [(601.0, False), (100.0, True)])
def test_after_600_seconds_without_a_whole_answer_nobody_knows(
    seconds: float, trickling: bool
) -> None:
    with SlowRelay({b".": seconds}, trickling=trickling) as relay:
        session = connection(relay)
        session.open()
        session.offer(envelope(1))
        with pytest.raises(Stopped) as stopped:
            session.finish()
    assert relay.now == 600.0
    assert verdict(stopped.value.outcome(envelope(1).id)).state == "unknown"


@pytest.mark.accept("R6", part="a banner 6 s late")
def test_a_banner_six_seconds_late_is_waited_for() -> None:
    with SlowRelay({b"banner": 6.0}) as relay:
        session = connection(relay)
        session.open()
        assert relay.now == 6.0
        session.close()


@pytest.mark.parametrize(
    ("verb", "phase"), [(b"MAIL", Phase.MAIL), (b"RCPT", Phase.RCPT), (b"DATA", Phase.DATA)]
)
def test_a_command_is_waited_for_a_minute(verb: bytes, phase: Phase) -> None:
    with SlowRelay({verb: 61.0}) as relay:
        session = connection(relay)
        session.open()
        with pytest.raises(Stopped) as stopped:
            session.offer(envelope(1))
    assert (relay.now, stopped.value.phase) == (60.0, phase)
    assert not session.usable
