"""Holding digests when the clock leapt forward, until it is right again or somebody says go.

A tick remembers when this machine was started by its clock. A step of more than 36 hours between
two ticks of one running is no pause of ours. Believed, it would give up a day's digests as missed
and send the next day's a day early; so nothing is planned and no digest leaves. A machine that was
off, or asleep, is told from that: then digests go on by themselves.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from paperround.core.times import Boot, format_instant, has_leapt
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.system_mail_model import Alert

HOLD = "hold"
CLOCK = "clock"
HELD = "digests are held: the clock leapt forward; if it is right, `paperround digest resume`"


def watch(database: Database, boot: Boot | None, *, now: datetime) -> bool:
    """Whether digests are held, having looked at the clock. Where nothing is known of the machine
    only what was found before counts."""

    def look(work: Transaction) -> bool:
        if boot is None:
            return is_held(work)
        known = work[SlotStore].last_beat(_name(boot))
        if has_leapt(known, boot.started(now)):
            work[SlotStore].take(HOLD, CLOCK, now=now)
            return True
        if known is not None:
            work[SlotStore].give_back(HOLD, CLOCK)
        work[SlotStore].beat(_name(boot), now=boot.started(now))
        return is_held(work)

    return write(database, look)


def is_held(work: Transaction) -> bool:
    """Whether digests are held."""
    return work[SlotStore].taken_at(HOLD, CLOCK) is not None


def is_suspect(work: Transaction, boot: Boot | None, *, now: datetime) -> bool:
    """Whether digests are held, or would be if something ticked now."""
    if boot is None:
        return is_held(work)
    return is_held(work) or has_leapt(work[SlotStore].last_beat(_name(boot)), boot.started(now))


def let_go(database: Database, boot: Boot | None, *, now: datetime) -> bool:
    """The clock is right, somebody says: go on. False when nothing was held."""

    def go_on(work: Transaction) -> bool:
        if boot is not None:
            work[SlotStore].beat(_name(boot), now=boot.started(now))
        return work[SlotStore].give_back(HOLD, CLOCK)

    return write(database, go_on)


def leapt(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """The alert while digests are held."""
    since = work[SlotStore].taken_at(HOLD, CLOCK)
    if since is None:
        return
    yield Alert(
        key=f"clock/{format_instant(since)}",
        subject="Digests are held: this machine's clock leapt forward",
        lines=(
            f"It says {format_instant(now)}. By how long this machine runs that is wrong.",
            "Set it right, and digests go on by themselves.",
            "If it is right, say so: `paperround digest resume`.",
        ),
        stops_mail=True,
    )


def _name(boot: Boot) -> str:
    return f"boot/{boot.name}"


# Mail that was signed once never leaves unsigned, until an operator says that it may.
#
# not signed yet ──(a signed mail leaves)──► signed ──(no key can sign)──► held ──► keys are back │
# ▲ │ (broken keys: held) (a signed mail leaves)──── allowed ◄── `digest resume --unsigned`
#
# The database remembers it, since a process that starts anew has not seen the keys. While mail is
# held nothing is claimed, given up or expired, in either lane.

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
        was_signed = work[SlotStore].taken_at(SIGNING, SIGNED) is not None
        was_allowed = work[SlotStore].taken_at(SIGNING, UNSIGNED) is not None
        was_held = lacks_keys(work)
    reason = None
    if not signing.signs and (was_signed or (signing.broken and not was_allowed)):
        reason = f"{signing.broken or GONE}; or {ALLOW}"
    if reason is not None and not was_held:
        write(database, lambda work: work[SlotStore].take(HOLD, SIGNING, now=now))
    if reason is None and was_held:
        write(database, lambda work: work[SlotStore].give_back(HOLD, SIGNING))
        log.warning("mail is not held any more")
    return reason


def note_signed(work: Transaction, *, now: datetime) -> None:
    """A signed mail leaves: from now on mails are signed."""
    work[SlotStore].take(SIGNING, SIGNED, now=now)


def allow_unsigned(database: Database, *, now: datetime) -> bool:
    """Forget that mail was signed: it may leave unsigned, until it is signed again. False when
    nothing was forgotten and nothing was held."""

    def allow(work: Transaction) -> bool:
        work[SlotStore].take(SIGNING, UNSIGNED, now=now)
        was_signed = work[SlotStore].give_back(SIGNING, SIGNED)
        return work[SlotStore].give_back(HOLD, SIGNING) or was_signed

    return write(database, allow)


def lacks_keys(work: Transaction) -> bool:
    """Whether mail was held for want of a key when it was last looked at."""
    return work[SlotStore].taken_at(HOLD, SIGNING) is not None


def unsigned(work: Transaction) -> Iterator[Alert]:
    """The alert while mail is held."""
    if not lacks_keys(work):
        return
    yield Alert(
        key=SIGNING,
        subject=f"{LACKS_KEYS[0].upper()}{LACKS_KEYS[1:]}",
        lines=(
            "The keys that signed it are gone, or cannot be read: the log says which.",
            "Put them back, and mail goes on by itself.",
            f"Or {ALLOW}.",
        ),
        stops_mail=True,
    )
