"""Asking to be mailed, confirming it, and leaving again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Insert,
    MetaData,
    ScalarSelect,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
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
from paperround.store.dialect import among_ids, among_texts, as_ids, as_texts
from paperround.store.offered import PLACE, inserting, offered, offering
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
from paperround.store.suppressions import Suppressions

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

_OF_A_PERSON = (
    *("kind", "address", "written", "folded", "domain"),
    *("state", "nonce", "created_at", "changed_at"),
)
_OF_A_WISH = (
    *("list_id", "subscriber_id", "state", "created_at", "changed_at"),
    *("timezone", "hour", "frequency", "weekday", "size", "floor", "language", "paused_until"),
    "topics",
)
_ADDRESSES = Table("asked", MetaData(), Column("folded", Text()), Column("list_id", BigInteger()))
"""What is offered to look somebody up: no table of the database."""
_ASKED = ("folded", "list_id", PLACE)

_NEVER_SAID_YES = db.subscribers.c.consent_at.is_(None)


class Signups(Suppressions):
    """Sign-ups of one transaction."""

    # --- asking --------------------------------------------------------------------------------

    def known(self, each: Sequence[tuple[Address, Collection[str], ListId]]) -> list[Known]:
        """What is known of addresses, of which some digests are kept where they are suppressed, and
        of what their people asked of a list: as many look-ups whatever there is. Whoever erases or
        suppresses one of these people waits until this transaction ends."""
        self._hold([address.folded for address, _, _ in each])
        suppressed = self.suppressed({one for _, digests, _ in each for one in digests})
        rows = [
            {"folded": address.folded, "list_id": list_id, PLACE: place}
            for place, (address, _, list_id) in enumerate(each)
        ]
        offering_them = offering(self._connection, _ADDRESSES, _ASKED, rows)
        found = {row.place: row for row in Query(_known).rows(self._connection, **offering_them)}
        return [
            _known_of(found[place], is_suppressed=not suppressed.isdisjoint(digests))
            for place, (_, digests, _) in enumerate(each)
        ]

    def _hold(self, folded: Sequence[str]) -> None:
        """Keep people as they are, in the order of their ids. (SQLite's writer is alone.)"""
        if self._connection.dialect.name == "postgresql":
            Query(_holding).rows(self._connection, b_folded=as_texts(self._connection, folded))

    def sign_up(
        self, signup: NewSignup, list_id: ListId, *, now: datetime
    ) -> tuple[Subscriber, Subscription]:
        """The person and their subscription, made `pending` when there is none.

        Somebody who has one keeps its state and choices; only that they asked now is noted, so
        that whoever still has not confirmed is kept for another while.
        """
        (both,) = self.sign_up_all([(signup, list_id)], now=now)
        return both

    def sign_up_all(
        self, each: Sequence[tuple[NewSignup, ListId]], *, now: datetime
    ) -> list[tuple[Subscriber, Subscription]]:
        """The same of many people, of whom no two have the same address."""
        people = self._people([one for one, _ in each], now)
        theirs = [(people[one.address.folded], one.preferences, list_id) for one, list_id in each]
        wishes = self._wishes(theirs, now)
        return [
            (person, subscription_beside(person, wishes[person.id, list_id]))
            for person, _, list_id in theirs
        ]

    def _people(self, each: Sequence[NewSignup], now: datetime) -> dict[str, Subscriber]:
        """By their address. Everybody takes them in the same order."""
        same = {"state": _PENDING, "created_at": now, "changed_at": now}
        rows = [address_columns(one.address) | same | {"nonce": one.nonce} for one in each]
        rows.sort(key=itemgetter("folded"))
        found = Query(_adding_people).rows(
            self._connection, **offering(self._connection, db.subscribers, _OF_A_PERSON, rows)
        )
        return {row.folded: person_of(row) for row in found}

    def _wishes(
        self, each: Sequence[tuple[Subscriber, Preferences, ListId]], now: datetime
    ) -> dict[tuple[SubscriberId, ListId], Any]:
        """By whose they are, and of which list."""
        same = {"state": _PENDING, "created_at": now, "changed_at": now}
        rows = [
            preference_columns(wish) | same | {"list_id": list_id, "subscriber_id": person.id}
            for person, wish, list_id in each
        ]
        rows.sort(key=itemgetter("subscriber_id"))
        found = Query(_adding_wishes).rows(
            self._connection, **offering(self._connection, db.subscriptions, _OF_A_WISH, rows)
        )
        return {(SubscriberId(row.subscriber_id), ListId(row.list_id)): row for row in found}

    def ask_again(self, subscriptions: Collection[SubscriptionId], *, now: datetime) -> None:
        """Note that people who have not confirmed asked once more: they are kept for another
        while."""
        ids = as_ids(self._connection, subscriptions)
        Query(_asking_again).rows(self._connection, b_ids=ids, b_now=now)

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


def _known_of(row: Any, *, is_suppressed: bool) -> Known:
    return Known(
        suppressed=is_suppressed,
        person=None if row.person_state is None else SubscriberState(row.person_state),
        wish=None if row.id is None else subscription_of(row),
        linked_at=row.linked_at,
    )


@cache
def _holding(dialect: str) -> Select[Any]:
    c = db.subscribers.c
    these = select(c.id).where(c.kind == EMAIL, among_texts(dialect, c.folded, "b_folded"))
    return these.order_by(c.id).with_for_update(key_share=True)


@cache
def _known(dialect: str) -> Select[Any]:
    """Of all addresses that are offered: SQLite begins with them, for it keeps the order of an
    outer join."""
    c, person, wish = db.notices.c, db.subscribers, db.subscriptions
    rows, asked = offered(dialect, _ADDRESSES, _ASKED)
    latest = (
        select(func.max(c.id))
        .where(c.subscriber_id == person.c.id, c.kind == NoticeKind.PREFERENCES.value)
        .correlate(person)
        .scalar_subquery()
    )
    linked = select(c.dated).where(c.id == latest).correlate(person).scalar_subquery()
    theirs = and_(person.c.kind == EMAIL, person.c.folded == asked["folded"])
    here = and_(wish.c.subscriber_id == person.c.id, wish.c.list_id == asked["list_id"])
    return select(
        *SUBSCRIPTION_COLUMNS, linked.label("linked_at"), asked[PLACE].label(PLACE)
    ).select_from(rows.outerjoin(person, theirs).outerjoin(wish, here))


@cache
def _adding_people(dialect: str) -> Insert:
    """So that there is a row to return where a key is taken, it is written as it is. Nobody else
    changes it until the transaction ends."""
    adding: Insert = (
        inserting(dialect, db.subscribers, _OF_A_PERSON)
        .on_conflict_do_update(
            index_elements=("kind", "folded"), set_={"nonce": db.subscribers.c.nonce}
        )
        .returning(*PERSON_COLUMNS, db.subscribers.c.folded)
    )
    return adding


@cache
def _adding_wishes(dialect: str) -> Insert:
    offer = inserting(dialect, db.subscriptions, _OF_A_WISH)
    asked_again = case(
        (db.subscriptions.c.state == _PENDING, offer.excluded.changed_at),
        else_=db.subscriptions.c.changed_at,
    )
    adding: Insert = offer.on_conflict_do_update(
        index_elements=("list_id", "subscriber_id"), set_={"changed_at": asked_again}
    ).returning(*WISH_ALONE)
    return adding


@cache
def _asking_again(dialect: str) -> Update:
    c = db.subscriptions.c
    theirs = among_ids(dialect, c.id, "b_ids")
    return (
        update(db.subscriptions)
        .where(theirs, c.state == _PENDING)
        .values(changed_at=bindparam("b_now"))
    )


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
