"""Run the SMTP protocol without I/O: bytes in, bytes and events out.

    begin ──► GREETING HELLO [TLS HELLO] [AUTH] ──► `is_open`, or Stopped
    offer ──► MAIL RCPT DATA ──354──► body ──► Ready
    permit ─► dot, and in the same group MAIL RCPT DATA of the queued message
              reply to the dot ──► Outcome, and so on with the next 354

With PIPELINING (RFC 2920) a message takes one round trip; without, each command waits for the reply
before it. Replies come in the order of the commands. A session has at most two messages, and the
second gets its dot after the reply to the first dot: only one dot at a time is committed without a
reply.

A socket error does not tell which step it interrupted, so the phase is set before each step.
"""

import base64
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Envelope, Outcome, Phase, Reply, dot_stuffed
from paperround.delivery.replies import NO_LOGIN, NO_STARTTLS, GarbageReply, ReplyParser
from paperround.editions.model import DeliveryId

CLOSING = 421
"""The reply code with which a server ends the session."""

_START_INPUT = 354


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for each kind of reply (RFC 5321 section 4.5.3.2).

    `patience` is how long an aborted batch waits for the replies to its dots.
    """

    connect: float = 10
    command: float = 60
    dot: float = 600
    goodbye: float = 5
    patience: float = 30


class Stopped(Exception):
    """A message or a session failed in `phase`: it was refused, or no usable reply came."""

    def __init__(self, phase: Phase, *, reply: Reply | None = None, error: str = "") -> None:
        super().__init__(error or f"{phase} refused")
        self.phase = phase
        self.reply = reply
        self.error = error

    def outcome(self, delivery: DeliveryId) -> Outcome:
        """Return the outcome for a message that needed the session."""
        return Outcome(id=delivery, phase=self.phase, reply=self.reply, error=self.error)


@dataclass(frozen=True, slots=True)
class Ready:
    """The body is written, and the message waits for its dot."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Returned:
    """The session ended without a reply to this message: offer it in another session."""

    envelope: Envelope


Event = Stopped | Ready | Outcome | Returned
"""A session that failed to open, or the progress of a message."""

_Script = Generator[bytes, Reply, None]


class _Step(NamedTuple):
    """A command and its message, if any."""

    command: bytes
    phase: Phase = Phase.MAIL
    envelope: Envelope | None = None


_RESET = _Step(b"RSET\r\n")
_QUIT = _Step(b"QUIT\r\n")
_PROTECTED = Reply(220, "", "")


