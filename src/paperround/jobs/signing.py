"""Mail that was signed once never leaves unsigned, until an operator says that it may.

    not signed yet ──(a signed mail leaves)──► signed ──(no key can sign)──► held ──► keys are back
          │                                      ▲                            │
    (broken keys: held)          (a signed mail leaves)──── allowed ◄── `digest resume --unsigned`

The database remembers it, since a process that starts anew has not seen the keys. While mail is
held nothing is claimed, given up or expired, in either lane.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from paperround.domain.notices import Alert
from paperround.jobs.holding import HOLD
from paperround.jobs.transactions import write
from paperround.store.unit_of_work import Database, UnitOfWork

log = logging.getLogger(__name__)

SIGNING = "signing"
SIGNED = "signed"
UNSIGNED = "unsigned"

LACKS_KEYS = "mail is held: there is no DKIM key to sign it with"
ALLOW = "`paperround digest resume --unsigned` lets mail leave unsigned"
GONE = (
    "mails were signed before, and the keys are gone: put back dkim.json in PAPERROUND_DATA_DIR, "
    "or PAPERROUND_DKIM_KEY_FILE, as they were"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Whether the mails of a run are signed; where keys are there that cannot sign, `broken` says
    what is wrong with them."""

    signs: bool = False
    broken: str = ""


def hold_unsigned(database: Database, signing: Signing, *, now: datetime) -> str | None:
    """Why no mail may leave; None when it may. What is found is written down for every process."""
    with database.reading() as work:
        reason = _reason(work, signing)
        was_held = lacks_keys(work)
    if reason is not None and not was_held:
        write(database, lambda work: work.slots.take(HOLD, SIGNING, now=now))
    if reason is None and was_held:
        write(database, lambda work: work.slots.give_back(HOLD, SIGNING))
        log.warning("mail is not held any more")
    return reason


def _reason(work: UnitOfWork, signing: Signing) -> str | None:
    if signing.signs:
        return None
    was_signed = work.slots.taken_at(SIGNING, SIGNED) is not None
    was_allowed = work.slots.taken_at(SIGNING, UNSIGNED) is not None
    if was_signed or (signing.broken and not was_allowed):
        return f"{signing.broken or GONE}; or {ALLOW}"
    return None


def note_signed(work: UnitOfWork, *, now: datetime) -> None:
    """A signed mail leaves: from now on mails are signed."""
    work.slots.take(SIGNING, SIGNED, now=now)


def allow_unsigned(database: Database, *, now: datetime) -> bool:
    """Forget that mail was signed: it may leave unsigned, until it is signed again. False when
    nothing was forgotten and nothing was held."""

    def allow(work: UnitOfWork) -> bool:
        work.slots.take(SIGNING, UNSIGNED, now=now)
        was_signed = work.slots.give_back(SIGNING, SIGNED)
        return work.slots.give_back(HOLD, SIGNING) or was_signed

    return write(database, allow)


def lacks_keys(work: UnitOfWork) -> bool:
    """Whether mail was held for want of a key when it was last looked at."""
    return work.slots.taken_at(HOLD, SIGNING) is not None


def unsigned(work: UnitOfWork) -> list[Alert]:
    """The alert while mail is held."""
    if not lacks_keys(work):
        return []
    return [
        Alert(
            key=SIGNING,
            subject=f"{LACKS_KEYS[0].upper()}{LACKS_KEYS[1:]}",
            lines=(
                "The keys that signed it are gone, or cannot be read: the log says which.",
                "Put them back, and mail goes on by itself.",
                f"Or {ALLOW}.",
            ),
            stops_mail=True,
        )
    ]
