"""Parse and classify SMTP replies. Pure.

    phase                   reply             state      scope
    after the dot           2xx               sent
                            4xx               deferred   421: the destination
                            none              unknown    unclear; never resent automatically
    any                     5.7.x, 530, 53x   deferred   us: pause, alert the operator
    MAIL and later          502, 503          deferred   us: we and the relay are out of step
    before MAIL             5xx               deferred   TLS and login: us; else the destination
    MAIL and later          5.2.2             deferred   none: the mailbox is full
                            5.4.4             deferred   none: no route today
                            5.1.7, 5.1.8      deferred   us: our sender is refused
                            5.3.4, 5.2.3      failed     none: this message is too big
    MAIL                    552               failed     none: this message is too big
                            other 5xx         deferred   us: our sender is refused
    after MAIL              bare 552          deferred   none: the mailbox is full
    RCPT                    "relaying denied" deferred   us, if it has no enhanced code
                            5.1.1 and similar failed     the subscriber: hard evidence
                            other 5xx         failed     none
    DATA, body, dot         other 5xx         failed     none: this message was refused
    before the dot          4xx, none         deferred   421 and before MAIL: the destination
    not offered             (unsendable)      failed     none: the same bytes would fail again

The first matching row applies. If all recipients are refused alike, that is about us
(`transitions.InFlight`). MAIL contains only the sender and the size (RFC 1870), so a refusal
there for another reason than the size would hit all of our messages.

Codes are those of RFC 5321 section 4.2 and RFC 3463. A reason is a short stable code, a colon and
a detail; it never contains the server's text, which often repeats the address.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from paperround.core.times import require_utc
from paperround.delivery.model import (
    FIRST_RETRY,
    LONGEST_RETRY,
    ErrorScope,
    Outcome,
    Phase,
    Reply,
    ReplyClass,
)
from paperround.editions.model import DeliveryState

UNSENDABLE = "unsendable"
"""First word of `Outcome.error` when the envelope itself cannot be sent."""

NO_SESSION = "no-session"
"""First word of the reason when no session with the relay was established."""

CERTIFICATE = "certificate"
NO_STARTTLS = "starttls-missing"
NO_LOGIN = "auth-missing"
_OUR_ERRORS = frozenset({CERTIFICATE, NO_STARTTLS, NO_LOGIN})
"""First words of errors that persist until the operator changes something."""

_OPENING = frozenset({Phase.CONNECT, Phase.GREETING, Phase.HELLO, Phase.TLS, Phase.AUTH})
_OUR_PHASES = frozenset({Phase.TLS, Phase.AUTH})
_NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_DEFERRED_CODES = {"5.2.2": "mailbox-full", "5.4.4": "no-route"}
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_BAD_SENDER = frozenset({"5.1.7", "5.1.8"})
_TOO_BIG = frozenset({"5.3.4", "5.2.3"})
MESSAGE_REFUSED = "message-refused"
"""First word of the reason of a message that was refused for its content."""

RECIPIENTS_REFUSED = "recipients-refused"
"""First word of the reason when the relay refused one recipient like all others."""

_OUT_OF_STEP = frozenset({502, 503})
_NO_RELAY = re.compile(r"\b(relay|relaying|rcpthosts|not permitted|access denied)\b", re.IGNORECASE)
_OUT_OF_ROOM = 552
"""Means that the message is too big at MAIL, that the mailbox is full later."""
_REST = 421
_NOBODY = ErrorScope()

WITHOUT_SESSION = (NO_SESSION, *(f"{phase}-refused" for phase in sorted(_OPENING)))
"""First words of reasons that no session was opened."""

POLICY = "policy-refusal"
_OUT_OF_TURN = "out-of-turn"
REFUSALS = (POLICY, RECIPIENTS_REFUSED, "sender-refused", MESSAGE_REFUSED, _OUT_OF_TURN)
"""First words of reasons for which the relay pauses although sessions are opened."""

HOLDING = (
    POLICY,
    RECIPIENTS_REFUSED,
    "sender-refused",
    _OUT_OF_TURN,
    "told-to-rest",
    *WITHOUT_SESSION[1:],
)
"""First words of reasons that hold up email to any recipient."""

_LONGEST_TEXT = 500
_MOST_JITTER = 0.2
_LINE = re.compile(r"([2-5][0-9]{2})(?:[ -](.*))?", re.DOTALL)
_ENHANCED = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$)")
_QMAIL = re.compile(r"\(#([245]\.[0-9]{1,3}\.[0-9]{1,3})\)")
_NAMES = re.compile(r"\S*[@0-9.]\S*")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def verdict(outcome: Outcome) -> ReplyClass:
    """Classify `outcome` by the table above, unless the sender has classified it."""
    if outcome.verdict is not None:
        return outcome.verdict
    reply = outcome.reply
    if reply is None or not 200 <= reply.code <= 599:
        return _without_reply(outcome)
    phase, is_dot = outcome.phase, outcome.phase is Phase.DOT
    match reply.code // 100:
        case 2 if is_dot:
            return _result(DeliveryState.SENT, "accepted", reply)
        case 4:
            rest = reply.code == _REST
            blame = ErrorScope(destination=rest or phase in _OPENING)
            word = "told-to-rest" if rest else "not-now"
            return _result(DeliveryState.DEFERRED, word, reply, blame)
        case 5:
            return _refusal(phase, reply)
        case _:  # an unexpected 3xx, or a 2xx before the end of the message
            lost = DeliveryState.UNKNOWN if is_dot else DeliveryState.DEFERRED
            return _result(lost, _OUT_OF_TURN, reply)


def speaks_against_us(found: ReplyClass) -> bool:
    """Whether a message was refused because of us or its content, not because of its recipient."""
    return found.blame.us or found.reason.startswith(f"{MESSAGE_REFUSED}: ")


def refusal_of_recipient(outcome: Outcome, address: str) -> str | None:
    """Return what the refusal of a recipient has in common with those of other recipients: its
    codes and words without addresses, numbers and names. None if it is none."""
    reply = outcome.reply
    is_known = reply is None or outcome.phase is not Phase.RCPT or outcome.verdict is not None
    if reply is None or is_known or verdict(outcome).state is not DeliveryState.FAILED:
        return None
    text = _NAMES.sub("", reply.text.lower().replace(address.lower().partition("@")[0], "@"))
    return f"{reply.code} {reply.enhanced} {' '.join(text.split())}"


def blame_us(outcome: Outcome) -> Outcome:
    """Return the refusal of a recipient as one of us."""
    detail = verdict(outcome).reason.partition(": ")[2]
    found = ReplyClass(
        state=DeliveryState.DEFERRED,
        reason=f"{RECIPIENTS_REFUSED}: {detail}",
        blame=ErrorScope(us=True),
    )
    return replace(outcome, verdict=found)


def reason_class(found: ReplyClass) -> str:
    """Return the first word of the reason, `other` for a text without a code."""
    word = found.reason.partition(":")[0]
    return word if _CODE.fullmatch(word) else "other"


def is_opening(phase: Phase) -> bool:
    """Whether the session was still opening, with no message offered yet."""
    return phase in _OPENING


def next_try(attempts: int, now: datetime, expires_at: datetime, jitter: float) -> datetime | None:
    """Return when to try again after `attempts` tries, including the one that just failed, or None
    when the email has expired by then.

    The wait is 5 minutes, doubling to 60, plus up to a fifth: `jitter` is a random number from 0
    to 1. Raises ValueError for any other.
    """
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is a draw from 0 to 1, not {jitter!r}")
    # Six doublings exceed the longest wait; more would overflow.
    doublings = min(max(attempts - 1, 0), 6)
    wait = min(FIRST_RETRY * 2**doublings, LONGEST_RETRY)
    moment = require_utc(now) + wait * (1 + _MOST_JITTER * jitter)
    return moment if moment < require_utc(expires_at) else None


LONGEST_LINE = 4096
MOST_LINES = 100


class GarbageReply(Exception):
    """The server sent something that is not an SMTP reply."""


class ReplyParser:
    """Parse replies from received bytes. `lines` are those of the last reply."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._partial_line = b""
        self._lines_so_far: list[bytes] = []

    @property
    def has_begun(self) -> bool:
        """Whether part of a reply was received."""
        return bool(self._partial_line or self._lines_so_far)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that `data` completes. Raises GarbageReply at the first invalid one,
        after yielding those before it."""
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        for line in lines:
            self._lines_so_far.append(line)
            if not (line[3:4] == b"-" and line[:3].isdigit()):  # RFC 5321 section 4.2.1
                self.lines, self._lines_so_far = self._lines_so_far, []
                yield _parse_reply(*self.lines)
            elif len(self._lines_so_far) == MOST_LINES:
                raise GarbageReply("a reply without end")
        if len(self._partial_line) > LONGEST_LINE:
            raise GarbageReply("a line without end")


@lru_cache(maxsize=64)
def _parse_reply(*lines: bytes) -> Reply:
    """Parse the lines of one reply, which must all have the same code from 200 to 599. Cached
    because servers repeat the same few replies."""
    if max(map(len, lines)) > LONGEST_LINE:
        raise GarbageReply("a line without end")
    codes, enhanced, texts = set[str](), "", []
    for line in lines:
        match = _LINE.fullmatch(line.rstrip(b"\r").decode("utf-8", "replace"))
        if match is None:
            raise GarbageReply("a line without a reply code")
        codes.add(match[1])
        text = match[2] or ""
        found = _ENHANCED.match(text)
        if found and found[1][0] == match[1][0]:  # a code of another class is part of the text
            enhanced, text = enhanced or found[1], text[found.end() :]
        elif found := _QMAIL.search(text):
            enhanced = enhanced or (found[1] if found[1][0] == match[1][0] else "")
        texts.append(text.strip())
    if len(codes) > 1:
        raise GarbageReply("lines that do not belong to one reply")
    text = _CONTROLS.sub(" ", " ".join(filter(None, texts)))
    return Reply(int(codes.pop()), enhanced, text[:_LONGEST_TEXT])


def _without_reply(outcome: Outcome) -> ReplyClass:
    word = outcome.error.partition(":")[0]
    error = outcome.error or "no usable answer"
    if word == UNSENDABLE:
        return ReplyClass(state=DeliveryState.FAILED, reason=error)
    if outcome.phase is Phase.DOT:
        return ReplyClass(state=DeliveryState.UNKNOWN, reason=f"silent-after-dot: {error}")
    if outcome.phase not in _OPENING:
        return ReplyClass(state=DeliveryState.DEFERRED, reason=f"stopped-before-dot: {error}")
    ours = word in _OUR_ERRORS
    return ReplyClass(
        state=DeliveryState.DEFERRED,
        reason=f"{NO_SESSION}: {error}",
        blame=ErrorScope(us=ours, destination=not ours),
    )


def _refusal(phase: Phase, reply: Reply) -> ReplyClass:
    ours = reply.enhanced.startswith("5.7.") or reply.code in _LOGIN_CODES
    if phase in _OPENING:
        ours = ours or phase in _OUR_PHASES
        blame = ErrorScope(us=ours, destination=not ours)
        return _result(DeliveryState.DEFERRED, f"{phase}-refused", reply, blame)
    is_bare_rcpt = phase is Phase.RCPT and not reply.enhanced
    if ours or (is_bare_rcpt and _NO_RELAY.search(reply.text)) or reply.code in _OUT_OF_STEP:
        word = _OUT_OF_TURN if reply.code in _OUT_OF_STEP else POLICY
        return _result(DeliveryState.DEFERRED, word, reply, ErrorScope(us=True))
    at_mail, no_room = phase is Phase.MAIL, reply.code == _OUT_OF_ROOM
    soft = _DEFERRED_CODES.get(reply.enhanced)
    if no_room and not reply.enhanced and not at_mail:
        soft = "mailbox-full"
    if soft:
        return _result(DeliveryState.DEFERRED, soft, reply)
    too_big = no_room or reply.enhanced in _TOO_BIG
    if reply.enhanced in _BAD_SENDER or (at_mail and not too_big):
        return _result(DeliveryState.DEFERRED, "sender-refused", reply, ErrorScope(us=True))
    return _failure(phase, reply)


def _failure(phase: Phase, reply: Reply) -> ReplyClass:
    if phase is not Phase.RCPT:
        return _result(DeliveryState.FAILED, MESSAGE_REFUSED, reply)
    if reply.enhanced in _NO_SUCH_ADDRESS:
        return _result(DeliveryState.FAILED, "no-such-address", reply, ErrorScope(subscriber=True))
    return _result(DeliveryState.FAILED, "recipient-refused", reply)


def _result(
    state: DeliveryState, word: str, reply: Reply, blame: ErrorScope = _NOBODY
) -> ReplyClass:
    detail = f"{reply.code} {reply.enhanced}".rstrip()
    return ReplyClass(state=state, reason=f"{word}: {detail}", blame=blame)
