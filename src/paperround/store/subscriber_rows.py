"""Between subscribers, their subscriptions and the rows of both."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select

from paperround.domain.lists import ListId
from paperround.domain.subscribers import (
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
from paperround.store import schema as db

EMAIL = "email"

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

RESTING_UNTIL: ColumnElement[Any] = (
    select(db.standings.c.resting_until)
    .where(db.standings.c.subscriber_id == db.subscriptions.c.subscriber_id)
    .correlate(db.subscriptions)
    .scalar_subquery()
    .label("resting_until")
)
"""Beside the columns of a subscription: before when its person is sent nothing."""

SUBSCRIPTION_COLUMNS = (
    *db.subscriptions.c,
    db.subscribers.c.state.label("person_state"),
    RESTING_UNTIL,
)
"""What it takes to make a Subscription."""


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
    """The subscription a row of SUBSCRIPTION_COLUMNS holds, as active as its person is."""
    return Subscription(
        id=SubscriptionId(row.id),
        subscriber_id=SubscriberId(row.subscriber_id),
        list_id=ListId(row.list_id),
        state=_state_there(row),
        preferences=preferences_of(row),
        resting_until=row.resting_until,
    )


def person_on_list(row: Row[Any]) -> Subscriber:
    """The subscriber of a row with both, in the state they have on that list."""
    return replace(person_of(row), state=_state_there(row))


def _state_there(row: Row[Any]) -> SubscriberState:
    person, there = SubscriberState(row.person_state), SubscriberState(row.state)
    left_while_waiting = person is SubscriberState.PENDING and there is SubscriberState.UNSUBSCRIBED
    return there if person is SubscriberState.ACTIVE or left_while_waiting else person


def preferences_of(row: Row[Any]) -> Preferences:
    """What was asked for, from a row with the columns of a subscription."""
    return Preferences(
        timezone=row.timezone,
        hour=row.hour,
        frequency=Frequency(row.frequency),
        weekday=row.weekday,
        size=row.size,
        floor=row.floor,
        language=row.language,
        paused_until=row.paused_until,
        topics=tuple(row.topics),
    )


def preference_columns(wish: Preferences) -> dict[str, Any]:
    """The columns of a subscription that hold what was asked for."""
    return {
        "timezone": wish.timezone,
        "hour": wish.hour,
        "frequency": wish.frequency.value,
        "weekday": wish.weekday,
        "size": wish.size,
        "floor": wish.floor,
        "language": wish.language,
        "paused_until": wish.paused_until,
        "topics": list(wish.topics),
    }


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
