"""Find undelivered digests and queue cancelled ones again."""

from datetime import date, datetime

from sqlalchemy import exists, select, text, update

from paperround.core.errors import Conflict
from paperround.core.jobs import DELIVER, Job
from paperround.db.dialect import column_in
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.delivery.ledger_model import Undelivered
from paperround.delivery.store.history import record_sent_again
from paperround.delivery.store.mapping import content_of_row
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryId, DeliveryState, DigestKind, EditionId, SkipReason
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.mapping import SUBSCRIPTION_COLUMNS, subscription_of

# As text, because SQLite uses a partial index only if its condition occurs literally.
_UNDELIVERED = text(
    "(deliveries.state IN ('failed', 'unknown', 'expired') OR deliveries.reason = 'cancelled')"
)

_AGAIN = db.deliveries.alias("again")
IS_REPLACED = exists().where(
    _AGAIN.c.list_id == db.deliveries.c.list_id,
    _AGAIN.c.subscriber_id == db.deliveries.c.subscriber_id,
    _AGAIN.c.kind == DigestKind.REPLACEMENT.value,
    _AGAIN.c.local_date == db.deliveries.c.local_date,
)
"""Whether the reader of this delivery has a replacement of that date; true of one itself, too."""


class Replacing(Store):
    """Queries and updates of digests that did not reach their readers."""

    _jobs: dict[str, Job]

    def queue_again(self, edition: EditionId, *, since: datetime) -> int:
        """Queue the deliveries again that were skipped when the edition was cancelled at `since`,
        with their papers. Raises Conflict when another delivery was planned for one of the readers
        since then. Returns the number queued."""
        c = db.deliveries.c
        stopped = (c.edition_id == edition, c.reason == SkipReason.CANCELLED.value)
        planned_since = exists().where(
            _AGAIN.c.subscriber_id == c.subscriber_id,
            _AGAIN.c.created_at >= since,
            _AGAIN.c.id != c.id,
        )
        rows = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address, planned_since.label("planned_since"))
            .join_from(db.deliveries, db.subscribers)
            .where(*stopped)
        ).all()
        if any(row.planned_since for row in rows):
            raise Conflict("readers of this edition were planned other mails since")
        waits = {"state": DeliveryState.QUEUED.value, "reason": "", "token": None}
        self._connection.execute(update(db.deliveries).where(*stopped).values(waits))
        again = [(SubscriberId(row.subscriber_id), content_of_row(row)) for row in rows]
        record_sent_again(self._connection, edition, again)
        self._jobs[DELIVER.task] = DELIVER
        return len(rows)

    def undelivered(
        self, list_id: ListId, local_date: date, *, after: DeliveryId, limit: int
    ) -> list[Undelivered]:
        """Return the digests of that date that failed, expired, were cancelled or are unknown, with
        an id above `after`, by id."""
        c = db.deliveries.c
        rows = self._connection.execute(
            select(db.deliveries, db.subscribers.c.address, IS_REPLACED.label("replaced"))
            .join_from(db.deliveries, db.subscribers)
            .where(
                _UNDELIVERED,
                c.list_id == list_id,
                c.local_date == local_date,
                c.kind == DigestKind.DIGEST.value,
                c.id > after,
            )
            .order_by(c.id)
            .limit(limit)
        ).all()
        ids = [row.subscription_id for row in rows if row.subscription_id]
        found = self._connection.execute(
            select(*SUBSCRIPTION_COLUMNS)
            .join_from(db.subscriptions, db.subscribers)
            .where(column_in(self._connection, db.subscriptions.c.id, ids))
        )
        subscriptions = {row.id: subscription_of(row) for row in found}
        return [
            Undelivered(
                slip=content_of_row(row),
                state=DeliveryState(row.state),
                reason=row.reason,
                subscription=subscriptions.get(row.subscription_id),
                replaced=bool(row.replaced),
            )
            for row in rows
        ]
