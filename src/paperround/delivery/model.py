"""Delivery states, SMTP outcomes, and the Mailer interface.

    queued ──► claimed ──► in_data ──► sent
      ▲ ▲         │           ├──────► unknown ──(late 250)──► sent
      │ └─────────┤ dead      ├──────► failed
      │           │ lease     └──────► deferred
      └─ deferred ◄┤ (due again)
                  ├──────► failed | expired | skipped

`in_data` is committed just before the final dot. A process that dies therefore leaves either a
row that was never offered (`claimed`, safe to resend) or one that may have been accepted
(`in_data`, becomes `unknown` and is never resent automatically).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from paperround.core.interfaces import Worker
from paperround.core.tokens import KeyRing
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind

LIFE_OVER = "life-over"
"""The reason of an email that expired after it was, or may have been, tried."""

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(minutes=60)
MOST_BREAKDOWNS = 5
"""How often rendering or encoding an email may raise before the email fails."""

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")

# Patterns that begin with a single character are the fastest to search a whole message for.
BARE_CR = re.compile(rb"\r(?!\n)")
BARE_LF = re.compile(rb"\n(?<!\r\n)")
DOTTED_LINE = re.compile(rb"\n\.")


class Phase(StrEnum):
    """The SMTP phase in which a message got its outcome."""

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
    """The final dot was written, or may have been: from here on, a missing reply is ambiguous."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: 3-digit code, enhanced code (`5.1.1`, or empty), first 500 characters."""

    code: int
    enhanced: str
    text: str


IN_OUTBOX = "kept in the outbox"
"""The text of the reply to an email that is kept in the outbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of sending one envelope.

    `reply` is None when no usable reply came; `error` then describes what happened. A reply with a
    code outside 200-599 is not usable. `verdict` is the sender's own classification of the reply,
    None to use the table of SMTP replies.
    """

    id: DeliveryId
    phase: Phase
    reply: Reply | None = None
    error: str = ""
    verdict: "ReplyClass | None" = None


class WireReady(bytes):
    """A message that needs no check or dot-stuffing: every line ends in CRLF, and none begins with
    a dot."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One email ready to send: exactly one recipient, exactly these bytes (CRLF line ends)."""

    id: DeliveryId
    sender: str
    recipient: str
    message_id: str
    content: bytes


def require_sendable(envelope: Envelope) -> None:
    """Raise ValueError when `envelope` is ambiguous. The error contains no address.

    Both addresses must be printable ASCII without spaces or angle brackets (RFC 5321 section
    4.1.2), so neither can end its command early. Every line must end in CRLF: a server that accepts
    a bare CR or LF as a line end could be made to see a second message (SMTP smuggling).
    """
    for name, address in (("sender", envelope.sender), ("recipient", envelope.recipient)):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"the {name} is not one plain ASCII address")
    if not isinstance(envelope.content, WireReady):
        if BARE_CR.search(envelope.content) or BARE_LF.search(envelope.content):
            raise ValueError("a line of the message does not end in CRLF")
        if not envelope.content.endswith(b"\r\n"):
            raise ValueError("the message does not end with a line end")
    if not envelope.message_id.strip("<>"):
        raise ValueError("the message has no Message-ID")


def dot_stuffed(content: bytes) -> bytes:
    """Return `content` with dots at line starts doubled (RFC 5321 section 4.5.2)."""
    if isinstance(content, WireReady):
        return content
    if DOTTED_LINE.search(content):
        content = content.replace(b"\r\n.", b"\r\n..")
    return b"." + content if content.startswith(b".") else content


@dataclass(frozen=True, slots=True)
class ErrorScope:
    """What a refusal is about, which decides the follow-up."""

    subscriber: bool = False
    """Hard evidence that the address does not exist: stop mailing the subscriber."""
    us: bool = False
    """The server refuses us (5.7.x, our sender, our login): alert the operator, suppress nobody."""
    destination: bool = False
    """The server is overloaded or unreachable (421, no connection): slow down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyClass:
    """The delivery state an outcome leads to, its reason and scope, and the pause the server
    requested."""

    state: DeliveryState
    reason: str
    blame: ErrorScope = ErrorScope()
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim by `worker`, valid until `until`. `token` is a fencing token, new for each claim."""

    worker: Worker
    until: datetime
    token: str


class Evidence(StrEnum):
    """What a bounced email proves about its address, strongest last."""

    NONE = "none"
    AUTO_REPLY = "auto-reply"
    PASSING = "passing"
    LIKELY_GONE = "likely-gone"
    GONE = "gone"
    COMPLAINT = "complaint"

    @property
    def is_hard(self) -> bool:
        """Whether the address no longer exists."""
        return self in (Evidence.LIKELY_GONE, Evidence.GONE)

    @property
    def is_bounce(self) -> bool:
        """Whether the message came back."""
        return self in (Evidence.PASSING, Evidence.LIKELY_GONE, Evidence.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The keys of the installation and the domain of its Message-IDs."""

    keys: KeyRing
    domain: str


def delivery_key(list_name: str, person: int, kind: DigestKind, day: date) -> str:
    """Return the permanent key of a digest. Its Message-ID and its nonce are derived from it, so
    planning it again gives the same ones, and its links still work after its row is deleted."""
    return f"{list_name}|{person}|{kind}|{day.isoformat()}"


def delivery_nonce(keys: KeyRing, key: str, key_id: str | None = None) -> str:
    """Return the nonce of the digest with this key, which its links are bound to. Raises
    Misconfigured when the ring lacks `key_id`."""
    return keys.digest("delivery-nonce", key, key_id)[:22]


def delivery_message_id(keys: KeyRing, key: str, domain: str, key_id: str | None = None) -> str:
    """Return the Message-ID of the digest with this key. Raises Misconfigured when the ring lacks
    `key_id`."""
    return f"<{keys.digest('message-id', key, key_id)[:32]}@{domain}>"


def strongest(found: Sequence[Evidence]) -> Evidence:
    """Return the strongest evidence in `found`, `Evidence.NONE` if it is empty."""
    return max(found, key=STRONGEST_LAST.index, default=Evidence.NONE)


STRONGEST_LAST = tuple(Evidence)


BeforeDot = Callable[[Sequence[DeliveryId]], Collection[DeliveryId]]
"""Commits the `in_data` mark of messages, and returns those whose final dot may be written."""


class Mailer(Protocol):
    """Send a batch of envelopes and yield one outcome for each, in any order.

    Everything but socket work happens on the caller's thread: `envelopes` is pulled, `before_dot`
    called and outcomes yielded there, so the caller needs no locks. `before_dot(ids)` is called
    when the bodies of those messages are written, and must commit the `in_data` mark. Only the ids
    it returns get their final dot; the connections of the others are dropped. Outcomes received
    before a call are yielded before it. Each connection has at most one marked dot without a reply.
    Closing the generator early starts nothing new and waits for the open dots.

    None among the envelopes means that more may be ready soon: the mailer continues with the
    messages in flight, and pulls again after the next network event or a hundredth of a second.

    Once `stopping` returns true, no further message is offered. Messages pulled but not yet offered
    have no outcome.
    """

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: BeforeDot,
        stopping: Callable[[], bool] = ...,
    ) -> Iterator[Outcome]: ...
