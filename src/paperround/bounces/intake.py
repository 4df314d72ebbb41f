"""Take in bounce messages: parse and process them, and quarantine those a person must look at.

    pipe, mailbox ─► parse ─► process ─► remove from the mailbox, once everything is stored
                                 └─► not understood, or about an unknown message: quarantine

A message that is delivered twice counts once, so it may be delivered again whenever it is uncertain
whether it was stored. Nothing in a message is trusted: a tag is signed, and a Message-ID counts for
little and only together with the recipient of that message. `bounces.handling` verifies both.
"""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses

from paperround.bounces.classify import BounceReply, evidence_of
from paperround.bounces.handling import count_returns, handle_event
from paperround.bounces.model import Did, ReportKind, ReturnedEvent
from paperround.bounces.reports import (
    LONGEST,
    LONGEST_FIELD,
    BounceReport,
    field,
    normalized,
    read_returned,
)
from paperround.bounces.store import ReturnStore
from paperround.core.errors import Conflict, DatabaseFailed
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import Evidence
from paperround.delivery.return_path import TagUse, read_tag, tag_of

log = logging.getLogger(__name__)

MOST_PER_RUN = 200
"""Messages read from a mailbox per run; the others wait for the next."""

EVERY = 5
"""Minutes between two reads of the mailbox."""

NOT_UNDERSTOOD, UNPROVEN, UNREADABLE = "not-understood", "unproven", "unreadable"
"""Why a message is quarantined: no known wording; a permanent failure, complaint or unsubscribe
request without proof that it is about a message of ours; an error while parsing."""


# --- parsing ----------------------------------------------------------------------------------

_RECIPIENT_FIELDS = (
    "X-Original-To",
    "Delivered-To",
    "Envelope-To",
    "X-Envelope-To",
    "To",
    "Cc",
    "Apparently-To",
)
"""Header fields with the address a message was delivered to; the first one with a tag counts."""
_RETURN_PATH = re.compile(
    rb"^[ \t>]*(?:Return-Path|Original-Mail-From|X-Postfix-Sender|Original-Envelope-From):"
    rb"[ \t]*(?:rfc822;[ \t]*)?<?([^\s<>;]+@[^\s<>]+)",
    re.I | re.M,
)
"""Our message's return address, in a report."""
_OWN_MESSAGE_ID = rb"<[0-9a-f]{32}@[A-Za-z0-9.-]+>"
_MESSAGE_ID_FIELD = re.compile(rb"^[ \t>]*Message-ID:\s*(" + _OWN_MESSAGE_ID + rb")", re.I | re.M)
_MESSAGE_ID = re.compile(rb"(" + _OWN_MESSAGE_ID + rb")")
_UNSUBSCRIBE = re.compile(r"\s*(?:(?:re|aw|fwd?|sv|antw)\s*:\s*)*unsubscribe\b", re.I)
_UNSUBSCRIBE_LINK = re.compile(rb"/unsubscribe/([A-Za-z0-9_-]{40})(?![A-Za-z0-9_-])")
_MOST_FIELDS = 20
"""Fields of one name that are read."""
_MOST_DECODED = 20
"""Parts that are decoded to find a Message-ID. Ours is in one of the first."""


class ReturnReader:
    """Parses messages sent to `address` with a tag in it, or to any address if that is empty."""

    def __init__(self, address: str = "") -> None:
        self._address = address

    def read(self, raw: bytes, *, way: str, to: str, now: datetime) -> ReturnedEvent:
        """Return the event of a message. `to` is the address it was delivered to, if known. Never
        raises for its content."""
        plain = normalized(raw[:LONGEST])
        found = read_returned(raw)
        try:
            mail = message_from_bytes(plain)
        except RecursionError:  # only the header, if the parts are nested too deep
            mail = message_from_bytes(plain.partition(b"\n\n")[0] + b"\n\n")
        addresses = _return_addresses(mail, plain, to) if self._address else ()
        tag = next(filter(None, (tag_of(self._address, one) for one in addresses)), "")
        parts = read_tag(tag)
        has_leave_tag = parts is not None and parts.use is TagUse.LEAVE
        if found.kind is ReportKind.QUARANTINED and (
            has_leave_tag or _UNSUBSCRIBE.match(field(mail, "Subject"))
        ):
            link = _UNSUBSCRIBE_LINK.search(_decoded_text(mail, plain))
            tag = tag or (link[1].decode("ascii") if link else "")
            found = BounceReport(kind=ReportKind.UNSUBSCRIBE)
        deciding = (one for one in found.statements if evidence_of(one) is found.evidence)
        statement = next(deciding, BounceReply())
        # Identify a message by what is the same when it is delivered twice: no fields added in
        # transit.
        head = "\n".join(field(mail, name) for name in ("Message-ID", "Date", "From", "Subject"))
        body = plain.partition(b"\n\n")[2]
        digest = hashlib.sha256(head.encode("utf-8", "replace") + b"\0" + body).hexdigest()
        return ReturnedEvent(
            way=way,
            event_id=digest[:40],
            kind=found.kind,
            evidence=found.evidence,
            happened_at=now,
            message_id=_message_id(mail, plain),
            tag=tag,
            recipient=statement.recipient,
            code=statement.status,
            said=statement.said,
        )


