"""Run SMTP sessions on non-blocking sockets, in one event loop."""

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.replies import CERTIFICATE
from paperround.delivery.smtp.conversation import Conversation, Event

_CHUNK = 65536
"""Bytes to read at once, more than a TLS record."""

_LONGEST_WAIT = 5.0
"""Most seconds that `listen` waits, so that its caller can stop."""

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def dial(relay: Relay, seconds: float) -> socket.socket:
    """Return a socket connected to `relay`."""
    sock = socket.create_connection((relay.host, relay.port), timeout=seconds)
    # The dot is a small write after a large one: with Nagle it would wait for a delayed ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The clock and the network that sessions use."""

    monotonic: Callable[[], float] = time.monotonic
    selector: Callable[[], selectors.BaseSelector] = selectors.DefaultSelector
    dial: Callable[[Relay, float], socket.socket] = dial


@dataclass(frozen=True, slots=True)
class Route:
    """How to connect to a relay; `number` is its position in the setting."""

    number: int
    relay: Relay
    context: ssl.SSLContext | None
    dial: Callable[[], socket.socket]


class Session:
    """A conversation and its non-blocking socket, driven by a `SelectorLoop`."""

    sock: socket.socket

    def __init__(self, route: Route, conversation: Conversation, began: float) -> None:
        self.route = route
        self.conversation = conversation
        self.began = began
        self.fd = -1
        self.is_writing = False
        self._sent = 0

    def connect(self, now: float) -> None:
        """Connect. This blocks, so the other sessions wait."""
        try:
            self.sock = self.route.dial()
        except OSError as error:
            self.conversation.fail(describe_error(error))
        else:
            self.sock.setblocking(False)
            self.fd = self.sock.fileno()
            self.conversation.connected(now)

    def read(self, now: float) -> None:
        """Read available bytes. One read takes a whole TLS record, so none remain buffered."""
        if self.conversation.over or self.conversation.wants_tls:
            return
        try:
            data = self.sock.recv(_CHUNK)
        except _WOULD_BLOCK:
            return
        except OSError as error:
            self.conversation.fail(describe_error(error))
            return
        self.conversation.receive(data, now)

    def write(self, now: float) -> None:
        """Write as much as the socket takes."""
        output = self.conversation.output
        try:
            while self._sent < len(output):
                rest = memoryview(output)[self._sent :] if self._sent else output
                self._sent += self.sock.send(rest)
        except _WOULD_BLOCK:
            return
        except OSError as error:
            self.read(now)  # the server's last reply explains more than the broken pipe
            self.conversation.fail(describe_error(error))
            return
        self._sent = 0
        self.conversation.flushed()

    def handshake(self, now: float) -> None:
        """Start or continue the TLS handshake, and verify the relay's certificate."""
        context, host = self.route.context, self.route.relay.host
        if context is None:
            raise ValueError(f"{self.route.relay} wants TLS but was given no context")
        try:
            if not isinstance(self.sock, ssl.SSLSocket):
                self.sock = context.wrap_socket(
                    self.sock, server_hostname=host, do_handshake_on_connect=False
                )
            self.sock.do_handshake()
        except _WOULD_BLOCK:
            return
        except OSError as error:
            self.conversation.fail(describe_error(error))
            return
        self.conversation.tls_started(now)

    def close(self) -> None:
        """Close the socket."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):  # the connection is already closed
                self.sock.shutdown(socket.SHUT_RDWR)
            self.sock.close()


class SelectorLoop:
    """Wait for all sessions at once. `on_event` gets the events of each, and None at its end."""

    def __init__(self, world: World, on_event: Callable[[Session, Event | None], None]) -> None:
        self.sessions: set[Session] = set()
        self._monotonic = world.monotonic
        self._selector = world.selector()
        self._on_event = on_event

    def join(self, session: Session) -> None:
        """Add `session`, and connect it if necessary."""
        self.sessions.add(session)
        if session.fd < 0:
            session.connect(self._monotonic())
        if session.fd >= 0:  # by number: TLS replaces the socket object
            self._selector.register(session.fd, selectors.EVENT_READ, session)
        self.serve(session)

    def release(self, session: Session) -> None:
        """Stop listening to `session`, without closing it."""
        self.sessions.discard(session)
        session.is_writing = False
        if session.fd >= 0:
            self._selector.unregister(session.fd)

    def listen(self, longest: float) -> None:
        """Wait up to `longest` seconds for network events, and handle them."""
        soonest = min((one.conversation.deadline for one in self.sessions), default=inf)
        left = max(0.0, min(longest, soonest - self._monotonic(), _LONGEST_WAIT))
        for key, events in self._selector.select(left):
            session: Session = key.data
            if events & selectors.EVENT_READ:
                session.read(self._monotonic())
            self.serve(session)
        if (now := self._monotonic()) >= soonest:
            for late in [one for one in self.sessions if one.conversation.deadline <= now]:
                late.conversation.fail("timeout: no answer in time")
                self.serve(late)

    def serve(self, session: Session) -> None:
        """Write pending output of `session` and pass on its events."""
        conversation, now = session.conversation, self._monotonic()
        if conversation.wants_tls and not conversation.output:
            session.handshake(now)
        if conversation.output:
            session.write(now)
        for event in conversation.events:
            self._on_event(session, event)
        conversation.events.clear()
        if conversation.over:
            if session in self.sessions:
                self.release(session)
                session.close()
                self._on_event(session, None)
        elif bool(conversation.output) != session.is_writing:
            session.is_writing = not session.is_writing
            writing = selectors.EVENT_WRITE if session.is_writing else 0
            self._selector.modify(session.fd, selectors.EVENT_READ | writing, session)

    def quit(self, session: Session) -> None:
        """Quit `session`, which must be idle."""
        session.conversation.quit(self._monotonic())
        self.serve(session)

    def finish(self) -> None:
        """Listen until every session has ended; all must have been quit."""
        while self.sessions:
            self.listen(inf)

    def fail_all(self, error: str) -> None:
        """End every session with `error`."""
        for session in list(self.sessions):
            session.conversation.fail(error)
            self.serve(session)

    def close(self) -> None:
        """Close the selector."""
        self._selector.close()


def route_to(relay: Relay, *, number: int = 0, seconds: float, world: World) -> Route:
    """Return the route to `relay`, with a connect timeout of `seconds`. Raises Misconfigured for an
    unreadable certificate file."""
    context = None
    try:
        if relay.tls is not Tls.NONE:
            context = ssl.create_default_context(cafile=relay.ca_file)
    except OSError as error:
        raise Misconfigured(
            f"the certificate file {relay.ca_file} of {relay} cannot be used: {error.strerror}"
        ) from error
    return Route(number, relay, context, partial(world.dial, relay, seconds))


def describe_error(error: OSError) -> str:
    """Describe a socket error with a short code and a detail."""
    match error:
        case TimeoutError():
            return "timeout: no answer in time"
        case ssl.SSLCertVerificationError():
            return f"{CERTIFICATE}: {error.verify_message}"
        case ssl.SSLError():
            return f"tls: {error.reason or 'handshake failed'}"
        case ConnectionResetError() | BrokenPipeError():
            return "reset: the connection was reset"
        case _:
            return f"network: {error.strerror or type(error).__name__}"
