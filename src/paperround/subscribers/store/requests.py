"""Requests that wait: sign-ups, links to one's choices, changes of address.

Each is one row, written alike whatever is known of its address; a row goes in the transaction that
does what it asks. So a process that dies leaves the row, or what was asked of it, never both.
"""

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from paperround.core.jobs import NOTICES
from paperround.db.rows import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store, Transaction
from paperround.subscribers.model import Address
from paperround.subscribers.requests import NewRequest, RequestId, RequestKind, WaitingRequest
from paperround.subscribers.store.rows import address_columns


class RequestStore(Store):
    """Sign-ups, requests for a link and changes of address; each row is taken once."""

    def __init__(self, work: Transaction) -> None:
        super().__init__(work)
        self._asks = work.asks

    def put(self, request: NewRequest, *, now: datetime) -> None:
        """Keep a request until somebody takes it, and ask for who does."""
        self._connection.execute(
            insert(db.signup_requests),
            {
                **address_columns(request.address),
                "kind": request.kind.value,
                "subscriber_id": request.subscriber_id,
                "payload": dict(request.payload),
                "created_at": now,
                "due_at": request.due_at,
                "tries": 0,
            },
        )
        self._asks[NOTICES.task] = NOTICES

    def due(self, *, now: datetime, limit: int) -> list[RequestId]:
        """Requests that may be worked on, in the order they came."""
        c = db.signup_requests.c
        found = select(c.id).where(c.due_at <= now).order_by(c.id).limit(limit)
        return [RequestId(one) for one in self._connection.execute(found).scalars()]

    def has_due(self, *, now: datetime) -> bool:
        """Whether a request may be worked on."""
        return bool(self.due(now=now, limit=1))

    def take(self, request: RequestId) -> WaitingRequest | None:
        """Take a request out; None when somebody else has. It is back when the transaction is
        undone."""
        c = db.signup_requests.c
        gone = delete(db.signup_requests).where(c.id == request).returning(*c)
        row = self._connection.execute(gone).one_or_none()
        if row is None:
            return None
        address = Address(
            written=row.written, mailed=row.address, folded=row.folded, domain=row.domain
        )
        return value_of(WaitingRequest, row, kind=RequestKind(row.kind), address=address)

    def put_off(self, request: RequestId, *, until: datetime) -> int:
        """Note that working on a request failed; it is tried again `until` then. Returns how often
        it failed, 0 where it is gone."""
        c = db.signup_requests.c
        later = (
            update(db.signup_requests)
            .where(c.id == request)
            .values(tries=c.tries + 1, due_at=until)
            .returning(c.tries)
        )
        return self._connection.execute(later).scalar_one_or_none() or 0

    def waiting(self) -> tuple[int, datetime | None]:
        """How many requests wait, and when the first of them is due."""
        c = db.signup_requests.c
        counting = select(func.count(), func.min(c.due_at).cast(c.due_at.type))
        number, first = self._connection.execute(counting).one()
        return number, first

    def forget(self, address: Address) -> int:
        """Take out what waits for an address; returns how many requests that were."""
        theirs = db.signup_requests.c.folded == address.folded
        return self._connection.execute(delete(db.signup_requests).where(theirs)).rowcount

    def forget_old(self, *, before: datetime) -> int:
        """Take out requests that came before; returns how many."""
        old = db.signup_requests.c.created_at < before
        return self._connection.execute(delete(db.signup_requests).where(old)).rowcount
