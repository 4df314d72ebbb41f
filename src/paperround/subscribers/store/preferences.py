"""Store what readers see and change themselves: subscriptions, preferences, interests, feedback."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select

from paperround.db.dialect import column_in, delete_rows, insert_new, update_rows
from paperround.db.driver import insert_many
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.model import DeliveryId, RisenPaper
from paperround.papers.model import PaperId
from paperround.subscribers.interests import Interest
from paperround.subscribers.model import (
    Preferences,
    Subscriber,
    SubscriberId,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.readers import DeliveryOwner, GivenBy
from paperround.subscribers.store.mapping import (
    PERSON_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    interest_columns,
    interest_of,
    person_of,
    preference_columns,
    subscription_of,
)

WEIGHT = 1.0
"""All interests have the same weight."""


class Interests(Store):
    """The interests of readers, in one transaction."""

    def interests_of_all(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, tuple[Interest, ...]]:
        """Return each person's interests, in the order they were added; people without any are left
        out."""
        kept = db.interests.c
        found = self._connection.execute(
            select(kept.subscriber_id, kept.kind, kept.value, kept.statement)
            .where(column_in(self._connection, kept.subscriber_id, subscribers))
            .order_by(kept.id)
        )
        by_person: dict[SubscriberId, list[Interest]] = {}
        for person, kind, value, is_statement in found:
            theirs = by_person.setdefault(SubscriberId(person), [])
            theirs.append(interest_of(kind, value, is_statement))
        return {person: tuple(each) for person, each in by_person.items()}

    def set_interests(
        self, subscriber: SubscriberId, interests: Sequence[Interest], *, now: datetime
    ) -> bool:
        """Replace the person's interests; return False if they were the same. Those that stay keep
        their creation time."""
        kept = db.interests.c
        theirs = kept.subscriber_id == subscriber
        found = self._connection.execute(
            select(kept.kind, kept.value, kept.statement, kept.created_at)
            .where(theirs)
            .order_by(kept.id)
        )
        since = {interest_of(*each): at for *each, at in found}
        if tuple(since) == tuple(interests):
            return False
        self._connection.execute(delete(db.interests).where(theirs))
        rows = [
            {
                **interest_columns(one),
                "subscriber_id": subscriber,
                "weight": WEIGHT,
                "created_at": since.get(one, now),
            }
            for one in interests
        ]
        # A seed and a statement with the same text are one row.
        each = {(row["kind"], row["value"]): row for row in rows}
        insert_many(self._connection, insert(db.interests), list(each.values()))
        return True


class SelfService(Interests):
    """What readers do themselves, in one transaction."""

    def get(self, subscriber: SubscriberId) -> Subscriber | None:
        """Return the person with this id, or None; an erased person has no address."""
        known: Select[Any] = select(*PERSON_COLUMNS).where(db.subscribers.c.id == subscriber)
        row = self._connection.execute(known).one_or_none()
        return None if row is None else person_of(row)

    def subscriptions_of(self, subscriber: SubscriberId) -> list[Subscription]:
        """Return every subscription of a person, by list."""
        found = self._connection.execute(
            select(*SUBSCRIPTION_COLUMNS)
            .join_from(db.subscriptions, db.subscribers)
            .where(db.subscriptions.c.subscriber_id == subscriber)
            .order_by(db.subscriptions.c.list_id)
        )
        return [subscription_of(row) for row in found]

    def choose(
        self, subscription: SubscriptionId, preferences: Preferences, *, now: datetime
    ) -> None:
        """Replace the preferences; the caller recomputes the due instant."""
        values = preference_columns(preferences) | {"changed_at": now}
        its = db.subscriptions.c.id == subscription
        update_rows(self._connection, db.subscriptions, its, **values)

    def renew_nonce(self, subscriber: SubscriberId, nonce: str, *, now: datetime) -> None:
        """Bind the person's lasting links to `nonce`, which invalidates the earlier ones."""
        values = {"nonce": nonce, "changed_at": now}
        update_rows(self._connection, db.subscribers, db.subscribers.c.id == subscriber, **values)

    # --- links of a digest ---------------------------------------------------------------------

    def owner_of_delivery(self, delivery: DeliveryId) -> DeliveryOwner | None:
        """Return the reader of a delivery, with the nonce its links are bound to; None if there is
        none."""
        row = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address)
            .join_from(db.deliveries, db.subscribers)
            .where(db.deliveries.c.id == delivery)
        ).one_or_none()
        if row is None:
            return None
        return value_of(
            DeliveryOwner,
            row,
            delivery=row.id,
            positions=tuple(row.positions),
            risen=tuple(RisenPaper(**one) for one in row.risen or ()),
            next_papers=tuple(row.next_papers or ()),
        )

    def give_feedback(
        self,
        subscriber: SubscriberId,
        paper: PaperId,
        verdict: str,
        *,
        delivery: DeliveryId | None = None,
        now: datetime,
    ) -> bool:
        """Store a rating; `more` and `less` replace each other, `save` is independent. Return False
        if it was already stored."""
        c = db.feedback.c
        opposite = c.verdict == {"more": "less", "less": "more"}.get(verdict, "")
        theirs = (c.subscriber_id == subscriber, c.paper_id == paper, opposite)
        delete_rows(self._connection, db.feedback, *theirs)
        adding = insert_new(self._connection, db.feedback).returning(db.feedback.c.id)
        row = {
            "subscriber_id": subscriber,
            "paper_id": paper,
            "verdict": verdict,
            "delivery_id": delivery,
            "created_at": now,
        }
        return self._connection.execute(adding, row).scalar() is not None

    def withdraw_feedback(
        self, subscriber: SubscriberId, paper: PaperId, verdict: str
    ) -> GivenBy | None:
        """Delete a rating (a save with its note and collections), and return how it was given; None
        if there was none."""
        c = db.feedback.c
        theirs = (c.subscriber_id == subscriber, c.paper_id == paper, c.verdict == verdict)
        gone = delete(db.feedback).where(*theirs).returning(c.created_at, c.delivery_id)
        row = self._connection.execute(gone).one_or_none()
        return None if row is None else GivenBy(at=row.created_at, delivery=row.delivery_id)

    def feedback_of(self, subscriber: SubscriberId) -> list[tuple[PaperId, str]]:
        """Return a person's ratings, in the order they were given."""
        return self.feedback_of_all([subscriber]).get(subscriber, [])

    def feedback_of_all(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, list[tuple[PaperId, str]]]:
        """Return each person's ratings, in the order they were given; people without any are left
        out."""
        c = db.feedback.c
        found = self._connection.execute(
            select(c.subscriber_id, c.paper_id, c.verdict)
            .where(column_in(self._connection, c.subscriber_id, subscribers))
            .order_by(c.created_at, c.id)
        )
        by_person: dict[SubscriberId, list[tuple[PaperId, str]]] = {}
        for person, paper, verdict in found:
            by_person.setdefault(SubscriberId(person), []).append((PaperId(paper), verdict))
        return by_person
