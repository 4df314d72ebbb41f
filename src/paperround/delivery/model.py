"""The ledger's words: one delivery, the states it may be in, and what an SMTP outcome means.

    queued ──► claimed ──► in_data ──► sent
      ▲ ▲         │           ├──────► unknown ──(late 250)──► sent
      │ └─────────┤ dead      ├──────► failed
      │           │ lease     └──────► deferred
      └─ deferred ◄┤ (due again)
                  ├──────► failed | expired | skipped

`in_data` is committed just before the final dot, so a process that dies leaves either a row
that was never offered (`claimed`, safe to send again) or one that may have been accepted
(`in_data`, becomes `unknown` and is never sent again by itself).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from paperround.core.interfaces import Worker
from paperround.core.tokens import KeyRing
from paperround.editions.model import DeliveryId, DeliveryState

LIFE_OVER = "life-over"
"""Why a mail expired that was tried, or might have been."""

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(minutes=60)
MOST_BREAKDOWNS = 5
"""How often a mail may fail for a reason of its own (rendering, encoding) before it is given up."""


class Phase(StrEnum):
    """How far one message had got when its outcome was known."""

    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"
    """The final dot was written, or may have been: from here on a silence is ambiguous."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: 3-digit code, enhanced code (`5.1.1`, or empty), first 500 characters."""

    code: int
    enhanced: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one envelope. `reply` None: no usable answer came, `error` says what did.

    A reply whose code is not 200-599 (garbage) is no usable answer. `verdict` is what the sender
    makes of the answer, None where the table of SMTP replies says it.
    """

    id: DeliveryId
    phase: Phase
    reply: Reply | None = None
    error: str = ""
    verdict: "ReplyClass | None" = None


class WireReady(bytes):
    """A message whose maker has proven that it can be put on a wire as it is: every line ends in
    CRLF, and none begins with a full stop."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One mail ready to leave: exactly one recipient, exactly these bytes (CRLF line ends)."""

    id: DeliveryId
    sender: str
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ErrorScope:
    """Whose fault a refusal is decides what else must happen."""

    subscriber: bool = False
    """Hard evidence that the address does not exist: the subscriber stops being mailed."""
    us: bool = False
    """We are refused (5.7.x, our sender, our login): tell the operator, suppress nobody."""
    destination: bool = False
    """The server wants a rest (421, no connection): slow down, the subscriber is untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyClass:
    """The state an outcome leads to, the reason kept with it, who is to blame, and the pause that
    was asked for."""

    state: DeliveryState
    reason: str
    blame: ErrorScope = ErrorScope()
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim by `worker`, good until `until`. `token` is new for every claim: a fence."""

    worker: Worker
    until: datetime
    token: str


class Evidence(StrEnum):
    """What one returned mail proves, strongest last."""

    NONE = "none"
    AUTO_REPLY = "auto-reply"
    PASSING = "passing"
    LIKELY_GONE = "likely-gone"
    GONE = "gone"
    COMPLAINT = "complaint"

    @property
    def is_hard(self) -> bool:
        """Whether it says that the address is no more."""
        return self in (Evidence.LIKELY_GONE, Evidence.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What signs a delivery: the keys of the installation and the domain of its Message-IDs."""

    keys: KeyRing
    domain: str


def strongest(found: Sequence[Evidence]) -> Evidence:
    """The strongest of what a mail proves; `none` of an empty list."""
    return max(found, key=_STRONGEST_LAST.index, default=Evidence.NONE)


_STRONGEST_LAST = tuple(Evidence)


class Mailer(Protocol):
    """Sends a batch: envelopes in, one outcome an envelope out, in any order.

    Everything but socket work happens on the caller's thread: `envelopes` is pulled, `before_dot`
    called and outcomes yielded there, so the caller needs no locks. `before_dot(ids)` is called
    once all of those messages' bodies are about to end and must commit their mark; only the ids it
    returns get their final dot, the others' connections are dropped without it. Outcomes that came
    before a call are yielded before it. At most one marked, unanswered dot a connection exists at
    any time. Closing the generator early finishes nothing new and waits for the open dots.

    None among the envelopes says that more may leave in a moment: the mailer goes on with what is
    under way, and asks again when something was heard, or after a hundredth of a second.

    Once `stopping` says so, no other mail is offered: mails that were taken up and are on no wire
    have no outcome.
    """

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        stopping: Callable[[], bool] = ...,
    ) -> Iterator[Outcome]: ...
