"""Between subscribers, their subscriptions and the rows of both."""

from dataclasses import fields, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from paperround.db.rows import columns_of
from paperround.db.schema import tables as db
from paperround.editions.lists import ListId
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

_MOST_WISHES = 4096
"""Preferences that are kept: most readers of a list ask for the same few things."""

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
"""What it takes to make a Subscriber; named so that a subscription may stand beside it."""

_RESTING_UNTIL: ColumnElement[Any] = (
    select(db.standings.c.resting_until)
    .where(db.standings.c.subscriber_id == db.subscriptions.c.subscriber_id)
    .correlate(db.subscriptions)
    .scalar_subquery()
    .label("resting_until")
)
"""Beside the columns of a subscription: before when its person is sent nothing."""

_WISH = tuple(one.name for one in fields(Preferences))
PREFERENCE_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(db.subscriptions.c[it] for it in _WISH)
"""What it takes to make Preferences, which have the names of their columns."""

SUBSCRIPTION_COLUMNS: tuple[ColumnElement[Any], ...] = (
    db.subscriptions.c.id,
    db.subscriptions.c.subscriber_id,
    db.subscriptions.c.list_id,
    db.subscriptions.c.state,
    db.subscribers.c.state.label("person_state"),
    _RESTING_UNTIL,
    *PREFERENCE_COLUMNS,
)
"""What it takes to make a Subscription, in the order in which `subscription_of` takes it."""

_COLUMNS = len(SUBSCRIPTION_COLUMNS)


def person_of(row: Row[Any]) -> Subscriber:
    """The subscriber a row of PERSON_COLUMNS holds."""
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
    """The subscription that a row begins with, as SUBSCRIPTION_COLUMNS; as active as its person.

    By position, which for the hundred thousand readers of a list takes a third of the time.
    """
    id_, person, list_id, there, person_state, resting_until, *wish, topics = row[:_COLUMNS]
    return Subscription(
        id=SubscriptionId(id_),
        subscriber_id=SubscriberId(person),
        list_id=ListId(list_id),
        state=state_on_list(person_state, there),
        preferences=_preferences(*wish, tuple(topics)),
        resting_until=resting_until,
    )


def person_on_list(row: Row[Any]) -> Subscriber:
    """The subscriber of a row with both, in the state they have on that list."""
    return replace(person_of(row), state=state_on_list(row.person_state, row.state))


@cache
def state_on_list(person_state: str, state: str) -> SubscriberState:
    """What the states of a person and of what they asked of a list come to."""
    person, there = SubscriberState(person_state), SubscriberState(state)
    left_while_waiting = person is SubscriberState.PENDING and there is SubscriberState.UNSUBSCRIBED
    return there if person is SubscriberState.ACTIVE or left_while_waiting else person


def preferences_of(row: Row[Any]) -> Preferences:
    """What was asked for, from a row with the columns of a subscription."""
    *wish, topics = (getattr(row, name) for name in _WISH)
    return _preferences(*wish, tuple(topics))


@lru_cache(maxsize=_MOST_WISHES)
def _preferences(*wish: Any) -> Preferences:
    """Preferences of their fields in order, as the columns hold them."""
    asked = dict(zip(_WISH, wish, strict=True))
    return Preferences(**asked | {"frequency": Frequency(asked["frequency"])})


def preference_columns(wish: Preferences) -> dict[str, Any]:
    """The columns of a subscription that hold what was asked for."""
    return columns_of(wish) | {"frequency": wish.frequency.value, "topics": list(wish.topics)}


def address_columns(address: Address) -> dict[str, Any]:
    """The columns of a new person that say how to mail them."""
    return {
        "kind": EMAIL,
        "address": address.mailed,
        "written": address.written,
        "folded": address.folded,
        "domain": address.domain,
    }


def person_columns(offered: ImportedSubscriber, now: datetime) -> dict[str, Any]:
    """The columns of a new person."""
    return address_columns(offered.address) | {
        "state": offered.state.value,
        "nonce": offered.nonce,
        "consent_at": offered.consent.at if offered.consent else None,
        "consent_source": offered.consent.source if offered.consent else None,
        "language": offered.preferences.language,
        "created_at": now,
        "changed_at": now,
    }
