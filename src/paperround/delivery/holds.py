"""Hold digests after a clock jump, and all email when DKIM keys are missing.

Each tick records the boot time of this machine according to its clock. If that moves by more than
36 hours between two ticks of one boot, the clock has jumped. Trusting it would expire a day's
digests as missed and send the next day's early; so nothing is planned or sent until the clock is
right or you resume. A machine that was off or asleep is recognised, and digests continue.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from paperround.access.model import COMMAND_LINE, AuditedAction
from paperround.access.store import AuditStore
from paperround.core.times import Boot, format_instant, has_leapt
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.system_mail_model import Alert

HOLD = "hold"
CLOCK, SIGNING, PUT_BACK = "clock", "signing", "put-back"
"""What holds email: a clock jump, missing keys, an older copy of the database."""

HELD = "digests are held: the clock jumped forward; if it is right, run `paperround digest resume`"


def check_clock_leap(database: Database, boot: Boot | None, *, now: datetime) -> bool:
    """Check the clock and return whether digests are held. Without a known boot time, return the
    last result."""

    def check(work: Transaction) -> bool:
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

    return write(database, check)


def is_held(work: Transaction, reason: str = CLOCK) -> bool:
    """Whether email is held for `reason`; because of the clock, only digests are."""
    return work[SlotStore].taken_at(HOLD, reason) is not None


def is_or_will_be_held(work: Transaction, boot: Boot | None, *, now: datetime) -> bool:
    """Whether digests are held, or the next tick would hold them."""
    if boot is None:
        return is_held(work)
    return is_held(work) or has_leapt(work[SlotStore].last_beat(_name(boot)), boot.started(now))


def release_digests(
    database: Database, boot: Boot | None, *, now: datetime, by: str = COMMAND_LINE
) -> bool:
    """Accept the clock and release the digests. Returns False when none were held."""

    def release(work: Transaction) -> bool:
        if boot is not None:
            work[SlotStore].beat(_name(boot), now=boot.started(now))
        was_held = work[SlotStore].give_back(HOLD, CLOCK)
        if was_held:
            note_release(work, "accept clock", now=now, by=by)
        return was_held

    return write(database, release)


def note_release(work: Transaction, action: str, *, now: datetime, by: str) -> None:
    """Store in the audit log that an operator released email that was held."""
    work[AuditStore].note(AuditedAction(actor=by, action=action, target="mail"), now=now)


def clock_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """Yield an alert while digests are held."""
    since = work[SlotStore].taken_at(HOLD, CLOCK)
    if since is None:
        return
    yield Alert(
        key=f"clock/{format_instant(since)}",
        subject="Digests are held: this machine's clock jumped forward",
        lines=(
            f"It says {format_instant(now)}. According to this machine's uptime that is wrong.",
            "Correct it, and sending resumes automatically.",
            "If it is right, run `paperround digest resume`.",
        ),
        stops_mail=True,
    )


def _name(boot: Boot) -> str:
    return f"boot/{boot.name}"


# Once email was signed, unsigned email is held until the operator allows it.
#
#     not signed yet ──(a signed email is sent)──► signed ──(no key can sign)──► held
#     held ──(keys are back)──► signed      held ──(`digest resume --unsigned`)──► allowed
#     allowed ──(a signed email is sent)──► signed      not signed yet ──(broken keys)──► held
#
# The database stores it, because a new process has not seen the keys. While email is held, nothing
# is claimed, given up or expired in either queue.

log = logging.getLogger(__name__)

SIGNED = "signed"
UNSIGNED = "unsigned"

LACKS_KEYS = "email is held: there is no DKIM key to sign it"
ALLOW = "`paperround digest resume --unsigned` allows unsigned email"
GONE = (
    "email was signed before, but the keys are gone: restore dkim.json in PAPERROUND_DATA_DIR, or "
    "PAPERROUND_DKIM_KEY_FILE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Whether a run signs its email. `broken` describes keys that exist but cannot sign."""

    signs: bool = False
    broken: str = ""


def hold_unsigned(database: Database, signing: Signing, *, now: datetime) -> str | None:
    """Return why email must not be sent, None if it may. Stores the result for all processes."""
    with database.reading() as work:
        was_signed = work[SlotStore].taken_at(SIGNING, SIGNED) is not None
        was_allowed = work[SlotStore].taken_at(SIGNING, UNSIGNED) is not None
        was_held = is_held(work, SIGNING)
    reason = None
    if not signing.signs and (was_signed or (signing.broken and not was_allowed)):
        reason = f"{signing.broken or GONE}; or {ALLOW}"
    if reason is not None and not was_held:
        write(database, lambda work: work[SlotStore].take(HOLD, SIGNING, now=now))
    if reason is None and was_held:
        write(database, lambda work: work[SlotStore].give_back(HOLD, SIGNING))
        log.warning("email is no longer held")
    return reason


def note_signed(work: Transaction, *, now: datetime) -> None:
    """Record that a signed email is sent: from now on all email must be signed."""
    work[SlotStore].take(SIGNING, SIGNED, now=now)


def allow_unsigned(database: Database, *, now: datetime, by: str = COMMAND_LINE) -> bool:
    """Allow unsigned email until the next signed one. Returns False when email was neither signed
    nor held before."""

    def allow(work: Transaction) -> bool:
        work[SlotStore].take(SIGNING, UNSIGNED, now=now)
        was_signed = work[SlotStore].give_back(SIGNING, SIGNED)
        is_changed = work[SlotStore].give_back(HOLD, SIGNING) or was_signed
        if is_changed:
            note_release(work, "allow unsigned", now=now, by=by)
        return is_changed

    return write(database, allow)


def unsigned(work: Transaction) -> Iterator[Alert]:
    """Yield an alert while email is held."""
    if not is_held(work, SIGNING):
        return
    yield Alert(
        key=SIGNING,
        subject=f"{LACKS_KEYS[0].upper()}{LACKS_KEYS[1:]}",
        lines=(
            "The keys that signed it are missing or unreadable: the log says which.",
            "Restore them, and sending resumes automatically.",
            f"Or {ALLOW}.",
        ),
        stops_mail=True,
    )