def _return_addresses(mail: Message, plain: bytes, to: str) -> Iterator[str]:
    """Yield every address that may be our message's return address, most reliable first."""
    yield to
    for name in _RECIPIENT_FIELDS:
        for value in mail.get_all(name, [])[:_MOST_FIELDS]:
            with suppress(RecursionError):  # nested brackets
                parsed = getaddresses([str(value)[:LONGEST_FIELD]])
                yield from [address for _, address in parsed]
    for match in _RETURN_PATH.finditer(plain):
        yield match[1].decode("latin-1")


def _message_id(mail: Message, plain: bytes) -> str:
    """Return our Message-ID; empty for none or several."""
    body = plain.partition(b"\n\n")[2]
    for where, pattern in ((body, _MESSAGE_ID_FIELD), (_decoded_text(mail, plain), _MESSAGE_ID)):
        own = field(mail, "Message-ID").encode("utf-8", "replace")
        names = {match[1] for match in pattern.finditer(where)} - {own}
        if len(names) == 1:
            return names.pop().decode("ascii")
    return ""


def _decoded_text(mail: Message, plain: bytes) -> bytes:
    """Return the raw bytes and the decoded contents of encoded parts."""
    decoded = []
    for part in list(mail.walk())[:_MOST_DECODED]:
        content = None if part.is_multipart() else part.get_payload(decode=True)
        decoded.append(content if isinstance(content, bytes) else b"")
    return b"\n".join([plain, *decoded])


# --- processing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The dependencies of the intake."""

    database: Database
    keys: KeyRing
    reader: ReturnReader


def process_message(intake: Intake, raw: bytes, *, way: str, now: datetime, to: str = "") -> str:
    """Process one message and return its effect; quarantine it if it cannot be read. `to` is the
    address it was delivered to, if known.

    Raises DatabaseFailed or Conflict if it was not stored: deliver it again.
    """
    try:
        return _process(intake, intake.reader.read(raw, way=way, to=to, now=now), raw, now)
    except (Conflict, DatabaseFailed):  # not the message's fault
        raise
    except Exception:  # a malformed message must not block the others
        log.exception("a returned message could not be read; it is kept")
        unread = ReturnedEvent(
            way=way,
            event_id=hashlib.sha256(raw).hexdigest(),
            kind=ReportKind.QUARANTINED,
            evidence=Evidence.NONE,
            happened_at=now,
        )
        return _process(intake, unread, raw, now, quarantined=UNREADABLE)


def _process(
    intake: Intake,
    event: ReturnedEvent,
    raw: bytes,
    now: datetime,
    *,
    quarantined: str = NOT_UNDERSTOOD,
) -> str:
    def handle(work: Transaction) -> str:
        did, mail = handle_event(work, intake.keys, event, now=now)
        strong = event.evidence.is_hard or event.evidence is Evidence.COMPLAINT
        why = quarantined if did == Did.QUARANTINED else ""
        if did == Did.UNKNOWN and (strong or event.kind is ReportKind.UNSUBSCRIBE):
            why = UNPROVEN
        if why:
            person = None if mail is None else mail.person
            work[ReturnStore].keep(event, raw, why=why, person=person, now=now)
        count_returns(work, [(event, did, mail)], now=now)
        return did

    return write(intake.database, handle)


def process_mailbox(intake: Intake, messages: Iterable[bytes], *, now: datetime) -> Counter[str]:
    """Process the messages of a mailbox one at a time; each is stored before the next is requested.
    Raises FetchFailed if the mailbox cannot be read."""
    effects = (process_message(intake, raw, way="imap", now=now) for raw in messages)
    return Counter(effects)
