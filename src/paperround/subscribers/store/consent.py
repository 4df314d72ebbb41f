"""Store sign-ups, confirmations, unsubscriptions and suppressions."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, or_, select, update

from paperround.core.errors import Conflict
from paperround.db.dialect import (
    column_in,
    delete_rows,
    insert_new,
    insert_with_conflict,
    update_rows,
)
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState
from paperround.subscribers.model import (
    COMPLAINT,
    GONE,
    Address,
    Consent,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.mapping import (
    EMAIL,
    PERSON_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    address_columns,
    person_of,
    preference_columns,
    subscription_of,
)

_CURRENT = db.suppressions.c.lifted_at.is_(None)

_ACTIVE, _PENDING = SubscriberState.ACTIVE.value, SubscriberState.PENDING.value
_LEFT, _SUPPRESSED = SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value

BY_ADDRESS = select(*PERSON_COLUMNS).where(
    db.subscribers.c.kind == EMAIL, db.subscribers.c.folded == bindparam("b_folded")
)
"""Selects the person with an address."""

SUBSCRIPTION_OF_LIST = (
    select(*SUBSCRIPTION_COLUMNS)
    .join_from(db.subscriptions, db.subscribers)
    .where(
        db.subscriptions.c.subscriber_id == bindparam("b_subscriber_id"),
        db.subscriptions.c.list_id == bindparam("b_list_id"),
    )
)
"""Selects a person's subscription of a list."""

_UNCONFIRMED = and_(db.subscribers.c.state == _PENDING, db.subscribers.c.consent_at.is_(None))

_NEVER_MAILED = (
    ~select(db.deliveries.c.id).where(db.deliveries.c.subscriber_id == db.subscribers.c.id).exists()
)


