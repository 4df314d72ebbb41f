"""Store the interests of readers."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from paperround.db.dialect import column_in
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import SubscriberId

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
            select(kept.subscriber_id, kept.kind, kept.value)
            .where(column_in(self._connection, kept.subscriber_id, subscribers))
            .order_by(kept.id)
        )
        by_person: dict[SubscriberId, list[Interest]] = {}
        for person, kind, value in found:
            theirs = by_person.setdefault(SubscriberId(person), [])
            theirs.append(Interest(InterestKind(kind), value))
        return {person: tuple(each) for person, each in by_person.items()}

    def set_interests(
        self, subscriber: SubscriberId, interests: Sequence[Interest], *, now: datetime
    ) -> bool:
        """Replace the person's interests; return False if they were the same. Those that stay keep
        their creation time."""
        kept = db.interests.c
        theirs = kept.subscriber_id == subscriber
        found = self._connection.execute(
            select(kept.kind, kept.value, kept.created_at).where(theirs).order_by(kept.id)
        )
        since = {Interest(InterestKind(kind), value): at for kind, value, at in found}
        if tuple(since) == tuple(interests):
            return False
        self._connection.execute(delete(db.interests).where(theirs))
        rows = [
            {
                "subscriber_id": subscriber,
                "kind": one.kind.value,
                "value": one.value,
                "weight": WEIGHT,
                "created_at": since.get(one, now),
            }
            for one in interests
        ]
        insert_many(self._connection, insert(db.interests), rows)
        return True
