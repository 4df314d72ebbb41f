"""Store queued requests: sign-ups, links to preferences, changes of address.

Each request is one row, the same whether or not its address is known, and is deleted in the
transaction that processes it. A process that dies leaves either the row or its result, never both.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from paperround.core.jobs import NOTICES
from paperround.db.dialect import delete_rows
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.subscribers.model import Address, SubscriberId
from paperround.subscribers.readers import RequestId, RequestKind, WaitingRequest
from paperround.subscribers.store.mapping import address_columns


class RequestStore(Store):
    """The queue of requests; each row is taken once."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._asks = work.asks

    def put(
        self,
        kind: RequestKind,
        address: Address,
        payload: Mapping[str, str | int],
        *,
        due_at: datetime,
        now: datetime,
        subscriber: SubscriberId | None = None,
    ) -> None:
        """Queue a request to be processed from `due_at` on, and enqueue the job that does so."""
        self._connection.execute(
            insert(db.signup_requests),
            {
                **address_columns(address),
                "kind": kind.value,
                "subscriber_id": subscriber,
                "payload": dict(payload),
                "created_at": now,
                "due_at": due_at,
                "tries": 0,
            },
        )
        self._asks[NOTICES.task] = NOTICES

    def due(self, *, now: datetime, limit: int) -> list[RequestId]:
        """Return due requests, in the order they came."""
        c = db.signup_requests.c
        found = select(c.id).where(c.due_at <= now).order_by(c.id).limit(limit)
        return [RequestId(one) for one in self._connection.execute(found).scalars()]

    def has_due(self, *, now: datetime) -> bool:
        """Return whether a request is due."""
        return bool(self.due(now=now, limit=1))

    def take(self, request: RequestId) -> WaitingRequest | None:
        """Remove and return a request; None if another process took it. A rollback restores it."""
        c = db.signup_requests.c
        gone = delete(db.signup_requests).where(c.id == request).returning(*c)
        row = self._connection.execute(gone).one_or_none()
        if row is None:
            return None
        address = Address(written=row.written, mailed=row.address)
        return value_of(WaitingRequest, row, kind=RequestKind(row.kind), address=address)

    def put_off(self, request: RequestId, *, until: datetime) -> int:
        """Record a failed attempt and postpone the request to `until`; return how often it failed,
        0 if it is gone."""
        c = db.signup_requests.c
        later = (
            update(db.signup_requests)
            .where(c.id == request)
            .values(tries=c.tries + 1, due_at=until)
            .returning(c.tries)
        )
        return self._connection.execute(later).scalar_one_or_none() or 0

    def waiting(self) -> tuple[int, datetime | None]:
        """Return how many requests are queued, and when the first is due."""
        c = db.signup_requests.c
        counting = select(func.count(), func.min(c.due_at).cast(c.due_at.type))
        number, first = self._connection.execute(counting).one()
        return number, first

    def forget(self, address: Address) -> int:
        """Delete the requests for an address; return how many there were."""
        theirs = db.signup_requests.c.folded == address.folded
        return delete_rows(self._connection, db.signup_requests, theirs)

    def forget_old(self, *, before: datetime) -> int:
        """Delete requests created before `before`; return how many there were."""
        old = db.signup_requests.c.created_at < before
        return delete_rows(self._connection, db.signup_requests, old)
