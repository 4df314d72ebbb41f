"""What is said over one connection, without the connection: bytes in, bytes and events out.

    offer ───► MAIL RCPT DATA ──354──► body ──► Ready
    permit ──► dot, and in the same group MAIL RCPT DATA of the mail that was lined up
               answer of the dot ──► Done, and so on with the next 354

Where the server takes groups (PIPELINING, RFC 2920) that is one round trip a mail; elsewhere each
command waits for the answer before it. Answers come in the order of the commands, so each belongs
to the oldest question that is open. Two mails are under way at most, and the dot of the second is
only written when the first has its answer: one dot that is marked and not answered.

How far a mail has got is written down before each step: a lost connection looks the same before
and after a dot.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from paperround.domain.deliveries import Envelope, Outcome, Phase, Reply
from paperround.mail.answers import Answers
from paperround.mail.commands import Offers, mail_command, rcpt_command
from paperround.mail.connection import REST, Timeouts
from paperround.mail.sendable import dot_stuffed
from paperround.mail.wire import WireBroken

_OUT_OF_ORDER = 503
_GO_ON = 354


@dataclass(frozen=True, slots=True)
class Ready:
    """The body is out; may the dot follow?"""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a mail."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Back:
    """Nothing was said about this mail: it is to be offered over another connection."""

    envelope: Envelope


Event = Ready | Done | Back


class _Step(NamedTuple):
    """A command, and what its answer is about: a phase of a mail, or the connection itself."""

    command: bytes
    phase: Phase | None = None
    envelope: Envelope | None = None


_RESET = _Step(b"RSET\r\n")
_QUIT = _Step(b"QUIT\r\n")


class Conversation:
    """One session after its log-in. Times are seconds on the caller's monotonic clock.

    Whoever owns the socket writes `output`, says so with `flushed`, hands over what it read, and
    takes the `events`. Once `over`, the socket is to be closed.
    """

    def __init__(self, offers: Offers, timeouts: Timeouts) -> None:
        self.output = b""
        self.events: list[Event] = []
        self.over = False
        self.deadline: float | None = None
        self.has_answered = False
        self._offers = offers
        self._timeouts = timeouts
        self._answers = Answers()
        self._to_ask: deque[_Step] = deque()
        self._asked: deque[_Step] = deque()
        self._current: Envelope | None = None
        self._phase = Phase.MAIL
        self._ready = False
        self._following: Envelope | None = None
        self._behind: Envelope | None = None
        self._after_refusal = False
        self._must_reset = False
        self._leaving = False

    # --- what the other side is asked ----------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether a mail may be offered."""
        return self._current is None and not self._asked and not self.over and not self._leaving

    @property
    def is_ready(self) -> bool:
        """Whether the mail in hand waits for its dot."""
        return self._ready and not self.over

    @property
    def dot_is_open(self) -> bool:
        """Whether the mail in hand has its dot and no answer."""
        return self._current is not None and self._phase is Phase.DOT

    @property
    def takes_another(self) -> bool:
        """Whether a mail may be lined up behind the one that waits for its dot."""
        return self._ready and self._offers.pipelining and self._following is None

    def is_late(self, now: float) -> bool:
        """Whether an answer should have come by now."""
        return self.deadline is not None and self.deadline <= now

    def offer(self, envelope: Envelope, now: float) -> None:
        """Begin with a mail; the conversation must be idle."""
        self._take_up(envelope)
        if self._must_reset:
            self._to_ask.append(_RESET)
            self._must_reset = False
        self._ask_all(envelope, now)

    def line_up(self, envelope: Envelope) -> None:
        """Let `envelope` follow in the group of the dot."""
        self._following = envelope

    def permit(self, now: float) -> None:
        """Write the dot of the mail that is ready."""
        self._ready = False
        self._phase = Phase.DOT
        self._ask(_Step(b".\r\n", Phase.DOT, self._current))
        self.deadline = now + self._timeouts.dot
        self._behind, self._following = self._following, None
        if self._behind is not None:
            self._ask_all(self._behind, now)

    def leave(self) -> None:
        """End without the dot of the mail in hand, of which nothing is told."""
        self._current = None
        self._end(None, "")

    def say_goodbye(self, now: float) -> None:
        """QUIT; the conversation must be idle. It is over with whatever comes next."""
        self._leaving = True
        self._ask(_QUIT)
        self.deadline = now + self._timeouts.goodbye

    def _take_up(self, envelope: Envelope, *, after_refusal: bool = False) -> None:
        self._current = envelope
        self._phase = Phase.MAIL
        self._after_refusal = after_refusal

    def _ask_all(self, envelope: Envelope, now: float) -> None:
        self._to_ask.append(_Step(mail_command(envelope, self._offers), Phase.MAIL, envelope))
        self._to_ask.append(_Step(rcpt_command(envelope), Phase.RCPT, envelope))
        self._to_ask.append(_Step(b"DATA\r\n", Phase.DATA, envelope))
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Write what may be written: all of a group, else one command when none is open."""
        while self._to_ask and (self._offers.pipelining or not self._asked):
            self._ask(self._to_ask.popleft())
        if self._asked and self.deadline is None:
            self.deadline = now + self._timeouts.command

    def _ask(self, step: _Step) -> None:
        self.output += step.command
        self._asked.append(step)

    # --- what it says --------------------------------------------------------------------------

    def flushed(self) -> None:
        """All of `output` was written."""
        self.output = b""
        if self._phase is Phase.BODY and self._current is not None and not self._ready:
            self._ready = True
            self.deadline = None
            self.events.append(Ready(self._current))

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came; none is the end of the connection."""
        if not data:
            half = "half-line: the connection ended inside an answer"
            self.lose(half if self._answers.begun else "disconnected: the connection ended")
            return
        try:
            for reply in self._answers.of(data):
                self._hear(reply, now)
                if self.over:
                    return
        except WireBroken as broken:
            self.lose(str(broken))

    def lose(self, error: str) -> None:
        """No usable answer can come any more."""
        self._end(None, error)

    def _hear(self, reply: Reply, now: float) -> None:
        if reply.code == REST or not self._asked:
            self._end(reply, "")
            return
        if self.output and not self._offers.pipelining:
            self.lose("garbage: an answer that nobody asked for")
            return
        step = self._asked.popleft()
        self.deadline = None
        if step.envelope is None:
            self._hear_of_session(step, reply)
        elif step.envelope is not self._current:
            self._hear_of_the_refused(reply)
        elif step.phase is Phase.DOT:
            self._end_mail(reply)
        else:
            self._hear_of_mail(step.phase or Phase.MAIL, reply, now)
        if self.over:
            return
        self._go_on(now)

    def _hear_of_session(self, step: _Step, reply: Reply) -> None:
        if step is _QUIT:
            self._end(None, "")
        elif reply.code >= 300:
            self.lose("garbage: RSET was refused")

    def _hear_of_the_refused(self, reply: Reply) -> None:
        """The rest of a group whose mail was refused. A server that wants its body all the same
        would take an empty one for it: it gets none, and no dot."""
        if reply.code < 400 and not self._asked:
            self._end(None, "")

    def _hear_of_mail(self, phase: Phase, reply: Reply, now: float) -> None:
        if phase is Phase.DATA and reply.code == _GO_ON:
            self._send_body(now)
        elif phase is not Phase.DATA and 200 <= reply.code < 300:
            self._phase = Phase.RCPT if phase is Phase.MAIL else Phase.DATA
        elif reply.code < 400:
            self._end(reply, "")
        else:
            self._refuse(reply)

    def _send_body(self, now: float) -> None:
        if self._current is None:
            return
        self._phase = Phase.BODY
        body = dot_stuffed(self._current.content)
        self.output = self.output + body if self.output else body
        self.deadline = now + self._timeouts.command

    def _refuse(self, reply: Reply) -> None:
        """A mail was refused before its body. One whose MAIL came too early for a server that had
        just refused a body was not: it begins again after a reset."""
        envelope, self._current = self._current, None
        if envelope is None:
            return
        self._to_ask.clear()
        self._must_reset = self.has_answered = True
        too_early = self._after_refusal and reply.code == _OUT_OF_ORDER
        if too_early and self._phase is Phase.MAIL:
            self.events.append(Back(envelope))
        else:
            self._tell(envelope, reply)

    def _end_mail(self, reply: Reply) -> None:
        envelope, self._current = self._current, None
        if envelope is not None:
            self._tell(envelope, reply)
        self.has_answered = True
        refused = reply.code >= 400
        if 300 <= reply.code < 400:
            self._end(None, "")
        elif self._behind is not None:
            self._take_up(self._behind, after_refusal=refused)
            self._behind = None
        else:
            self._must_reset = refused

    def _tell(self, envelope: Envelope, reply: Reply | None, error: str = "") -> None:
        outcome = Outcome(id=envelope.id, phase=self._phase, reply=reply, error=error)
        self.events.append(Done(outcome))

    def _end(self, reply: Reply | None, error: str) -> None:
        """It is over. A server that ends a session between two mails has refused neither."""
        if self.over:
            return
        self.over, self._ready = True, False
        self.output, self.deadline = b"", None
        current, self._current = self._current, None
        if current is not None:
            between = self._phase is Phase.MAIL and self.has_answered
            if between and (reply is None or reply.code == REST):
                self.events.append(Back(current))
            else:
                self._tell(current, reply, error)
        for envelope in (self._behind, self._following):
            if envelope is not None:
                self.events.append(Back(envelope))
        self._behind = self._following = None
