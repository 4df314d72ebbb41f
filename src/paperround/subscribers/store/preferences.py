"""What people see and change of their own: subscriptions, choices, feedback."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select, update

from paperround.db.dialect import among, insert_new
from paperround.db.rows import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.model import DeliveryId
from paperround.papers.model import PaperId
from paperround.subscribers.model import (
    Preferences,
    Subscriber,
    SubscriberId,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.readers import DeliveryOwner, NewFeedback
from paperround.subscribers.store.rows import (
    PERSON_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    person_of,
    preference_columns,
    subscription_of,
)


class SelfService(Store):
    """What the people of one transaction do by themselves."""

    def get(self, subscriber: SubscriberId) -> Subscriber | None:
        """The person with this id; one who was erased has no address."""
        known: Select[Any] = select(*PERSON_COLUMNS).where(db.subscribers.c.id == subscriber)
        row = self._connection.execute(known).one_or_none()
        return None if row is None else person_of(row)

    def subscriptions_of(self, subscriber: SubscriberId) -> list[Subscription]:
        """Every subscription of a person, by list."""
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
        """Replace the choices; the due instant is for the caller to set anew."""
        self._connection.execute(
            update(db.subscriptions)
            .where(db.subscriptions.c.id == subscription)
            .values(**preference_columns(preferences), changed_at=now)
        )

    def renew_nonce(self, subscriber: SubscriberId, nonce: str, *, now: datetime) -> None:
        """Bind the person's lasting links to `nonce`: those bound to the one before end."""
        self._connection.execute(
            update(db.subscribers)
            .where(db.subscribers.c.id == subscriber)
            .values(nonce=nonce, changed_at=now)
        )

    # --- what a digest's links do --------------------------------------------------------------

    def owner_of_delivery(self, delivery: DeliveryId) -> DeliveryOwner | None:
        """Whose mail a delivery was, with the nonce its links are bound to."""
        row = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address)
            .join_from(db.deliveries, db.subscribers)
            .where(db.deliveries.c.id == delivery)
        ).one_or_none()
        if row is None:
            return None
        return value_of(DeliveryOwner, row, delivery=row.id, positions=tuple(row.positions))

    def give_feedback(self, feedback: NewFeedback, *, now: datetime) -> bool:
        """Keep what a reader says of a paper; `more` and `less` replace each other, `save` stands
        by itself. False when it was said already."""
        self._connection.execute(
            delete(db.feedback).where(
                db.feedback.c.subscriber_id == feedback.subscriber_id,
                db.feedback.c.paper_id == feedback.paper_id,
                db.feedback.c.verdict == {"more": "less", "less": "more"}.get(feedback.verdict, ""),
            )
        )
        saying = insert_new(self._connection, db.feedback).returning(db.feedback.c.id)
        row = columns_of(feedback) | {"created_at": now}
        row["delivery_id"] = row.pop("delivery")
        return self._connection.execute(saying, row).scalar() is not None

    def feedback_of(self, subscriber: SubscriberId) -> list[tuple[PaperId, str]]:
        """What a person said of papers, in the order they said it."""
        return self.feedback_of_all([subscriber]).get(subscriber, [])

    def feedback_of_all(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, list[tuple[PaperId, str]]]:
        """What each person said of papers, in the order they said it; those who said nothing are
        left out."""
        said = db.feedback.c
        found = self._connection.execute(
            select(said.subscriber_id, said.paper_id, said.verdict)
            .where(among(self._connection, said.subscriber_id, subscribers))
            .order_by(said.created_at, said.id)
        )
        by_person: dict[SubscriberId, list[tuple[PaperId, str]]] = {}
        for person, paper, verdict in found:
            by_person.setdefault(SubscriberId(person), []).append((PaperId(paper), verdict))
        return by_person
