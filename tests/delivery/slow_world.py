"""A network whose clock only moves when somebody waits, and relays at its other end.

    world = SlowWorld({b".": 599.0})                     a relay that takes its time over a dot
    world.is_down = lambda relay, now: now < 7200        nobody answers for two hours
    SmtpMailer(..., world=world.world)

Real sockets, so that what is sent crosses a kernel; no thread, so that every run is the same.
"""

import selectors
import socket
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from paperround.core.smtp_url import Relay
from paperround.delivery.smtp.session import World

_HELLO = b"250-slow.example\r\n250 PIPELINING\r\n"
_ANSWERS = {b"EHLO": _HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
_BODY_END = b"\r\n.\r\n"


class SlowWorld:
    """Relays that answer after the seconds given for a command; with `trickling` every byte of an
    answer takes that long. `dials` keeps when each relay was connected to, by its host."""

    def __init__(
        self,
        seconds: Mapping[bytes, float] | None = None,
        *,
        trickling: bool = False,
        is_down: Callable[[Relay, float], bool] = lambda _relay, _now: False,
    ) -> None:
        self.now = 1000.0
        self.dials: list[tuple[str, float]] = []
        self.taken = Counter[str]()
        self.is_down = is_down
        self.world = World(monotonic=self.clock, selector=self._selector, dial=self.dial)
        self._seconds = dict(seconds or {})
        self._trickling = trickling
        self._coming: deque[tuple[float, _Relay, bytes]] = deque()
        self._relays: list[_Relay] = []

    def clock(self) -> float:
        return self.now

    def dial(self, relay: Relay, _seconds: float) -> socket.socket:
        self.dials.append((relay.host, self.now))
        if self.is_down(relay, self.now):
            raise ConnectionRefusedError(111, "Connection refused")
        ours, theirs = socket.socketpair()
        other = _Relay(relay.host, theirs)
        self._relays.append(other)
        self._answer(other, b"banner", b"220 slow.example\r\n")
        return _Line(self, ours)

    def wait(self, longest: float) -> None:
        """Let time pass until the next answer comes, `longest` at most."""
        self._hear()
        if not self._coming or self._coming[0][0] > self.now + longest:
            self.now += longest
            return
        at, relay, chunk = self._coming.popleft()
        self.now = max(self.now, at)
        relay.say(chunk)

    def close(self) -> None:
        """Free the relays' ends."""
        for relay in self._relays:
            relay.sock.close()

    def _selector(self) -> selectors.BaseSelector:
        return _Selector(self)

    def _hear(self) -> None:
        for relay in self._relays:
            for verb in relay.heard():
                self.taken[relay.host] += verb == b"."
                self._answer(relay, verb, _ANSWERS.get(verb, b"250 ok\r\n"))

    def _answer(self, relay: "_Relay", verb: bytes, line: bytes) -> None:
        wait = self._seconds.get(verb, 0.0)
        chunks = [line[at : at + 1] for at in range(len(line))] if self._trickling else [line]
        self._coming.extend(
            (self.now + wait * (number if self._trickling else 1), relay, chunk)
            for number, chunk in enumerate(chunks, 1)
        )


class Worlds(Protocol):
    """Makes worlds that are closed when the test ends."""

    def __call__(
        self,
        seconds: Mapping[bytes, float] | None = None,
        *,
        trickling: bool = False,
        is_down: Callable[[Relay, float], bool] = ...,
    ) -> SlowWorld: ...


class _Relay:
    """The other end of one connection."""

    def __init__(self, host: str, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.host = host
        self.sock = sock
        self._unread = b""
        self._is_body = False

    def heard(self) -> list[bytes]:
        """The commands that came, a dot for a body."""
        with suppress(OSError):  # nothing more for now, or for ever
            while data := self.sock.recv(65536):
                self._unread += data
        verbs = []
        while (at := self._unread.find(end := _BODY_END if self._is_body else b"\r\n")) >= 0:
            line, self._unread = self._unread[:at], self._unread[at + len(end) :]
            verbs.append(b"." if self._is_body else line.split(b" ")[0])
            self._is_body = verbs[-1] == b"DATA"
        return verbs

    def say(self, chunk: bytes) -> None:
        with suppress(OSError):  # the client has hung up
            self.sock.send(chunk)


class _Line(socket.socket):
    """Our end of a connection: whoever waits at it lets time pass."""

    def __init__(self, world: SlowWorld, end: socket.socket) -> None:
        super().__init__(end.family, end.type, end.proto, end.detach())
        self._world = world
        self._limit: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._limit = value
        super().setblocking(False)

    def setblocking(self, flag: bool) -> None:
        self._limit = None if flag else 0
        super().setblocking(False)

    def recv(self, size: int, flags: int = 0) -> bytes:
        until = self._world.now + (self._limit or 0)
        while True:
            try:
                return super().recv(size, flags)
            except BlockingIOError:
                if self._limit == 0:
                    raise
                if self._world.now >= until:
                    raise TimeoutError from None
            self._world.wait(until - self._world.now)


class _Selector(selectors.DefaultSelector):
    """Waits on the world's clock."""

    def __init__(self, world: SlowWorld) -> None:
        super().__init__()
        self._world = world

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or not timeout:
            return ready
        self._world.wait(timeout)
        return super().select(0)
