"""Opening an SMTP session, step by step and waiting at each.

    open ──── CONNECT (TLS) GREETING HELLO TLS HELLO AUTH
    release ─ the socket and what the server offers, for whoever sends over it

An exception of a socket does not say which step it broke, so the phase is written down before each
(RFC 5321 section 4.5.3.2 gives the waits).
"""

import base64
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from paperround.domain.deliveries import DeliveryId, Outcome, Phase, Reply
from paperround.domain.replies import NO_LOGIN, NO_STARTTLS
from paperround.domain.smtp_url import Relay, Tls
from paperround.mail.wire import Wire, WireBroken, as_reply, explain

REST = 421
"""The code of a server that ends the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for each kind of answer.

    `patience` is how long open dots are waited for when a run is cut short.
    """

    connect: float = 30
    command: float = 60
    dot: float = 600
    goodbye: float = 5
    patience: float = 30


class Stopped(Exception):
    """A message or a session did not get past `phase`: a refusal, or no usable answer."""

    def __init__(self, phase: Phase, *, reply: Reply | None = None, error: str = "") -> None:
        super().__init__(error or f"{phase} refused")
        self.phase = phase
        self.reply = reply
        self.error = error

    def outcome(self, delivery: DeliveryId) -> Outcome:
        """What this means for the message in hand."""
        return Outcome(id=delivery, phase=self.phase, reply=self.reply, error=self.error)


def dial(relay: Relay, seconds: float) -> socket.socket:
    """A connected socket to `relay`."""
    sock = socket.create_connection((relay.host, relay.port), timeout=seconds)
    # The dot is a small write after a large one: without this it waits for a delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Connection:
    """A session with one relay. All but `kill` belong to one thread."""

    def __init__(
        self,
        relay: Relay,
        *,
        hostname: str,
        timeouts: Timeouts,
        context: ssl.SSLContext | None = None,
        dial: Callable[[Relay, float], socket.socket] = dial,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._hostname = hostname
        self._timeouts = timeouts
        self._context = context
        self._dial = dial
        self._monotonic = monotonic
        self._phase = Phase.CONNECT
        self._features: dict[str, str] = {}
        self._killed = False
        self._wire: Wire | None = None

    def open(self) -> None:
        """Connect, greet, protect and log in. Raises Stopped; never goes on with less TLS."""
        try:
            with self._watching():
                self._begin(self._connect())
        except Stopped:
            self.close()
            raise

    def release(self) -> tuple[socket.socket, Sequence[str]]:
        """The open socket and the extensions of EHLO, in capitals. The connection is used no
        more: whoever has the socket closes it. Raises Stopped for a server that says more than it
        was asked."""
        wire = self._open_wire()
        with self._watching():
            sock = wire.release()
        self._wire = None
        return sock, tuple(self._features)

    def say_goodbye(self) -> None:
        """QUIT, and close. What the server thinks of it changes nothing."""
        if self._wire is None:
            return
        try:
            self._wire.ask("QUIT", self._timeouts.goodbye)
        except WireBroken:
            return  # every message has had its answer
        finally:
            self.close()

    def close(self) -> None:
        """Drop the connection as it is: a message without its dot does not exist."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def kill(self) -> None:
        """From another thread: end the connection, now or as soon as it stands."""
        self._killed = True
        wire = self._wire
        if wire is not None:
            wire.hang_up()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Whatever breaks the wire has stopped the phase that was written down last."""
        try:
            yield
        except WireBroken as error:
            self.close()
            raise Stopped(self._phase, error=str(error)) from error

    def _connect(self) -> Wire:
        try:
            sock = self._dial(self._relay, self._timeouts.connect)
        except OSError as error:
            raise WireBroken(explain(error)) from error
        self._wire = wire = Wire(sock, self._monotonic)
        if self._killed:
            wire.hang_up()
        return wire

    def _begin(self, wire: Wire) -> None:
        if self._relay.tls is Tls.IMPLICIT:
            self._protect(wire)
        self._phase = Phase.GREETING
        self._require(wire.read_reply(self._timeouts.command), "2")
        self._hello(wire)
        if self._relay.tls is Tls.STARTTLS:
            self._start_tls(wire)
        if self._relay.user:
            self._log_in(wire)

    def _protect(self, wire: Wire) -> None:
        self._phase = Phase.TLS
        if self._context is None:
            raise ValueError(f"{self._relay} wants TLS but was given no context")
        wire.protect(self._context, self._relay.host, self._timeouts.command)

    def _hello(self, wire: Wire) -> None:
        self._phase = Phase.HELLO
        lines = wire.ask(f"EHLO {self._hostname}", self._timeouts.command)
        self._require(as_reply(lines), "2")
        offers = (line[4:].upper().partition(" ") for line in lines[1:])
        self._features = {name: rest for name, _, rest in offers}

    def _start_tls(self, wire: Wire) -> None:
        self._phase = Phase.TLS
        if "STARTTLS" not in self._features:
            raise Stopped(Phase.TLS, error=f"{NO_STARTTLS}: the relay does not offer STARTTLS")
        self._ask(wire, Phase.TLS, "STARTTLS", "220")
        self._protect(wire)
        self._hello(wire)

    def _log_in(self, wire: Wire) -> None:
        self._phase = Phase.AUTH
        user, password = self._relay.user, self._relay.password
        offered = self._features.get("AUTH", "").split()
        if "PLAIN" in offered:
            self._ask(wire, Phase.AUTH, "AUTH PLAIN " + _base64(f"\0{user}\0{password}"), "235")
        elif "LOGIN" in offered:
            self._ask(wire, Phase.AUTH, "AUTH LOGIN", "334")
            self._ask(wire, Phase.AUTH, _base64(user), "334")
            self._ask(wire, Phase.AUTH, _base64(password), "235")
        else:
            raise Stopped(Phase.AUTH, error=f"{NO_LOGIN}: the relay offers no PLAIN or LOGIN")

    def _reset(self, wire: Wire) -> None:
        if not as_reply(wire.ask("RSET", self._timeouts.command)).code < 300:
            raise WireBroken("garbage: RSET was refused")

    def _ask(self, wire: Wire, phase: Phase, command: str, wanted: str) -> None:
        self._phase = phase
        self._require(as_reply(wire.ask(command, self._timeouts.command)), wanted)

    def _require(self, reply: Reply, wanted: str) -> None:
        if str(reply.code).startswith(wanted):
            return
        if reply.code == REST or reply.code < 400:
            self.close()
        raise Stopped(self._phase, reply=reply)

    def _open_wire(self) -> Wire:
        if self._wire is None:
            raise ValueError(f"the connection to {self._relay} is not open")
        return self._wire


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
