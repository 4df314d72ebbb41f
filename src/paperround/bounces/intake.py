"""Take in bounce messages: parse, process, and quarantine those that need a person.

    pipe, mailbox ─► parse ─► process ─► remove from the mailbox, once everything is stored
                                 └─► not understood, or about an unknown message: quarantine

A message that is delivered twice counts once, so it may be delivered again whenever it is uncertain
whether it was stored.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from paperround.bounces.handling import handle_event
from paperround.bounces.model import Did, IntakeSummary, ReportKind, ReturnBox, ReturnedEvent
from paperround.bounces.store import ReturnStore
from paperround.core.errors import Conflict, DatabaseFailed
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import Evidence

if TYPE_CHECKING:
    from paperround.bounces.reader import ReturnReader

log = logging.getLogger(__name__)

MOST_PER_RUN = 200
"""Messages read from a mailbox per run; the others wait for the next."""

EVERY = 5
"""Minutes between two reads of the mailbox."""

NOT_UNDERSTOOD, UNPROVEN, UNREADABLE = "not-understood", "unproven", "unreadable"
"""Why a message is quarantined: no known wording; a permanent failure, complaint or unsubscribe
request without proof that it is about a message of ours; an error while parsing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The dependencies of the intake."""

    database: Database
    keys: KeyRing
    reader: "ReturnReader"


def process_message(
    intake: Intake, raw: bytes, *, way: str, now: datetime, to: str = ""
) -> IntakeSummary:
    """Process one message; quarantine it if it cannot be read. `to` is the address it was delivered
    to, if known.

    Raises DatabaseFailed or Conflict if it was not stored: deliver it again.
    """
    try:
        return _process(intake, intake.reader.read(raw, way=way, to=to, now=now), raw, now)
    except (Conflict, DatabaseFailed):  # not the message's fault
        raise
    except Exception:  # a malformed message must not block the others
        log.exception("a mail that came back could not be read; it is kept")
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
) -> IntakeSummary:
    def handle(work: Transaction) -> str:
        report = handle_event(work, intake.keys, event, now=now)
        why = (
            quarantined if report.did is Did.QUARANTINED else _quarantine_reason(event, report.did)
        )
        if why:
            person = None if report.mail is None else report.mail.person
            work[ReturnStore].keep(event, raw, why=why, person=person, now=now)
        return report.outcome

    return IntakeSummary(**{write(intake.database, handle): 1})


def _quarantine_reason(event: ReturnedEvent, did: Did | None) -> str:
    strong = event.evidence.is_hard or event.evidence is Evidence.COMPLAINT
    return (
        UNPROVEN if did is Did.UNKNOWN and (strong or event.kind is ReportKind.UNSUBSCRIBE) else ""
    )


def process_mailbox(
    intake: Intake, opened: Callable[[], AbstractContextManager[ReturnBox]], *, now: datetime
) -> IntakeSummary:
    """Process the messages in a mailbox, one at a time; each is removed once it is stored. Raises
    FetchFailed if the mailbox cannot be read."""
    done = IntakeSummary()
    with opened() as box:
        for letter in box.letters(limit=MOST_PER_RUN):
            done += process_message(intake, letter.raw, way="imap", now=now)
            box.done([letter])
    return done
