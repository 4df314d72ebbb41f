"""Classify bounces: what a reply proves about the recipient's address.

    reply                                       evidence
    delivered, relayed, delayed                 none: the message is not lost
    full, blocked, policy, temporary            passing: the address may be fine
    5.1.1 and similar, about the recipient      gone: suppresses the reader at once
    "no such user" in words only                likely gone: needs two on different days
    a complaint                                 complaint
    an out-of-office reply                      auto-reply, never evidence

Servers word replies in many ways and often use wrong codes. So only a code about the address, which
nothing in the text contradicts, suppresses a reader by itself: a reader suppressed by mistake never
finds out. Codes are those of RFC 3463 and its registry.
"""

import re
from dataclasses import dataclass, field

from paperround.bounces import patterns
from paperround.delivery.model import STRONGEST_LAST, Evidence, Outcome, Phase, ReplyClass


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReply:
    """A mail system's reply about one recipient.

    `status` is the Status field of a delivery report (RFC 3464), `said` the server's text with any
    codes in it, `recipient` the address the report names, empty for none or several. `by_smtp` is
    false if a program on the last machine replied and not a mail server. `after_data`: the reply
    came after the message was transferred. Filters reply then, and report "no such user" even for
    existing users.
    """

    said: str = ""
    status: str = ""
    action: str = "failed"
    recipient: str = field(default="", repr=False)
    by_smtp: bool = True
    after_data: bool = False


LONGEST = 10_000
"""Characters of a statement that are read. Replies are a few lines long."""

_REPLY_CLASS = re.compile(r"(?<![\d.])([45])(?:\d\d(?:[ -]|$)|\.\d{1,3}\.\d{1,3}(?![\d.]*\d))")
"""The first digit of a reply code (RFC 5321) or an enhanced status code."""
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_ADDRESS_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
_UNSPECIFIC = frozenset({"5.0.0", "5.1.0", "5.5.0"})
_CISCO_PREFIX = re.compile(r"^5\.\d\.\d - [\w ]+(?=[45]\d\d-')")
"""The prefix that Cisco's gateways put before the reply of the server they connected to."""
_MAY_PASS = (patterns.FULL, patterns.DISABLED, patterns.TEMPORARY)
_SENTENCE_END = re.compile(r"[.;!?](?= )|[。；！？]")
"""The end of a sentence."""
_NOT_FAILED = frozenset({"delivered", "relayed", "expanded", "delayed", "deliverable"})


def evidence_of(statement: BounceReply) -> Evidence:
    """Return what the statement proves, by the table above."""
    if statement.action in _NOT_FAILED:
        return Evidence.NONE
    said = _CISCO_PREFIX.sub("", patterns.folded(statement.said[:LONGEST]))
    codes_in_text = _CODE.findall(said)
    no_user = _states(said, patterns.NO_SUCH_USER)
    no_host = _states(said, patterns.NO_SUCH_HOST)
    # Full, disabled or temporary; also if all codes are 4yz.
    may_pass = any(one.search(said) for one in _MAY_PASS)
    may_pass = may_pass or set(_REPLY_CLASS.findall(said)) == {"4"}
    about_sender = any(patterns.OUR_ADDRESS.search(one) for one in _SENTENCE_END.split(said))
    # A code and words that agree on the address outweigh those about us or our message.
    is_clear = no_user and bool(_ADDRESS_GONE & {*codes_in_text})
    if may_pass or about_sender or (not is_clear and patterns.ABOUT_US.search(said)):
        return Evidence.PASSING
    codes = codes_in_text or [code for code in [statement.status] if code]
    is_direct = statement.by_smtp and not statement.after_data
    is_about_address = bool(_ADDRESS_GONE & {*codes}) and not any(
        code.startswith("5.7.") for code in codes
    )
    suggests_otherwise = patterns.ADVICE.search(said) or patterns.ABOUT_US.search(said)
    if is_direct and is_about_address and not suggests_otherwise:
        return Evidence.GONE
    if no_user or no_host:
        gone = not statement.after_data and not any(code.startswith("5.2.0") for code in codes)
    elif said:  # a code is about the address, but the text is not
        gone = is_direct and statement.status in _ADDRESS_GONE and set(codes) <= _UNSPECIFIC
    else:
        gone = is_direct and statement.status in {*_ADDRESS_GONE, "5.2.1"}
    return Evidence.LIKELY_GONE if gone else Evidence.PASSING


def evidence_of_outcome(outcome: Outcome, verdict: ReplyClass) -> Evidence:
    """Return what a relay's reply during delivery proves about the recipient.

    Only replies to RCPT are about the recipient; later ones only if the mailbox is full. Our own
    errors and temporary ones of the destination prove nothing.
    """
    reply = outcome.reply
    if reply is None or reply.code < 400 or verdict.blame.us or verdict.blame.destination:
        return Evidence.NONE
    if verdict.reason.startswith("mailbox-full") or (reply.code < 500 and is_full(reply.text)):
        return Evidence.PASSING
    if outcome.phase is not Phase.RCPT or reply.code < 500:
        return Evidence.NONE
    said = f"{reply.code} {reply.enhanced} {reply.text}"
    return evidence_of(BounceReply(said=said, status=reply.enhanced))


def is_full(reply: str) -> bool:
    """Return whether the text says that the mailbox exists but is full."""
    return patterns.FULL.search(patterns.folded(reply)) is not None


def states_reason(reply: str) -> bool:
    """Return whether a code or a phrase in the text gives a reason."""
    said = patterns.folded(reply[:LONGEST])
    if not {*_CODE.findall(said)} <= _UNSPECIFIC:
        return True
    soft = any(one.search(said) for one in (*_MAY_PASS, patterns.ABOUT_US, patterns.OUR_ADDRESS))
    return soft or any(_states(said, one) for one in (patterns.NO_SUCH_USER, patterns.NO_SUCH_HOST))


def weaker_evidence(found: Evidence, most: Evidence) -> Evidence:
    """Return the weaker of two pieces of evidence."""
    return min(found, most, key=STRONGEST_LAST.index)


def _states(said: str, gone: re.Pattern[str]) -> bool:
    """Return whether a sentence states it about the reader. A mere guess counts only with a reply
    code."""
    answered = _REPLY_CLASS.search(said) is not None
    return any(
        gone.search(one) and not patterns.SENDER.search(one)
        for one in _SENTENCE_END.split(said)
        if answered or not patterns.GUESSED.search(one)
    )
