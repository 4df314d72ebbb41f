"""Store subscribers and their subscriptions."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, or_, select

from paperround.core.errors import Conflict
from paperround.db.dialect import column_in, delete_rows, insert_new, update_rows
from paperround.db.driver import CompiledQuery
from paperround.db.schema import tables as db
from paperround.editions.lists import ListId
from paperround.subscribers.model import (
    Address,
    ImportedSubscriber,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.consent import SUBSCRIPTION_OF_LIST, Signups, select_person
from paperround.subscribers.store.due import ACTIVE, DueInstants
from paperround.subscribers.store.mapping import (
    EMAIL,
    PERSON_COLUMNS,
    PREFERENCE_COLUMNS,
    person_columns,
    person_of,
    preference_columns,
    preferences_of,
    state_on_list,
    subscription_of,
)
from paperround.subscribers.store.preferences import SelfService

PAGE = 1000
"""Rows an export reads at a time."""

_LOCKED_PERSON = (
    select(db.subscribers.c.id, db.subscribers.c.state)
    .where(db.subscribers.c.kind == EMAIL, db.subscribers.c.folded == bindparam("b_folded"))
    .with_for_update(key_share=True)
)
"""Selects and locks the person with an address."""

_ACTIVE_AFTER = CompiledQuery(
    ACTIVE.where(
        db.subscriptions.c.list_id == bindparam("b_list_id"),
        db.subscriptions.c.id > bindparam("b_after"),
    )
    .order_by(db.subscriptions.c.id)
    .limit(bindparam("b_limit"))
)


class SubscriberStore(Signups, SelfService, DueInstants):
    """Subscribers, subscriptions, preferences, interests, due instants and suppressions."""

    # --- reading -------------------------------------------------------------------------------

    def find(self, address: Address) -> Subscriber | None:
        """Return the person with this address, however it was written, or None."""
        row = select_person(self._connection, address)
        return None if row is None else person_of(row)

    def search(self, text: str, *, limit: int) -> list[Subscriber]:
        """Return people whose address contains `text`, ignoring case, by address; the newest people
        if `text` is empty."""
        c = db.subscribers.c
        is_part = or_(
            c.folded.contains(text.casefold(), autoescape=True),
            c.written.contains(text, autoescape=True),
        )
        people: Select[Any] = select(*PERSON_COLUMNS).where(c.kind == EMAIL, is_part)
        ordered = people.order_by(c.folded if text else c.id.desc())
        return [person_of(row) for row in self._connection.execute(ordered.limit(limit))]

    def states_on_lists(
        self, people: Collection[SubscriberId]
    ) -> dict[SubscriberId, dict[str, SubscriberState]]:
        """Return the states of people by the names of their lists, without people on no list."""
        c, person, list_ = db.subscriptions.c, db.subscribers.c, db.lists.c
        found = self._connection.execute(
            select(c.subscriber_id, list_.name, person.state, c.state)
            .select_from(db.subscriptions)
            .join(db.subscribers, c.subscriber_id == person.id)
            .join(db.lists, c.list_id == list_.id)
            .where(column_in(self._connection, c.subscriber_id, people))
            .order_by(c.list_id)
        )
        states: dict[SubscriberId, dict[str, SubscriberState]] = {}
        for id_, name, of_person, state in found:
            states.setdefault(SubscriberId(id_), {})[name] = state_on_list(of_person, state)
        return states

    def signed_up(self, subscriber: SubscriberId) -> dict[ListId, datetime]:
        """Return when a person was first put on each of their lists."""
        c = db.subscriptions.c
        found = select(c.list_id, c.created_at).where(c.subscriber_id == subscriber)
        return {ListId(one): at for one, at in self._connection.execute(found)}

    def subscription(self, subscriber: SubscriberId, list_id: ListId) -> Subscription | None:
        """Return the person's subscription of the list, or None."""
        row = self._connection.execute(
            SUBSCRIPTION_OF_LIST, {"b_subscriber_id": subscriber, "b_list_id": list_id}
        ).first()
        return None if row is None else subscription_of(row)

    def subscriptions_after(
        self, list_id: ListId, after: SubscriptionId, *, limit: int
    ) -> list[Subscription]:
        """Return active subscriptions with an id above `after`, by id."""
        found = _ACTIVE_AFTER.rows(
            self._connection, b_list_id=list_id, b_after=after, b_limit=limit
        )
        return [subscription_of(row) for row in found]

    def reset_bounces(self, person: SubscriberId) -> None:
        """Delete the bounce score of a person."""
        delete_rows(self._connection, db.standings, db.standings.c.subscriber_id == person)

    def lock(self, subscriber: SubscriberId) -> bool:
        """Lock a person until the transaction ends; return False if they were erased or do not
        exist.

        Others who lock them wait, then see what this transaction wrote. A digest may still be
        planned for them: its rows need a weaker lock on this one.
        """
        c = db.subscribers.c
        person = select(c.erased_at).where(c.id == subscriber).with_for_update(key_share=True)
        row = self._connection.execute(person).one_or_none()
        return row is not None and row.erased_at is None

    def export(self, list_id: ListId) -> Iterator[tuple[Subscriber, Preferences]]:
        """Yield everyone who ever subscribed to the list and was not erased, with their state on
        it.

        Reads page by page, so consume it within the transaction.
        """
        last = 0
        pages: Select[Any] = (
            select(
                *PERSON_COLUMNS,
                db.subscriptions.c.id,
                db.subscriptions.c.state,
                *PREFERENCE_COLUMNS,
            )
            .join_from(db.subscriptions, db.subscribers)
            .where(db.subscriptions.c.list_id == list_id, db.subscribers.c.address.is_not(None))
            .order_by(db.subscriptions.c.id)
            .limit(PAGE)
        )
        while page := self._connection.execute(pages.where(db.subscriptions.c.id > last)).all():
            for row in page:
                state = state_on_list(row.person_state, row.state)
                yield replace(person_of(row), state=state), preferences_of(row)
            last = page[-1].id

    # --- writing -------------------------------------------------------------------------------

    def put(self, offered: ImportedSubscriber, list_id: ListId, *, now: datetime) -> str:
        """Insert or update a subscriber; return `new`, `changed` or `unchanged`.

        Never un-suppresses, and never re-subscribes a reader who left. Unsubscribing from one list
        leaves the person's own state, and so their other lists, unchanged.
        """
        leaves_one_list = offered.state is SubscriberState.UNSUBSCRIBED
        row = person_columns(offered, now)
        if leaves_one_list:
            # A person who left one list may still join another: they are pending until then.
            row["state"] = SubscriberState.PENDING.value
        self._connection.execute(insert_new(self._connection, db.subscribers), row)
        asked = {"b_folded": offered.address.folded}
        person = self._connection.execute(_LOCKED_PERSON, asked).one_or_none()
        if person is None:
            raise Conflict("the person of this address was erased just now")
        moved = not leaves_one_list and self._import_state(
            SubscriberId(person.id), SubscriberState(person.state), offered, now
        )
        subscription = preference_columns(offered.preferences) | {
            "list_id": list_id,
            "subscriber_id": person.id,
            "state": offered.state.value,
            "created_at": now,
            "changed_at": now,
        }
        adding = insert_new(self._connection, db.subscriptions).returning(db.subscriptions.c.id)
        if self._connection.execute(adding, subscription).scalar() is not None:
            return "new"
        c = db.subscriptions.c
        theirs = (c.list_id == list_id, c.subscriber_id == person.id)
        found = self._connection.execute(
            select(c.state, c.due_at, *PREFERENCE_COLUMNS)
            .where(*theirs)
            .with_for_update(key_share=True)
        ).one()
        old = SubscriberState(found.state)
        state = _state_after_import(old, offered.state)
        if state is old and preferences_of(found) == offered.preferences:
            return "changed" if moved else "unchanged"
        update_rows(
            self._connection,
            db.subscriptions,
            *theirs,
            **preference_columns(offered.preferences),
            state=state.value,
            due_at=_due_after_import(found, offered.preferences, state, now),
            changed_at=now,
        )
        return "changed"

    def _import_state(
        self, person: SubscriberId, old: SubscriberState, offered: ImportedSubscriber, now: datetime
    ) -> bool:
        """Update the state of a locked person, which was `old`; return whether it changed."""
        state = _state_after_import(old, offered.state)
        if state is old:
            return False
        values: dict[str, Any] = {"state": state.value, "changed_at": now}
        if state is SubscriberState.ACTIVE and offered.consent is not None:
            values |= {"consent_at": offered.consent.at, "consent_source": offered.consent.source}
        update_rows(self._connection, db.subscribers, db.subscribers.c.id == person, **values)
        return True

    def set_state(self, subscriber: SubscriberId, state: SubscriberState, *, now: datetime) -> None:
        """Set a person's state, such as suppressed."""
        values = {"state": state.value, "changed_at": now}
        update_rows(self._connection, db.subscribers, db.subscribers.c.id == subscriber, **values)


def _state_after_import(old: SubscriberState, offered: SubscriberState) -> SubscriberState:
    """Return the state after an import, which may add and stop people but never re-subscribe
    them."""
    if SubscriberState.SUPPRESSED in (old, offered):
        return SubscriberState.SUPPRESSED
    if SubscriberState.UNSUBSCRIBED in (old, offered):
        return SubscriberState.UNSUBSCRIBED
    return SubscriberState.ACTIVE if SubscriberState.ACTIVE in (old, offered) else old


def _due_after_import(
    found: Row[Any], preferences: Preferences, state: SubscriberState, now: datetime
) -> datetime | None:
    """Return the due instant a changed subscription keeps: one already past, or one that its hour
    and zone did not move. If None, the planner computes a new one."""
    if state is not SubscriberState.ACTIVE or found.due_at is None:
        return None
    moved = (found.hour, found.timezone) != (preferences.hour, preferences.timezone)
    return None if moved and found.due_at > now else found.due_at