class Conversation:
    """An SMTP session from greeting to end. Times are seconds on the caller's monotonic clock.

    The owner of the socket writes `output` and calls `flushed`, starts TLS when `wants_tls` is set
    and calls `tls_started`, passes received bytes to `receive`, and handles the `events`. Once
    `over` is set, it closes the socket. `is_ready`: the current message waits for its dot.
    `is_proven`: the server has replied to a message; if it then ends the session between two
    messages, it has refused neither.

    `hostname` is the name in EHLO. With a `sender`, opening ends with its MAIL command: such a
    session only probes whether the server accepts this sender.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        hostname: str,
        timeouts: Timeouts,
        pipelining: bool = True,
        sender: str = "",
    ) -> None:
        self.output = b""
        self.events: list[Event] = []
        self.deadline = inf
        self.is_open = self.is_ready = self.over = self.wants_tls = self.is_proven = False
        self._relay = relay
        self._hostname = hostname
        self._timeouts = timeouts
        self._may_pipeline = pipelining
        self._sender = sender
        self._features: dict[str, str] = {}
        self._pipelining = False
        self._replies = ReplyParser()
        self._script = self._opening()
        self._waiting: deque[_Step] = deque()
        self._unanswered: deque[_Step] = deque()
        self._phase = Phase.CONNECT
        self._current: Envelope | None = None
        self._next: Envelope | None = None
        self._needs_reset = False

    # --- opening -------------------------------------------------------------------------------

    def connected(self, now: float) -> None:
        """Start, once the socket is connected."""
        next(self._script)
        self.deadline = now + self._timeouts.command

    def tls_started(self, now: float) -> None:
        """Continue, once TLS has started."""
        self.wants_tls = False
        self._open(_PROTECTED, now)

    def _open(self, reply: Reply, now: float) -> None:
        """Advance the opening with `reply`."""
        self.deadline = now + self._timeouts.command
        try:
            self.output += self._script.send(reply)
        except StopIteration:
            self.is_open, self.deadline = True, inf
            self._pipelining = self._may_pipeline and "PIPELINING" in self._features
        except Stopped as stopped:
            self._end(stopped.reply, stopped.error)

    def _opening(self) -> _Script:
        """Yield each command and receive its reply. Never continues with less TLS than the relay
        is configured for."""
        if self._relay.tls is Tls.IMPLICIT:
            yield from self._protect()
        yield from self._expect(Phase.GREETING, "", "2")
        yield from self._hello()
        if self._relay.tls is Tls.STARTTLS:
            if "STARTTLS" not in self._features:
                self._phase = Phase.TLS
                raise Stopped(Phase.TLS, error=f"{NO_STARTTLS}: the relay does not offer STARTTLS")
            yield from self._expect(Phase.TLS, "STARTTLS\r\n", "220")
            yield from self._protect()
            yield from self._hello()
        if self._relay.user:
            yield from self._log_in()
        if self._sender:
            yield from self._expect(Phase.MAIL, f"MAIL FROM:<{self._sender}>\r\n", "2")

    def _expect(self, phase: Phase, command: str, wanted: str) -> _Script:
        self._phase = phase
        reply = yield command.encode("ascii")
        if not str(reply.code).startswith(wanted):
            raise Stopped(phase, reply=reply)

    def _protect(self) -> _Script:
        self._phase, self.wants_tls = Phase.TLS, True
        yield b""

    def _hello(self) -> _Script:
        yield from self._expect(Phase.HELLO, f"EHLO {self._hostname}\r\n", "2")
        lines = [line[4:].decode("utf-8", "replace").upper() for line in self._replies.lines[1:]]
        offers = (line.strip().partition(" ") for line in lines)
        self._features = {name: rest for name, _, rest in offers}

    def _log_in(self) -> _Script:
        user, password = self._relay.user, self._relay.password
        offered = self._features.get("AUTH", "").split()
        if "PLAIN" in offered:
            secret = _base64(f"\0{user}\0{password}")
            yield from self._expect(Phase.AUTH, f"AUTH PLAIN {secret}", "235")
        elif "LOGIN" in offered:
            yield from self._expect(Phase.AUTH, "AUTH LOGIN\r\n", "334")
            yield from self._expect(Phase.AUTH, _base64(user), "334")
            yield from self._expect(Phase.AUTH, _base64(password), "235")
        else:
            self._phase = Phase.AUTH
            raise Stopped(Phase.AUTH, error=f"{NO_LOGIN}: the relay offers no PLAIN or LOGIN")

    # --- commands ------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether a message may be offered."""
        return self.is_open and self._current is None and not self._unanswered and not self.over

    @property
    def dot_is_open(self) -> bool:
        """Whether the dot of the current message was written and has no reply."""
        return self._current is not None and self._phase is Phase.DOT

    @property
    def can_queue(self) -> bool:
        """Whether a message may be queued behind the one that waits for its dot."""
        return self.is_ready and self._pipelining and self._next is None

    def offer(self, envelope: Envelope, now: float) -> None:
        """Start sending a message; the conversation must be idle."""
        self._current, self._phase = envelope, Phase.MAIL
        if self._needs_reset:
            self._waiting.append(_RESET)
            self._needs_reset = False
        self._queue_commands(envelope, now)

    def queue(self, envelope: Envelope) -> None:
        """Queue `envelope` to be pipelined with the next dot."""
        self._next = envelope

    def write_dot(self, now: float) -> None:
        """Write the dot of the ready message."""
        self.is_ready = False
        self._phase = Phase.DOT
        self._send(_Step(b".\r\n", Phase.DOT, self._current))
        self.deadline = now + self._timeouts.dot
        if self._next is not None:
            self._queue_commands(self._next, now)

    def drop(self) -> None:
        """End the session without the dot of the current message, and without an outcome for it."""
        self._current = None
        self._end(None, "")

    def quit(self, now: float) -> None:
        """Send QUIT; the conversation must be idle. Any reply ends it."""
        self._send(_QUIT)
        self.deadline = now + self._timeouts.goodbye

    def _queue_commands(self, envelope: Envelope, now: float) -> None:
        size = f" SIZE={len(envelope.content)}" if "SIZE" in self._features else ""
        for phase, command in (
            (Phase.MAIL, f"MAIL FROM:<{envelope.sender}>{size}\r\n"),
            (Phase.RCPT, f"RCPT TO:<{envelope.recipient}>\r\n"),
            (Phase.DATA, "DATA\r\n"),
        ):
            self._waiting.append(_Step(command.encode("ascii"), phase, envelope))
        self._write_commands(now)

    def _write_commands(self, now: float) -> None:
        """Write the waiting commands: all with PIPELINING, else one if none awaits a reply."""
        while self._waiting and (self._pipelining or not self._unanswered):
            self._send(self._waiting.popleft())
        if self._unanswered and self.deadline == inf:
            self.deadline = now + self._timeouts.command

    def _send(self, step: _Step) -> None:
        self.output += step.command
        self._unanswered.append(step)

    # --- replies -------------------------------------------------------------------------------

    def flushed(self) -> None:
        """Continue, once all of `output` is written."""
        self.output = b""
        if self._phase is Phase.BODY and self._current is not None and not self.is_ready:
            self.is_ready, self.deadline = True, inf
            self.events.append(Ready(self._current))

    def receive(self, data: bytes, now: float) -> None:
        """Process received bytes; empty bytes mean the end of the connection."""
        if not data:
            half = "half-line: the connection ended within a reply"
            self.fail(half if self._replies.has_begun else "disconnected: the connection ended")
            return
        try:
            for reply in self._replies.feed(data):
                self._handle_reply(reply, now)
                if self.over:
                    return
        except GarbageReply as garbage:
            self.fail(f"garbage: {garbage}")
        if self.wants_tls and self._replies.has_begun:
            self._fail_in_clear()

    def fail(self, error: str) -> None:
        """End the session because no usable reply can come."""
        self._end(None, error)

    def _handle_reply(self, reply: Reply, now: float) -> None:
        if self.wants_tls:
            self._fail_in_clear()
        elif self.is_open and (reply.code == CLOSING or not self._unanswered):
            self._end(reply, "")
        elif self.output and not self._pipelining:
            self.fail("garbage: an unsolicited reply")
        elif self.is_open:
            self._handle_command_reply(self._unanswered.popleft(), reply, now)
        else:
            self._open(reply, now)

    def _fail_in_clear(self) -> None:
        self.fail("garbage: plain text after STARTTLS")

    def _handle_command_reply(self, step: _Step, reply: Reply, now: float) -> None:
        self.deadline = inf
        if step.envelope is None:
            if step is _QUIT:
                self._end(None, "")
            elif reply.code >= 300:
                self.fail("garbage: RSET was refused")
        elif step.envelope is not self._current:
            # A reply to the rest of a group whose message was refused. If the server accepts DATA
            # nevertheless, a dot would send an empty message: end the session instead.
            if reply.code < 400 and not self._unanswered:
                self._end(None, "")
        elif step.phase is Phase.DOT:
            self._end_message(reply)
        else:
            self._handle_message_reply(step.phase, reply, now)
        if not self.over:
            self._write_commands(now)

    def _handle_message_reply(self, phase: Phase, reply: Reply, now: float) -> None:
        if phase is Phase.DATA and reply.code == _START_INPUT:
            if self._current is not None:
                self._phase = Phase.BODY
                self.output += dot_stuffed(self._current.content)
                self.deadline = now + self._timeouts.command
        elif phase is not Phase.DATA and 200 <= reply.code < 300:
            self._phase = Phase.RCPT if phase is Phase.MAIL else Phase.DATA
        elif reply.code < 400:
            self._end(reply, "")
        else:
            self._waiting.clear()
            self._needs_reset = True
            self._add_outcome(reply)

    def _end_message(self, reply: Reply) -> None:
        self._add_outcome(reply)
        if 300 <= reply.code < 400:
            self._end(None, "")
        elif self._next is not None:
            self._current, self._next, self._phase = self._next, None, Phase.MAIL
        else:
            self._needs_reset = reply.code >= 400

    def _add_outcome(self, reply: Reply | None, error: str = "") -> None:
        """Add the outcome of the current message, which ends it."""
        envelope, self._current = self._current, None
        if envelope is not None:
            self.is_proven |= reply is not None and reply.code != CLOSING
            stopped = Stopped(self._phase, reply=reply, error=error)
            self.events.append(stopped.outcome(envelope.id))

    def _end(self, reply: Reply | None, error: str) -> None:
        """End the session. A server that ends one between two messages has refused neither."""
        if self.over:
            return
        self.over, self.is_ready = True, False
        self.output, self.deadline = b"", inf
        if not self.is_open and (reply or error):
            self.events.append(Stopped(self._phase, reply=reply, error=error))
        is_between = self._phase is Phase.MAIL and self.is_proven
        if self._current and is_between and (reply is None or reply.code == CLOSING):
            self.events.append(Returned(self._current))
        else:
            self._add_outcome(reply, error)
        if self._next is not None:
            self.events.append(Returned(self._next))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii") + "\r\n"
