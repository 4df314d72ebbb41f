"""Mails that come back: read one by one, taken in, and kept where nobody understood them.

    pipe, mailbox ─► read ─► take in ─► done with the mail, once all of it is written down
                                └─► not understood, or about a mail nobody can tell: quarantine

The same mail twice counts once, so a mail may be handed in again whenever it is not certain that
it was taken.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.bounces.handling import receipt, take_one
from paperround.bounces.model import (
    Did,
    IntakeSummary,
    ReportKind,
    ReturnBox,
    ReturnedEvent,
    ReturnReader,
)
from paperround.bounces.store import ReturnStore
from paperround.core.errors import Conflict, DatabaseFailed, NotFound
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.model import Evidence

log = logging.getLogger(__name__)

MOST_A_ROUND = 200
"""Mails of a mailbox that are read in one round; the others wait for the next."""

EVERY = 5
"""Minutes between two looks into the mailbox."""

NOT_UNDERSTOOD, UNPROVEN, UNREADABLE = "not-understood", "unproven", "unreadable"
"""Why a mail waits for a person: no words that are known; hard words, a complaint or a wish to
leave, and no proof that it is about a mail of ours; reading it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What taking mails in needs."""

    database: Database
    keys: KeyRing
    reader: ReturnReader


def take_in(intake: Intake, raw: bytes, *, way: str, now: datetime, to: str = "") -> IntakeSummary:
    """Take one mail in, and keep it where it cannot be read. `to` is where it was delivered to,
    where that is known.

    Raises DatabaseFailed or Conflict when it was not taken: hand it in again.
    """
    try:
        return _taken(intake, intake.reader.read(raw, way=way, to=to, now=now), raw, now)
    except (Conflict, DatabaseFailed):  # the fault of no mail
        raise
    except Exception:  # a poisonous mail must not keep the others from being read
        log.exception("a mail that came back could not be read; it is kept")
        unread = ReturnedEvent(
            way=way,
            event_id=hashlib.sha256(raw).hexdigest(),
            kind=ReportKind.QUARANTINED,
            evidence=Evidence.NONE,
            happened_at=now,
        )
        return _taken(intake, unread, raw, now, quarantined=UNREADABLE)


def _taken(
    intake: Intake,
    event: ReturnedEvent,
    raw: bytes,
    now: datetime,
    *,
    quarantined: str = NOT_UNDERSTOOD,
) -> IntakeSummary:
    def take(work: Transaction) -> str:
        taken = take_one(work, intake.keys, event, now=now)
        why = quarantined if taken.did is Did.QUARANTINED else _why_unproven(event, taken.did)
        if why:
            person = None if taken.mail is None else taken.mail.person
            work[ReturnStore].keep(event, raw, why=why, person=person, now=now)
        return taken.word

    return receipt([write(intake.database, take)])


def _why_unproven(event: ReturnedEvent, did: Did | None) -> str:
    strong = event.evidence.is_hard or event.evidence is Evidence.COMPLAINT
    return (
        UNPROVEN if did is Did.UNKNOWN and (strong or event.kind is ReportKind.UNSUBSCRIBE) else ""
    )


def empty_box(
    intake: Intake, opened: Callable[[], AbstractContextManager[ReturnBox]], *, now: datetime
) -> IntakeSummary:
    """Take in what waits in a mailbox, a mail at a time; each goes out of the way once it is
    written down. Raises FetchFailed when the mailbox cannot be read."""
    done = IntakeSummary()
    with opened() as box:
        for letter in box.letters(limit=MOST_A_ROUND):
            done += take_in(intake, letter.raw, way="imap", now=now)
            box.done([letter])
    return done


def replay(intake: Intake, number: int, *, now: datetime) -> IntakeSummary:
    """Read a mail in quarantine once more, as it would be read today; when that is understood it
    counts as of the day it came, and leaves the quarantine. Raises NotFound."""
    with intake.database.reading() as work:
        found = work[ReturnStore].quarantined(number)
    if found is None:
        raise NotFound(f"there is no mail {number} in quarantine: `paperround bounces list`")
    mail, raw = found
    try:
        event = intake.reader.read(raw, way=mail.way, to="", now=mail.received_at)
    except Exception:  # it waits on, and keeps no other from being read
        log.exception("mail %d in quarantine could not be read", number)
        return IntakeSummary(known=1)

    def take(work: Transaction) -> str:
        # under the name it came with, so that it is not counted as another one
        named = replace(event, event_id=mail.event_id)
        taken = take_one(work, intake.keys, named, now=now)
        counts = taken.did not in (None, Did.QUARANTINED)
        if counts and not _why_unproven(event, taken.did):
            work[ReturnStore].release(number)
        return taken.word

    return receipt([write(intake.database, take)])
