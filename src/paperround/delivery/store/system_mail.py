"""Store system email: confirmations, links to preferences, alerts, tests."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)

from paperround.core import jobs
from paperround.db.dialect import insert_new
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Transaction
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Lease
from paperround.delivery.store.claim_statements import NO_LEASE, waiting
from paperround.delivery.store.claims import Claims, LedgerTable
from paperround.delivery.system_mail_model import ClaimedNotice, NewNotice, Notice, SystemMailKind
from paperround.editions.model import DeliveryId, DeliveryState, SkipReason
from paperround.subscribers.model import SubscriberId, SubscriberState

OWN_ADDRESS = (SystemMailKind.ALERT, SystemMailKind.TEST)
"""Kinds that go to an address that need not belong to a subscriber."""

MAY_GO_AGAIN = (
    DeliveryState.SENT,
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,
    DeliveryState.EXPIRED,
)
"""Final states from which a system email may be queued again."""

OLD_ADDRESS, NEW_ADDRESS = "old", "new"
"""The last parts of the keys of the two system emails about a change of address."""

OF_A_MOVE = frozenset({"written", "folded"})
"""The payload entries of a change of address that contain the new one."""


def _why_not(row: Row[Any]) -> SkipReason | None:
    """Return why a row must be skipped. People who are not active may still get system email."""
    if row.person_state == SubscriberState.SUPPRESSED:
        return SkipReason.SUPPRESSED
    if row.person_state is None and row.kind not in OWN_ADDRESS:
        return SkipReason.UNSUBSCRIBED
    erased = row.erased_at is not None
    return SkipReason.UNSUBSCRIBED if erased or not row.address else None


def _notice(row: Row[Any]) -> Notice:
    return value_of(Notice, row, kind=SystemMailKind(row.kind), state=DeliveryState(row.state))


def _claimed(row: Row[Any], lease: Lease) -> ClaimedNotice:
    return value_of(ClaimedNotice, row, kind=SystemMailKind(row.kind), lease=lease)


_DUE: Select[Any] = (
    select(
        *(one for one in db.notices.c if one.name != "address"),
        func.coalesce(db.notices.c.address, db.subscribers.c.address).label("address"),
        db.subscribers.c.state.label("person_state"),
        db.subscribers.c.erased_at,
    )
    .select_from(db.notices)
    .outerjoin(db.subscribers, db.notices.c.subscriber_id == db.subscribers.c.id)
    .where(waiting(db.notices))
)

_PERSON_MAY_GET = (
    select(literal(1))
    .where(
        db.subscribers.c.id == db.notices.c.subscriber_id,
        db.subscribers.c.state != SubscriberState.SUPPRESSED.value,
        db.subscribers.c.erased_at.is_(None),
    )
    .correlate(db.notices)
    .exists()
)
_MAY_GO = or_(
    _PERSON_MAY_GET,
    and_(
        db.notices.c.subscriber_id.is_(None),
        or_(*(db.notices.c.kind == kind.value for kind in OWN_ADDRESS)),
    ),
)


NOTICES: LedgerTable[ClaimedNotice] = LedgerTable(
    table=db.notices,
    due=_DUE,
    lines=lambda _connection, _now: [0],  # one line
    in_line=bindparam("b_line", type_=Integer()) == 0,
    why_not=_why_not,
    may_go=_MAY_GO,
    claimed=_claimed,
    unsent=lambda _connection, _ids: None,  # a notice carries no papers
)
"""The ledger table of system email. It belongs to no list, so pausing a list does not stop it."""


class NoticeLedger(Claims[ClaimedNotice]):
    """The system emails. They follow the rules of deliveries; claiming also skips rows of people
    whose address is erased or suppressed (an alert or a test has an address of its own)."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction, NOTICES)
        self._jobs = transaction.asks

    def put(self, notice: NewNotice, *, now: datetime) -> bool:
        """Queue a system email. Returns False when its key exists. Without an address of its own,
        it gets the domain of the subscriber's."""
        self._jobs[jobs.NOTICES.task] = jobs.NOTICES
        own_domain = (
            select(db.subscribers.c.domain)
            .where(db.subscribers.c.id == notice.subscriber_id)
            .scalar_subquery()
        )
        row = columns_of(notice) | {
            "kind": notice.kind.value,
            "domain": own_domain if notice.address is None else notice.address.rpartition("@")[2],
            "payload": dict(notice.payload),
            "state": DeliveryState.QUEUED.value,
            "reason": "",
            "next_at": notice.due_at,
            "attempts": 0,
            "breakdowns": 0,
            "created_at": now,
        }
        adding = insert_new(self._connection, db.notices).values(row)
        added = self._connection.execute(adding.returning(db.notices.c.id))
        return added.one_or_none() is not None

    def again(self, notice: DeliveryId, *, due_at: datetime, expires_at: datetime) -> bool:
        """Queue a finished system email again, with the same Message-ID. Returns False for one that
        was skipped, still waits or is being sent."""
        self._jobs[jobs.NOTICES.task] = jobs.NOTICES
        c = db.notices.c
        queued = self._connection.execute(
            update(db.notices)
            .where(c.id == notice, c.state.in_([state.value for state in MAY_GO_AGAIN]))
            .values(
                state=DeliveryState.QUEUED.value,
                reason="",
                due_at=due_at,
                next_at=due_at,
                expires_at=expires_at,
                attempts=0,
                breakdowns=0,
                **NO_LEASE,
            )
        )
        return queued.rowcount == 1

    def use(self, notice: DeliveryId, *, now: datetime) -> bool:
        """Record that the link was used. Returns True for the first use only."""
        used = self._connection.execute(
            update(db.notices)
            .where(db.notices.c.id == notice, db.notices.c.used_at.is_(None))
            .values(used_at=now)
        )
        return used.rowcount == 1

    def forget_moves(self, *, before: datetime, limit: int) -> int:
        """Erase the new address from the oldest `limit` finished system emails about a change of
        address that both addresses confirmed, or that are dated before `before`. Returns how many
        rows."""
        c, other = db.notices.c, db.notices.alias("other")
        both = select(other.c.id).where(
            other.c.key
            == func.substr(c.key, 1, func.length(c.key) - len(NEW_ADDRESS)) + OLD_ADDRESS,
            other.c.used_at.is_not(None),
        )
        settled = and_(c.used_at.is_not(None), both.exists())
        old = (
            select(c.id, c.payload)
            .where(
                c.kind == SystemMailKind.CHANGE.value,
                c.address.is_not(None),
                c.state.in_([state.value for state in (*MAY_GO_AGAIN, DeliveryState.SKIPPED)]),
                or_(c.dated < before, settled),
            )
            .order_by(c.id)
            .limit(limit)
        )
        rows = self._connection.execute(old).all()
        for row in rows:
            payload = {name: one for name, one in row.payload.items() if name not in OF_A_MOVE}
            blank = update(db.notices).where(c.id == row.id)
            values = {"address": None, "domain": None, "reply": None, "payload": payload}
            self._connection.execute(blank.values(**values))
        return len(rows)

    # --- reading and counting ------------------------------------------------------------------

    def find(self, key: str) -> Notice | None:
        """Return the system email with this key, None if there is none."""
        return self._find(db.notices.c.key == key)

    def get(self, notice: DeliveryId) -> Notice | None:
        """Return the system email with this id, None if there is none."""
        return self._find(db.notices.c.id == notice)

    def latest(self, subscriber: SubscriberId, kind: SystemMailKind) -> Notice | None:
        """Return the last system email of this kind to a person, None if there is none."""
        c = db.notices.c
        theirs = (c.subscriber_id == subscriber, c.kind == kind.value)
        return self._find(c.id == select(func.max(c.id)).where(*theirs).scalar_subquery())

    def used_by(self, subscriber: SubscriberId, *, limit: int) -> list[Notice]:
        """Return the system emails to a person whose link was used, the latest use first."""
        c = db.notices.c
        used = select(db.notices).where(c.subscriber_id == subscriber, c.used_at.is_not(None))
        rows = self._connection.execute(used.order_by(c.used_at.desc(), c.id.desc()).limit(limit))
        return [_notice(row) for row in rows]

    def _find(self, which: ColumnElement[bool]) -> Notice | None:
        row = self._connection.execute(select(db.notices).where(which)).first()
        return None if row is None else _notice(row)

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Return the totals of the system email that has not expired."""
        return self._totals(db.notices.c.expires_at > now)
