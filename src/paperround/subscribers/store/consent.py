"""Asking to be mailed, confirming it, leaving again, and never being mailed any more."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)

from paperround.core.errors import Conflict
from paperround.db.dialect import among, insert_new, inserting
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
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
from paperround.subscribers.readers import NewSignup
from paperround.subscribers.store.rows import (
    EMAIL,
    PERSON_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    address_columns,
    person_of,
    preference_columns,
    subscription_of,
)

_STANDING = db.suppressions.c.lifted_at.is_(None)

_ACTIVE, _PENDING = SubscriberState.ACTIVE.value, SubscriberState.PENDING.value
_LEFT, _SUPPRESSED = SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value

BY_ADDRESS = select(*PERSON_COLUMNS).where(
    db.subscribers.c.kind == EMAIL, db.subscribers.c.folded == bindparam("b_folded")
)
"""The person of an address."""

_HERE = and_(
    db.subscriptions.c.subscriber_id == bindparam("b_subscriber_id"),
    db.subscriptions.c.list_id == bindparam("b_list_id"),
)
WISH = select(*SUBSCRIPTION_COLUMNS).join_from(db.subscriptions, db.subscribers).where(_HERE)
"""What a person asked of a list."""

_NEVER_SAID_YES = db.subscribers.c.consent_at.is_(None)


class Signups(Store):
    """Sign-ups of one transaction, and the addresses that must never be mailed."""

    # --- asking --------------------------------------------------------------------------------

    def sign_up(
        self, signup: NewSignup, list_id: ListId, *, now: datetime
    ) -> tuple[Subscriber, Subscription]:
        """The person and their subscription, made `pending` when there is none.

        Somebody who has a subscription keeps its state and choices: what they ask for now waits
        in the notice of `signup` and counts once they confirm. When they asked is noted, so that
        somebody who has not confirmed yet is kept for another while.
        """
        new = address_columns(signup.address) | _pending_since(now) | {"nonce": signup.nonce}
        self._connection.execute(insert_new(self._connection, db.subscribers), new)
        found = person_row(self._connection, signup.address)
        if found is None:
            raise Conflict("the person of this address was erased just now")
        person = person_of(found)
        # A wish that waits already is asked for anew.
        offer = inserting(self._connection.dialect.name, db.subscriptions)
        changed_at = db.subscriptions.c.changed_at
        asked_at = case(
            (db.subscriptions.c.state == _PENDING, offer.excluded.changed_at), else_=changed_at
        )
        self._connection.execute(
            offer.on_conflict_do_update(
                index_elements=("list_id", "subscriber_id"), set_={"changed_at": asked_at}
            ),
            {
                **preference_columns(signup.preferences),
                **_pending_since(now),
                "list_id": list_id,
                "subscriber_id": person.id,
            },
        )
        [row] = self._connection.execute(
            WISH, {"b_subscriber_id": person.id, "b_list_id": list_id}
        ).all()
        return person, subscription_of(row)

    # --- saying yes and no ---------------------------------------------------------------------

    def activate(
        self,
        subscription: SubscriptionId,
        *,
        preferences: Preferences | None,
        consent: Consent,
        now: datetime,
    ) -> bool:
        """Pending or left -> active, person and subscription, with the consent and the choices
        that go with it. False when suppressed or erased.

        Whoever had left everything comes back to this list alone.
        """
        person = (
            select(db.subscriptions.c.subscriber_id)
            .where(db.subscriptions.c.id == subscription)
            .scalar_subquery()
        )
        left = select(db.subscribers.c.id).where(
            db.subscribers.c.id == person, db.subscribers.c.state == _LEFT
        )
        self._connection.execute(
            update(db.subscriptions)
            .where(
                db.subscriptions.c.subscriber_id.in_(left),
                db.subscriptions.c.id != subscription,
                db.subscriptions.c.state == _ACTIVE,
            )
            .values(state=_LEFT, due_at=None, changed_at=now)
        )
        let_in = self._connection.execute(
            update(db.subscribers)
            .where(
                db.subscribers.c.id == person,
                db.subscribers.c.state != _SUPPRESSED,
                db.subscribers.c.erased_at.is_(None),
            )
            .values(
                state=_ACTIVE,
                consent_at=consent.at,
                consent_source=consent.source,
                changed_at=now,
            )
        )
        if not let_in.rowcount:
            return False
        wish = {} if preferences is None else preference_columns(preferences)
        self._connection.execute(
            update(db.subscriptions)
            .where(db.subscriptions.c.id == subscription)
            .values(**wish, state=_ACTIVE, changed_at=now)
        )
        return True

    def leave(self, subscription: SubscriptionId, *, now: datetime) -> bool:
        """active -> unsubscribed, with no due instant; False when it was not active."""
        left = self._connection.execute(
            update(db.subscriptions)
            .where(db.subscriptions.c.id == subscription, db.subscriptions.c.state == _ACTIVE)
            .values(state=_LEFT, due_at=None, changed_at=now)
        )
        return left.rowcount == 1

    def reinstate(self, subscriber: SubscriberId, *, now: datetime) -> None:
        """Somebody who was stopped, and never left, is active again; their clocks start anew."""
        self._connection.execute(
            update(db.subscribers)
            .where(db.subscribers.c.id == subscriber, db.subscribers.c.erased_at.is_(None))
            .values(state=_ACTIVE, changed_at=now)
        )
        self._connection.execute(
            update(db.subscriptions)
            .where(
                db.subscriptions.c.subscriber_id == subscriber, db.subscriptions.c.state == _ACTIVE
            )
            .values(due_at=None, changed_at=now)
        )

    def readdress(self, subscriber: SubscriberId, address: Address, *, now: datetime) -> bool:
        """Mail the person at another address from now on. Somebody who asked to be mailed there
        and never confirmed it is forgotten; False, and nothing done, when anybody else is known
        by it."""
        stranger = select(db.subscribers.c.id).where(
            db.subscribers.c.kind == EMAIL,
            db.subscribers.c.folded == address.folded,
            db.subscribers.c.id != subscriber,
        )
        asked_only = (
            _waits_for_a_first_yes(),
            ~select(db.deliveries.c.id)
            .where(db.deliveries.c.subscriber_id == db.subscribers.c.id)
            .exists(),
        )
        self._forget(stranger.where(*asked_only))
        if self._connection.execute(stranger).first() is not None:
            return False
        moved = self._connection.execute(
            update(db.subscribers)
            .where(db.subscribers.c.id == subscriber, db.subscribers.c.erased_at.is_(None))
            .values(**address_columns(address), changed_at=now)
        )
        return moved.rowcount == 1

    # --- those who never said anything ---------------------------------------------------------

    def unconfirmed(
        self, *, between: tuple[datetime, datetime], limit: int
    ) -> list[tuple[Subscriber, Subscription]]:
        """People who signed up in that stretch (its end left out) and have not confirmed yet,
        oldest first. An import said of its people how they agreed, so they are not among them."""
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
                or_(db.subscribers.c.state == _ACTIVE, _waits_for_a_first_yes()),
            )
            .order_by(db.subscriptions.c.created_at, db.subscriptions.c.id)
            .limit(limit)
        )
        return [(person_of(row), subscription_of(row)) for row in found]

    def forget_unconfirmed(self, *, before: datetime, now: datetime) -> int:  # noqa: ARG002
        """Forget people who never confirmed and asked last before, and what active people asked
        of a further list and never confirmed. Returns how many people and wishes went."""
        people = self._forget(_stale_people(before))
        active = select(db.subscribers.c.id).where(db.subscribers.c.state == _ACTIVE)
        wishes = self._connection.execute(
            delete(db.subscriptions).where(
                db.subscriptions.c.state == _PENDING,
                db.subscriptions.c.changed_at < before,
                db.subscriptions.c.subscriber_id.in_(active),
            )
        )
        return people + wishes.rowcount

    def _forget(self, people: Select[Any]) -> int:
        """Forget these people, who never got a digest, and what their notices hold."""
        self._connection.execute(
            update(db.notices)
            .where(db.notices.c.subscriber_id.in_(people))
            .values(payload={}, reply=None, domain=None)
        )
        gone = self._connection.execute(
            delete(db.subscribers).where(db.subscribers.c.id.in_(people))
        )
        return gone.rowcount

    # --- keyed hashes of addresses, which outlive an erasure -----------------------------------

    def suppress(self, digest: str, key_id: str, *, reason: str, now: datetime) -> bool:
        """Keep a keyed hash that must never be mailed; False when it stands already. A complaint
        stands in the place of a mail that came back: nobody takes that for a mistake."""
        row = {"digest": digest, "key_id": key_id, "reason": reason, "since": now}
        added = insert_new(self._connection, db.suppressions).returning(db.suppressions.c.digest)
        if self._connection.execute(added, row).one_or_none() is not None:
            return True
        c = db.suppressions.c
        weaker = [GONE] if reason == COMPLAINT else []
        again = update(db.suppressions).where(
            c.digest == digest, or_(c.lifted_at.is_not(None), c.reason.in_(weaker))
        )
        values = {"key_id": key_id, "reason": reason, "since": now, "lifted_at": None}
        return self._connection.execute(again.values(values)).rowcount == 1

    def lift(self, digest: str, *, now: datetime) -> bool:
        """End a suppression, keeping that it once stood; False when it does not stand."""
        lifting = update(db.suppressions).where(db.suppressions.c.digest == digest, _STANDING)
        return self._connection.execute(lifting.values(lifted_at=now)).rowcount == 1

    def suppressed(self, digests: Collection[str]) -> frozenset[str]:
        """Those of `digests` that stand suppressed."""
        if not digests:
            return frozenset()
        c = db.suppressions.c
        listed = among(self._connection, c.digest, digests)
        found = self._connection.execute(select(c.digest).where(listed, _STANDING))
        return frozenset(found.scalars())

    def suppression_keys(self) -> frozenset[str]:
        """The names of the keys that standing suppressions were hashed with."""
        keys = select(db.suppressions.c.key_id).where(_STANDING).distinct()
        return frozenset(self._connection.execute(keys).scalars())

    def suppressions(self) -> list[tuple[str, str, datetime]]:
        """(digest, reason, since) of every standing suppression, oldest first."""
        found = self._connection.execute(
            select(db.suppressions.c.digest, db.suppressions.c.reason, db.suppressions.c.since)
            .where(_STANDING)
            .order_by(db.suppressions.c.since, db.suppressions.c.digest)
        )
        return [(digest, reason, since) for digest, reason, since in found]


def _pending_since(now: datetime) -> dict[str, Any]:
    return {"state": _PENDING, "created_at": now, "changed_at": now}


def person_row(connection: Connection, address: Address) -> Any | None:
    """The person of an address, as PERSON_COLUMNS; None when there is none."""
    return connection.execute(BY_ADDRESS, {"b_folded": address.folded}).first()


def _waits_for_a_first_yes() -> ColumnElement[bool]:
    return and_(db.subscribers.c.state == _PENDING, _NEVER_SAID_YES)


def _stale_people(before: datetime) -> Select[Any]:
    """People whose every wish is an old one that nobody confirmed, and who never got a mail."""
    of_theirs = db.subscriptions.c.subscriber_id == db.subscribers.c.id
    answered_or_fresh = or_(
        db.subscriptions.c.state != _PENDING, db.subscriptions.c.changed_at >= before
    )
    return select(db.subscribers.c.id).where(
        _waits_for_a_first_yes(),
        db.subscribers.c.created_at < before,
        ~select(db.subscriptions.c.id).where(of_theirs, answered_or_fresh).exists(),
        ~select(db.deliveries.c.id)
        .where(db.deliveries.c.subscriber_id == db.subscribers.c.id)
        .exists(),
    )