class Signups(Store):
    """Sign-ups of one transaction, and suppressed addresses."""

    # --- signing up ----------------------------------------------------------------------------

    def sign_up(
        self,
        address: Address,
        list_id: ListId,
        *,
        preferences: Preferences,
        nonce: str,
        now: datetime,
    ) -> tuple[Subscriber, Subscription]:
        """Return the person and their subscription, created `pending` if there is none.

        An existing subscription keeps its state and preferences: the new ones wait in its
        system email until it is confirmed. Signing up again extends the time an unconfirmed sign-up
        is kept.
        """
        new = address_columns(address) | _pending_since(now) | {"nonce": nonce}
        self._connection.execute(insert_new(self._connection, db.subscribers), new)
        found = select_person(self._connection, address)
        if found is None:
            raise Conflict("the person of this address was erased just now")
        person = person_of(found)
        # A repeated sign-up renews a pending subscription.
        offer = insert_with_conflict(self._connection.dialect.name, db.subscriptions)
        changed_at = db.subscriptions.c.changed_at
        asked_at = case(
            (db.subscriptions.c.state == _PENDING, offer.excluded.changed_at), else_=changed_at
        )
        self._connection.execute(
            offer.on_conflict_do_update(
                index_elements=("list_id", "subscriber_id"), set_={"changed_at": asked_at}
            ),
            {
                **preference_columns(preferences),
                **_pending_since(now),
                "list_id": list_id,
                "subscriber_id": person.id,
            },
        )
        [row] = self._connection.execute(
            SUBSCRIPTION_OF_LIST, {"b_subscriber_id": person.id, "b_list_id": list_id}
        ).all()
        return person, subscription_of(row)

    # --- subscribing and unsubscribing ---------------------------------------------------------

    def activate(
        self,
        subscription: SubscriptionId,
        *,
        preferences: Preferences | None,
        consent: Consent,
        now: datetime,
    ) -> bool:
        """Activate a pending or unsubscribed person and subscription, with the consent and
        preferences. Return False if the person is suppressed or erased.

        A person who had left all lists returns to this list alone.
        """
        person = (
            select(db.subscriptions.c.subscriber_id)
            .where(db.subscriptions.c.id == subscription)
            .scalar_subquery()
        )
        left = select(db.subscribers.c.id).where(
            db.subscribers.c.id == person, db.subscribers.c.state == _LEFT
        )
        c, active = db.subscriptions.c, {"state": _ACTIVE, "changed_at": now}
        others = (c.subscriber_id.in_(left), c.id != subscription, c.state == _ACTIVE)
        ended = {"state": _LEFT, "due_at": None, "changed_at": now}
        update_rows(self._connection, db.subscriptions, *others, **ended)
        if not update_rows(
            self._connection,
            db.subscribers,
            db.subscribers.c.id == person,
            db.subscribers.c.state != _SUPPRESSED,
            db.subscribers.c.erased_at.is_(None),
            consent_at=consent.at,
            consent_source=consent.source,
            **active,
        ):
            return False
        columns = {} if preferences is None else preference_columns(preferences)
        update_rows(self._connection, db.subscriptions, c.id == subscription, **columns, **active)
        return True

    def leave(self, subscription: SubscriptionId, *, now: datetime) -> bool:
        """Unsubscribe, and clear the due instant; return False if the subscription was not
        active."""
        its = (db.subscriptions.c.id == subscription, db.subscriptions.c.state == _ACTIVE)
        left = {"state": _LEFT, "due_at": None, "changed_at": now}
        return update_rows(self._connection, db.subscriptions, *its, **left) == 1

    def reinstate(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Reactivate a suppressed person who never unsubscribed; their due instants are
        recomputed."""
        person, c = db.subscribers.c, db.subscriptions.c
        known = (person.id == subscriber, person.erased_at.is_(None))
        update_rows(self._connection, db.subscribers, *known, state=_ACTIVE, changed_at=now)
        theirs = (c.subscriber_id == subscriber, c.state == _ACTIVE)
        update_rows(self._connection, db.subscriptions, *theirs, due_at=None, changed_at=now)

    def change_address(self, subscriber: SubscriberId, address: Address, *, now: datetime) -> bool:
        """Change a person's address, deleting an unconfirmed sign-up of the new one. Return False,
        and change nothing, if another person has that address."""
        other = select(db.subscribers.c.id).where(
            db.subscribers.c.kind == EMAIL,
            db.subscribers.c.folded == address.folded,
            db.subscribers.c.id != subscriber,
        )
        self._delete(other.where(_UNCONFIRMED, _NEVER_MAILED))
        if self._connection.execute(other).first() is not None:
            return False
        known = (db.subscribers.c.id == subscriber, db.subscribers.c.erased_at.is_(None))
        new = address_columns(address) | {"changed_at": now}
        moved = update_rows(self._connection, db.subscribers, *known, **new)
        # A message made for the old address lost its token, so it gets no dot and is made again.
        # With the queued rows, this waits for a claim of them that has not committed.
        c, queued = db.deliveries.c, DeliveryState.QUEUED.value
        taken = c.state.in_((queued, DeliveryState.DEFERRED.value, DeliveryState.CLAIMED.value))
        self._connection.execute(
            update(db.deliveries)
            .where(c.subscriber_id == subscriber, taken)
            .values(
                state=case((c.state == DeliveryState.CLAIMED.value, queued), else_=c.state),
                token="",
                lease_until=None,
            )
        )
        return moved == 1

    # --- unconfirmed sign-ups ------------------------------------------------------------------

    def unconfirmed(
        self, *, between: tuple[datetime, datetime], limit: int
    ) -> list[tuple[Subscriber, Subscription]]:
        """Return unconfirmed sign-ups of a period (its end excluded), oldest first. Imported people
        are excluded: their import states their consent."""
        start, end = between
        person = [one for one in PERSON_COLUMNS if one.name != "person_state"]  # there already
        both: Select[Any] = select(*SUBSCRIPTION_COLUMNS, *person)
        found = self._connection.execute(
            both.join_from(db.subscriptions, db.subscribers)
            .where(
                db.subscriptions.c.state == _PENDING,
                db.subscribers.c.kind == EMAIL,
                db.subscriptions.c.created_at >= start,
                db.subscriptions.c.created_at < end,
                or_(db.subscribers.c.state == _ACTIVE, _UNCONFIRMED),
            )
            .order_by(db.subscriptions.c.created_at, db.subscriptions.c.id)
            .limit(limit)
        )
        return [(person_of(row), subscription_of(row)) for row in found]

    def forget_unconfirmed(self, *, before: datetime) -> int:
        """Delete people who never confirmed and last signed up before `before`, and unconfirmed
        further subscriptions of active people. Return how many people and subscriptions were
        deleted."""
        of_person = db.subscriptions.c.subscriber_id == db.subscribers.c.id
        answered_or_fresh = or_(
            db.subscriptions.c.state != _PENDING, db.subscriptions.c.changed_at >= before
        )
        people = self._delete(
            select(db.subscribers.c.id).where(
                _UNCONFIRMED,
                db.subscribers.c.created_at < before,
                ~select(db.subscriptions.c.id).where(of_person, answered_or_fresh).exists(),
                _NEVER_MAILED,
            )
        )
        active = select(db.subscribers.c.id).where(db.subscribers.c.state == _ACTIVE)
        c = db.subscriptions.c
        further = (c.state == _PENDING, c.changed_at < before, c.subscriber_id.in_(active))
        return people + delete_rows(self._connection, db.subscriptions, *further)

    def _delete(self, people: Select[Any]) -> int:
        """Delete people who never got a digest, and the contents of their system emails; return how
        many."""
        theirs = db.notices.c.subscriber_id.in_(people)
        update_rows(self._connection, db.notices, theirs, payload={}, reply=None, domain=None)
        return delete_rows(self._connection, db.subscribers, db.subscribers.c.id.in_(people))

    # --- suppressions: keyed hashes of addresses, which outlive an erasure ---------------------

    def suppress(self, digest: str, key_id: str, *, reason: str, now: datetime) -> bool:
        """Suppress a keyed hash; return False if it was suppressed already. A complaint replaces a
        bounce as the reason, because a bounce may be a mistake."""
        row = {"digest": digest, "key_id": key_id, "reason": reason, "since": now}
        added = insert_new(self._connection, db.suppressions).returning(db.suppressions.c.digest)
        if self._connection.execute(added, row).one_or_none() is not None:
            return True
        c = db.suppressions.c
        weaker = [GONE] if reason == COMPLAINT else []
        again = (c.digest == digest, or_(c.lifted_at.is_not(None), c.reason.in_(weaker)))
        values = {"key_id": key_id, "reason": reason, "since": now, "lifted_at": None}
        return update_rows(self._connection, db.suppressions, *again, **values) == 1

    def lift(self, digest: str, *, now: datetime) -> bool:
        """End a suppression, keeping a record of it; return False if there is none."""
        current = (db.suppressions.c.digest == digest, _CURRENT)
        return update_rows(self._connection, db.suppressions, *current, lifted_at=now) == 1

    def suppressed(self, digests: Collection[str]) -> frozenset[str]:
        """Return those of `digests` that are suppressed."""
        if not digests:
            return frozenset()
        c = db.suppressions.c
        listed = column_in(self._connection, c.digest, digests)
        found = self._connection.execute(select(c.digest).where(listed, _CURRENT))
        return frozenset(found.scalars())

    def suppression_reasons(self, digests: Collection[str]) -> dict[str, datetime]:
        """Return the reasons why some of `digests` are suppressed, each with its first instant."""
        if not digests:
            return {}
        c = db.suppressions.c
        found = self._connection.execute(
            select(c.reason, func.min(c.since).cast(c.since.type))
            .where(column_in(self._connection, c.digest, digests), _CURRENT)
            .group_by(c.reason)
        )
        return dict(found.all())

    def suppression_keys(self) -> frozenset[str]:
        """Return the names of the keys that current suppressions were hashed with."""
        keys = select(db.suppressions.c.key_id).where(_CURRENT).distinct()
        return frozenset(self._connection.execute(keys).scalars())

    def suppressions(
        self, *, after: int = 0, limit: int | None = None
    ) -> list[tuple[str, str, datetime]]:
        """Return (digest, reason, since) of current suppressions, oldest first: all of them, or
        `limit` after the first `after`."""
        found = self._connection.execute(
            select(db.suppressions.c.digest, db.suppressions.c.reason, db.suppressions.c.since)
            .where(_CURRENT)
            .order_by(db.suppressions.c.since, db.suppressions.c.digest)
            .offset(after)
            .limit(limit)
        )
        return [(digest, reason, since) for digest, reason, since in found]


def _pending_since(now: datetime) -> dict[str, Any]:
    return {"state": _PENDING, "created_at": now, "changed_at": now}


def select_person(connection: Connection, address: Address) -> Any | None:
    """Return the person with an address as PERSON_COLUMNS, or None."""
    return connection.execute(BY_ADDRESS, {"b_folded": address.folded}).first()
