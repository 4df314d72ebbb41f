"""Convert rows to subscribers and subscriptions, and back."""

from dataclasses import fields
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, select

from paperround.db.mapping import columns_of
from paperround.db.schema import tables as db
from paperround.editions.lists import ListId
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import (
    Address,
    Consent,
    Frequency,
    ImportedSubscriber,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)

EMAIL = "email"

_CACHED_PREFERENCES = 4096
"""Preferences that are cached: most readers of a list have the same ones."""

PERSON_COLUMNS = (
    db.subscribers.c.id.label("person_id"),
    db.subscribers.c.kind,
    db.subscribers.c.address,
    db.subscribers.c.state.label("person_state"),
    db.subscribers.c.nonce,
    db.subscribers.c.consent_at,
    db.subscribers.c.consent_source,
    db.subscribers.c.language.label("person_language"),
)
"""The columns of a Subscriber, labelled so that those of a subscription can be selected with
them."""

_RESTING_UNTIL: ColumnElement[Any] = (
    select(db.standings.c.resting_until)
    .where(db.standings.c.subscriber_id == db.subscriptions.c.subscriber_id)
    .correlate(db.subscriptions)
    .scalar_subquery()
    .label("resting_until")
)
"""Selected with a subscription: the date before which its person is sent nothing."""

_PREFERENCE_FIELDS = tuple(one.name for one in fields(Preferences))
_FREQUENCY: ColumnElement[Any] = case(
    (
        and_(
            db.subscriptions.c.monthly.is_(True),
            db.subscriptions.c.frequency == Frequency.WEEKLY.value,
            db.subscriptions.c.weekday.is_(None),
        ),
        Frequency.MONTHLY.value,
    ),
    else_=db.subscriptions.c.frequency,
).label("frequency")
"""The previous release has no monthly readers: it treats them as weekly ones without a weekday. A
frequency or weekday that it sets replaces monthly."""

PREFERENCE_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    _FREQUENCY if it == "frequency" else db.subscriptions.c[it] for it in _PREFERENCE_FIELDS
)
"""The columns of Preferences, labelled with the names of its fields."""

SUBSCRIPTION_COLUMNS: tuple[ColumnElement[Any], ...] = (
    db.subscriptions.c.id,
    db.subscriptions.c.subscriber_id,
    db.subscriptions.c.list_id,
    db.subscriptions.c.state,
    db.subscribers.c.state.label("person_state"),
    _RESTING_UNTIL,
    *PREFERENCE_COLUMNS,
)
"""The columns of a Subscription, in the order that `subscription_of` expects."""

_WIDTH = len(SUBSCRIPTION_COLUMNS)


def person_of(row: Row[Any]) -> Subscriber:
    """Return the subscriber of a row with PERSON_COLUMNS."""
    consent = None
    if row.consent_at is not None:
        consent = Consent(at=row.consent_at, source=row.consent_source or "")
    return Subscriber(
        id=SubscriberId(row.person_id),
        kind=row.kind,
        address=row.address or "",
        state=SubscriberState(row.person_state),
        nonce=row.nonce,
        consent=consent,
        language=row.person_language,
    )


def subscription_of(row: Row[Any]) -> Subscription:
    """Return the subscription of a row that begins with SUBSCRIPTION_COLUMNS.

    Reads by position, which takes a third of the time for a list's hundred thousand readers.
    """
    id_, person, list_id, state, person_state, resting_until, *values, topics = row[:_WIDTH]
    return Subscription(
        id=SubscriptionId(id_),
        subscriber_id=SubscriberId(person),
        list_id=ListId(list_id),
        state=state_on_list(person_state, state),
        preferences=_preferences(*values, tuple(topics)),
        resting_until=resting_until,
    )


@cache
def state_on_list(person_state: str, state: str) -> SubscriberState:
    """Combine the states of a person and of their subscription of a list."""
    person, there = SubscriberState(person_state), SubscriberState(state)
    left_while_waiting = person is SubscriberState.PENDING and there is SubscriberState.UNSUBSCRIBED
    return there if person is SubscriberState.ACTIVE or left_while_waiting else person


def preferences_of(row: Row[Any]) -> Preferences:
    """Return the preferences of a row with the columns of a subscription."""
    *values, topics = (getattr(row, name) for name in _PREFERENCE_FIELDS)
    return _preferences(*values, tuple(topics))


@lru_cache(maxsize=_CACHED_PREFERENCES)
def _preferences(*values: Any) -> Preferences:
    """Return Preferences from its fields in order, as the columns hold them."""
    named = dict(zip(_PREFERENCE_FIELDS, values, strict=True))
    return Preferences(**named | {"frequency": Frequency(named["frequency"])})


def preference_columns(preferences: Preferences) -> dict[str, Any]:
    """Return the columns of a subscription that hold preferences."""
    is_monthly = preferences.frequency is Frequency.MONTHLY
    return columns_of(preferences) | {
        "frequency": (Frequency.WEEKLY if is_monthly else preferences.frequency).value,
        "monthly": is_monthly or None,
        "topics": list(preferences.topics),
    }


_SIGNS = {InterestKind.FOCUS: "+", InterestKind.AVOID: "-"}
"""The previous release treats a statement as the title of a paper to see more like (+), or fewer
like (-)."""


def interest_columns(interest: Interest) -> dict[str, Any]:
    """Return the columns that hold an interest."""
    sign = _SIGNS.get(interest.kind, "")
    kind = InterestKind.SEED if sign else interest.kind
    return {
        "kind": kind.value,
        "value": sign + interest.value,
        "statement": bool(sign) or None,
    }


def interest_of(kind: str, value: str, is_statement: bool | None) -> Interest:
    """Return the interest that these columns hold."""
    if not is_statement:
        return Interest(InterestKind(kind), value)
    signed = next(one for one, sign in _SIGNS.items() if value.startswith(sign))
    return Interest(signed, value[1:])


def address_columns(address: Address) -> dict[str, Any]:
    """Return the columns of a new person that hold their address."""
    return {
        "kind": EMAIL,
        "address": address.mailed,
        "written": address.written,
        "folded": address.folded,
        "domain": address.domain,
    }


def person_columns(offered: ImportedSubscriber, now: datetime) -> dict[str, Any]:
    """Return the columns of a new person."""
    return address_columns(offered.address) | {
        "state": offered.state.value,
        "nonce": offered.nonce,
        "consent_at": offered.consent.at if offered.consent else None,
        "consent_source": offered.consent.source if offered.consent else None,
        "language": offered.preferences.language,
        "created_at": now,
        "changed_at": now,
    }
