"""Audit actions on people. An entry identifies a person by number, and contains no address and
nothing they wrote: it is kept after they are erased."""

from dataclasses import fields
from datetime import datetime

from paperround.access.store import AuditStore
from paperround.db.transactions import Transaction
from paperround.subscribers.model import Preferences, SubscriberId

READER = "reader"
"""The actor of a change that a reader made with a mailed link."""

_WRITTEN = frozenset({"topics"})
"""Choices in a person's own words: an entry only contains their number."""


def person_target(person: SubscriberId) -> str:
    """Return how an audit entry names a person."""
    return f"subscriber {person}"


def audit_person(
    work: Transaction,
    person: SubscriberId,
    action: str,
    *,
    by: str,
    now: datetime,
    **details: str | int,
) -> None:
    """Audit an action of `by` on a person, in the transaction that performs it."""
    work[AuditStore].add(by, action, person_target(person), details, now=now)


def changes_of(before: Preferences, after: Preferences) -> dict[str, str | int]:
    """Return the choices that differ, each as `8 -> 14`; "-" is the list's default."""
    found = dict[str, str | int]()
    for one in fields(Preferences):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old != new:
            found[one.name] = f"{_said(one.name, old)} -> {_said(one.name, new)}"
    return found


def _said(name: str, value: object) -> str:
    if name in _WRITTEN and isinstance(value, tuple):
        return str(len(value))
    return "-" if value is None else str(value)
