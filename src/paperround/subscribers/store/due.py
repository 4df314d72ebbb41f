"""Store when the next digest of each subscription is due."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import bindparam, func, select, text, update

from paperround.db.dialect import column_in
from paperround.db.driver import CompiledQuery
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import ListId
from paperround.editions.model import DigestKind
from paperround.subscribers.model import (
    DueSubscription,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.subscribers.store.mapping import SUBSCRIPTION_COLUMNS, subscription_of

ACTIVE = (
    select(*SUBSCRIPTION_COLUMNS)
    .join_from(db.subscriptions, db.subscribers)
    .where(
        db.subscriptions.c.state == SubscriberState.ACTIVE,
        db.subscribers.c.state == SubscriberState.ACTIVE,
    )
)
"""Selects active subscriptions of active people."""

_BY_ID = db.subscriptions.c.id
_SORTED_BY_ID = db.subscriptions.c.id + 0
"""The same order without an index on it: the rows are found by another index, then sorted."""

_DUE = (
    ACTIVE.add_columns(
        db.subscriptions.c.due_at,
        (db.subscriptions.c.due_at == db.subscribers.c.consent_at).label("at_once"),
    )
    .where(
        db.subscriptions.c.list_id == bindparam("b_list_id"),
        db.subscriptions.c.due_at <= bindparam("b_now"),
        db.subscriptions.c.id > bindparam("b_after"),
    )
    .limit(bindparam("b_limit"))
)
_DUE_BY_ID = CompiledQuery(_DUE.order_by(_BY_ID))
_DUE_SORTED = CompiledQuery(_DUE.order_by(_SORTED_BY_ID))

_SET_DUE = (
    update(db.subscriptions)
    .where(db.subscriptions.c.id == bindparam("b_id"))
    .values(due_at=bindparam("b_due_at"))
)

# As text, because SQLite uses a partial index only if the query repeats its condition literally.
_UNSCHEDULED = text("subscriptions.due_at IS NULL AND subscriptions.state = 'active'")


class DueInstants(Store):
    """The due instants of one transaction."""

    def unscheduled(self, *, limit: int) -> list[Subscription]:
        """Return active subscriptions without a due instant, by id."""
        waiting = ACTIVE.where(_UNSCHEDULED).order_by(_BY_ID).limit(limit)
        return [subscription_of(row) for row in self._connection.execute(waiting)]

    def schedule(self, due: Mapping[SubscriptionId, datetime | None]) -> None:
        """Set the next due instants, whatever they were before."""
        if due:
            self._connection.execute(_SET_DUE, _due_parameters(due))

    def start_clocks(self, due: Mapping[SubscriptionId, datetime]) -> None:
        """Set the first due instants, except if a subscription ended or got one meanwhile."""
        if due:
            self._connection.execute(_SET_DUE.where(_UNSCHEDULED), _due_parameters(due))

    def due(
        self, list_id: ListId, *, now: datetime, limit: int, after: SubscriptionId
    ) -> list[DueSubscription]:
        """Return active subscriptions of the list that are due and have an id above `after`, by
        id."""
        few = self._few_are_due(list_id, now, limit)
        found = (_DUE_SORTED if few else _DUE_BY_ID).rows(
            self._connection, b_list_id=list_id, b_now=now, b_after=after, b_limit=limit
        )
        return [
            DueSubscription(
                subscription=subscription_of(row), due_at=row.due_at, at_once=bool(row.at_once)
            )
            for row in found
        ]

    def _few_are_due(self, list_id: ListId, now: datetime, limit: int) -> bool:
        """Return whether a page holds all due subscriptions. Then it is faster to find them by due
        instant and sort them (in most minutes nobody is due); else to walk the list by id until a
        page is full (on the full hour most are due)."""
        due = (
            select(db.subscriptions.c.id)
            .where(db.subscriptions.c.list_id == list_id, db.subscriptions.c.due_at <= now)
            .limit(limit + 1)
            .subquery()
        )
        found: int = self._connection.execute(select(func.count()).select_from(due)).scalar_one()
        return found <= limit

    def last_dates(self, subscriptions: Collection[SubscriptionId]) -> dict[SubscriptionId, date]:
        """Return the latest local date of a digest in the ledger for each subscription that has
        one."""
        of = db.deliveries.c.subscription_id
        found = self._connection.execute(
            select(of, func.max(db.deliveries.c.local_date))
            .where(
                column_in(self._connection, of, subscriptions),
                db.deliveries.c.kind == DigestKind.DIGEST.value,
            )
            .group_by(of)
        )
        return {SubscriptionId(subscription): day for subscription, day in found}


def _due_parameters(
    due: Mapping[SubscriptionId, datetime] | Mapping[SubscriptionId, datetime | None],
) -> list[dict[str, object]]:
    return [{"b_id": one, "b_due_at": due_at} for one, due_at in due.items()]
