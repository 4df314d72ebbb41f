"""Asking to be mailed, confirming it, and leaving again."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Insert,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from paperround.domain.lists import ListId
from paperround.domain.notices import NoticeKind
from paperround.domain.readers import Known, NewSignup
from paperround.domain.subscribers import (
    Address,
    Consent,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.store import schema as db
from paperround.store.dialect import one_row, prefixed
from paperround.store.queries import Query
from paperround.store.subscriber_rows import (
    EMAIL,
    PERSON_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    WISH_ALONE,
    address_columns,
    person_of,
    preference_columns,
    subscription_beside,
    subscription_of,
)
from paperround.store.suppressions import suppression_of

_ACTIVE, _PENDING = SubscriberState.ACTIVE.value, SubscriberState.PENDING.value
_LEFT, _SUPPRESSED = SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value

BY_ADDRESS = Query(
    select(*PERSON_COLUMNS).where(
        db.subscribers.c.kind == EMAIL, db.subscribers.c.folded == bindparam("b_folded")
    )
)
"""The person of an address."""

_HERE = and_(
    db.subscriptions.c.subscriber_id == bindparam("b_subscriber_id"),
    db.subscriptions.c.list_id == bindparam("b_list_id"),
)
WISH = Query(select(*SUBSCRIPTION_COLUMNS).join_from(db.subscriptions, db.subscribers).where(_HERE))
"""What a person asked of a list."""

_ASKED_AGAIN = case(
    (
        db.subscriptions.c.state == _PENDING,
        bindparam("b_changed_at", type_=db.subscriptions.c.changed_at.type),
    ),
    else_=db.subscriptions.c.changed_at,
)
"""When a wish that stands was changed last, once it is asked for again."""

_ASK_AGAIN = Query(
    update(db.subscriptions)
    .where(db.subscriptions.c.id == bindparam("b_id"), db.subscriptions.c.state == _PENDING)
    .values(changed_at=bindparam("b_now"))
)

_NEVER_SAID_YES = db.subscribers.c.consent_at.is_(None)


class Signups:
    """Sign-ups of one transaction."""

    _connection: Connection

    # --- asking --------------------------------------------------------------------------------

    def known(self, address: Address, digests: Collection[str], list_id: ListId) -> Known:
        """What is known of an address, of which `digests` are kept where it is suppressed, and of
        what its person asked of a list. One look-up, whatever there is."""
        names = {f"b_digest{place}": digest for place, digest in enumerate(sorted(digests))}
        (row,) = Query(_known(len(names))).rows(
            self._connection, **names, b_folded=address.folded, b_list_id=list_id
        )
        return Known(
            suppressed=row.suppressed > 0,
            person=None if row.person_state is None else SubscriberState(row.person_state),
            wish=None if row.id is None else subscription_of(row),
            linked_at=row.linked_at,
        )

    def sign_up(
        self, signup: NewSignup, list_id: ListId, *, now: datetime
    ) -> tuple[Subscriber, Subscription]:
        """The person and their subscription, made `pending` when there is none.

        Somebody who has one keeps its state and choices; only that they asked now is noted, so
        that whoever still has not confirmed is kept for another while.
        """
        person = self._person(signup, now)
        return person, self._wish(person, signup, list_id, now)

    def _person(self, signup: NewSignup, now: datetime) -> Subscriber:
        row = address_columns(signup.address) | {
            "state": _PENDING,
            "nonce": signup.nonce,
            "created_at": now,
            "changed_at": now,
        }
        adding = _adding_person(self._connection.dialect.name, tuple(row))
        (person,) = Query(adding).rows(self._connection, **prefixed(row))
        return person_of(person)

    def _wish(
        self, person: Subscriber, signup: NewSignup, list_id: ListId, now: datetime
    ) -> Subscription:
        row = preference_columns(signup.preferences) | {
            "list_id": list_id,
            "subscriber_id": person.id,
            "state": _PENDING,
            "created_at": now,
            "changed_at": now,
        }
        adding = _adding_wish(self._connection.dialect.name, tuple(row))
        (wish,) = Query(adding).rows(self._connection, **prefixed(row))
        return subscription_beside(person, wish)

    def ask_again(self, subscription: SubscriptionId, *, now: datetime) -> None:
        """Note that somebody who has not confirmed asked once more: they are kept for another
        while."""
        _ASK_AGAIN.rows(self._connection, b_id=subscription, b_now=now)

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
        person = _owner(subscription)
        self._stay_away_from_others(person, subscription, now)
        if not self._let_in(person, consent, now):
            return False
        wish = {} if preferences is None else preference_columns(preferences)
        self._connection.execute(
            update(db.subscriptions)
            .where(db.subscriptions.c.id == subscription)
            .values(**wish, state=_ACTIVE, changed_at=now)
        )
        return True

    def _stay_away_from_others(
        self, person: ScalarSelect[Any], subscription: SubscriptionId, now: datetime
    ) -> None:
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

    def _let_in(self, person: ScalarSelect[Any], consent: Consent, now: datetime) -> bool:
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
        return let_in.rowcount == 1

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


@cache
def _known(digests: int) -> Select[Any]:
    names: list[BindParameter[str]] = [bindparam(f"b_digest{place}") for place in range(digests)]
    suppressed = select(func.count()).where(suppression_of(names)).scalar_subquery()
    c, person, wish = db.notices.c, db.subscribers, db.subscriptions
    latest = (
        select(func.max(c.id))
        .where(c.subscriber_id == person.c.id, c.kind == NoticeKind.PREFERENCES.value)
        .correlate(person)
        .scalar_subquery()
    )
    linked = select(c.dated).where(c.id == latest).correlate(person).scalar_subquery()
    nobody = select(literal(1).label("one")).subquery("asked")
    theirs = and_(person.c.kind == EMAIL, person.c.folded == bindparam("b_folded"))
    here = and_(wish.c.subscriber_id == person.c.id, wish.c.list_id == bindparam("b_list_id"))
    return select(
        *SUBSCRIPTION_COLUMNS, suppressed.label("suppressed"), linked.label("linked_at")
    ).select_from(nobody.outerjoin(person, theirs).outerjoin(wish, here))


@cache
def _adding_person(dialect: str, columns: tuple[str, ...]) -> Insert:
    as_it_is = ("nonce", db.subscribers.c.nonce)
    adding = one_row(dialect, db.subscribers, columns, ("kind", "folded"), as_it_is)
    return adding.returning(*PERSON_COLUMNS)


@cache
def _adding_wish(dialect: str, columns: tuple[str, ...]) -> Insert:
    key = ("list_id", "subscriber_id")
    adding = one_row(dialect, db.subscriptions, columns, key, ("changed_at", _ASKED_AGAIN))
    return adding.returning(*WISH_ALONE)


def person_row(connection: Connection, address: Address) -> Any | None:
    """The person of an address, as PERSON_COLUMNS; None when there is none."""
    return BY_ADDRESS.first(connection, b_folded=address.folded)


def _owner(subscription: SubscriptionId) -> ScalarSelect[Any]:
    return (
        select(db.subscriptions.c.subscriber_id)
        .where(db.subscriptions.c.id == subscription)
        .scalar_subquery()
    )


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
