"""Manage suppressions, the addresses that must never be mailed, for operators.

Only keyed hashes are stored, so a suppression is looked up by the address, and an audit entry names
the person by number, or the suppression by the start of its hash.
"""

from collections.abc import Mapping
from datetime import datetime

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database, Transaction, write
from paperround.subscribers.audit import person_target
from paperround.subscribers.imports import lift, suppress, suppression_digests
from paperround.subscribers.model import Address, SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

LONGEST_REASON = 60


def find_suppression(
    database: Database, keys: KeyRing, address: Address, *, now: datetime, by: str
) -> tuple[SubscriberId | None, Mapping[str, datetime]]:
    """Return the number of the person at `address`, if any, and why the address is suppressed, with
    the instants: empty if it is not. Audited without the address."""

    def find(work: Transaction) -> tuple[SubscriberId | None, Mapping[str, datetime]]:
        reasons = work[SubscriberStore].suppression_reasons(suppression_digests(keys, address))
        person = work[SubscriberStore].find(address)
        _note(work, keys, address, "find suppression", by=by, now=now)
        return None if person is None else person.id, reasons

    return write(database, find)


def add_suppression(
    database: Database, keys: KeyRing, address: Address, *, reason: str, now: datetime, by: str
) -> bool:
    """Suppress an address for a reason, kept beside its hash; return False if it was already.
    Raises InvalidInput (code `reason`)."""
    said = _reason(reason)

    def add(work: Transaction) -> bool:
        added = suppress(work, keys, address, reason=said, now=now)
        if added:
            _note(work, keys, address, "add suppression", by=by, now=now, reason=said)
        return added

    return write(database, add)


def lift_suppression(
    database: Database,
    keys: KeyRing,
    address: Address,
    *,
    reason: str,
    now: datetime,
    by: str,
    resume: bool = False,
) -> bool:
    """End the suppression of an address, as `lift` does, and note why; return False if there was
    none. Raises InvalidInput."""
    said = _reason(reason)

    def end(work: Transaction) -> bool:
        lifted = lift(work, keys, address, now=now, resume=resume)
        if lifted:
            then = "digests resume" if resume else "may sign up"
            _note(work, keys, address, "lift suppression", by=by, now=now, reason=said, then=then)
        return lifted

    return write(database, end)


def _reason(text: str) -> str:
    """Return a reason in a few words. It may be listed, so it holds no address."""
    said = " ".join(text.split())
    if not said or len(said) > LONGEST_REASON or not said.isprintable() or "@" in said:
        raise InvalidInput(
            f"give a reason of 1 to {LONGEST_REASON} characters, without an address", code="reason"
        )
    return said


def _note(
    work: Transaction,
    keys: KeyRing,
    address: Address,
    action: str,
    *,
    by: str,
    now: datetime,
    **details: str,
) -> None:
    person = work[SubscriberStore].find(address)
    digest = keys.digest("suppression", address.folded)
    target = f"suppression {digest[:8]}" if person is None else person_target(person.id)
    note = AuditedAction(actor=by, action=action, target=target, details=details)
    work[AuditStore].note(note, now=now)
