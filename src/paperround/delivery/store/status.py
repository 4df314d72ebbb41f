"""Query the ledger for status reports."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, not_, or_, select, true

from paperround.db import revisions
from paperround.db.dialect import column_in
from paperround.db.encryption import encryption_key_id
from paperround.db.engine import Storage, storage
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.delivery.status import (
    DeliveryEntry,
    DeliveryQuery,
    EditionTally,
    KeysInUse,
    MailRecord,
    ReasonTally,
)
from paperround.delivery.store.claim_statements import waiting
from paperround.delivery.store.ledger import IS_REPLACED
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState, DigestKind, EditionId
from paperround.editions.store.mapping import edits_of
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.mapping import EMAIL

MOST_HOURS = 200
"""How many due times of a day to check: the hours of readers, and a few of new subscribers."""

Late = tuple[datetime, int, datetime, datetime]
"""A due time, how many left late, and when the first and the last of them left."""


def _living(list_id: ListId, now: datetime) -> Select[Any]:
    return select(db.editions.c.id).where(
        db.editions.c.list_id == list_id, db.editions.c.live_until > now
    )


def _active_readers(*shown: ColumnElement[Any]) -> Select[Any]:
    """Select from the active subscriptions of people, without channels."""
    subscription, person = db.subscriptions.c, db.subscribers.c
    return (
        select(*shown)
        .select_from(db.subscriptions)
        .join(db.subscribers)
        .where(
            subscription.state == SubscriberState.ACTIVE.value,
            person.state == SubscriberState.ACTIVE.value,
            person.kind == EMAIL,
        )
    )


OF_ITS_DAY = not_(
    and_(
        db.deliveries.c.state == DeliveryState.EXPIRED.value,
        db.deliveries.c.reason == "missed",
        db.deliveries.c.local_date < db.editions.c.day,
    )
)
"""Digests of the edition itself. The row of a date that was missed names the newest edition, which
that date never had."""

UNEXPLAINED = (DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.CLAIMED)
"""States that need no reason. (An in_data row has none yet, either.)"""

ENDED = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.EXPIRED,
    DeliveryState.SKIPPED,
)


class StatusStore(Store):
    """Read-only queries on the ledger for operators."""

    def is_migrated(self) -> bool:
        """Whether the database has the schema of this version."""
        return revisions.schema_fits(self._connection)

    def storage(self) -> Storage:
        """Return the disk space that the database uses and has left."""
        return storage(self._connection)

    def editions(self, list_id: ListId, *, now: datetime, limit: int) -> list[EditionTally]:
        """Return the newest edition and all living ones, newest first."""
        c = db.editions.c
        newest = (
            select(c.id).where(c.list_id == list_id).order_by(c.cut_at.desc(), c.id.desc()).limit(1)
        )
        is_shown = or_(c.live_until > now, c.id.in_(newest))
        return self._tallies(c.list_id == list_id, is_shown, limit=limit)

    def editions_of(self, list_id: ListId, day: date) -> list[EditionTally]:
        """Return every edition of that date, including cancelled ones, newest first."""
        return self._tallies(db.editions.c.list_id == list_id, db.editions.c.day == day)

    def editions_among(self, editions: Collection[EditionId]) -> list[EditionTally]:
        """Return these editions, including held and cancelled ones, newest first."""
        return self._tallies(column_in(self._connection, db.editions.c.id, editions))

    def _tallies(self, *which: ColumnElement[bool], limit: int | None = None) -> list[EditionTally]:
        papers = select(func.count()).where(db.edition_papers.c.edition_id == db.editions.c.id)
        found = self._connection.execute(
            select(db.editions, papers.scalar_subquery().label("paper_count"))
            .where(*which)
            .order_by(db.editions.c.cut_at.desc(), db.editions.c.id.desc())
            .limit(limit)
        ).all()
        c = db.deliveries.c
        counted = self._connection.execute(
            select(c.edition_id, c.state, func.count())
            .join(db.editions, db.editions.c.id == c.edition_id)
            .where(column_in(self._connection, c.edition_id, [row.id for row in found]), OF_ITS_DAY)
            .group_by(c.edition_id, c.state)
        )
        states: dict[int, dict[DeliveryState, int]] = {}
        for edition, state, count in counted:
            states.setdefault(edition, {})[DeliveryState(state)] = count
        return [
            value_of(EditionTally, row, by_state=states.get(row.id, {}), edits=edits_of(row.edits))
            for row in found
        ]

    def reasons(self, list_id: ListId, *, since: datetime) -> list[ReasonTally]:
        """Return why deliveries due since then were not sent, without those that were replaced, the
        most frequent reason first."""
        c = db.deliveries.c
        grouped = self._connection.execute(
            select(c.state, c.reason, c.code, func.count(), func.max(c.id))
            .where(
                c.edition_id.in_(_living(list_id, since)),
                c.due_at >= since,
                c.state.not_in([state.value for state in UNEXPLAINED]),
                c.reason != "",
                or_(c.kind == DigestKind.REPLACEMENT.value, ~IS_REPLACED),
            )
            .group_by(c.state, c.reason, c.code)
        ).all()
        newest_ones = [newest for *_, newest in grouped]
        replies = dict(
            self._connection.execute(
                select(c.id, c.reply).where(
                    column_in(self._connection, c.id, newest_ones), c.reply.is_not(None)
                )
            ).all()
        )
        tallies = [
            ReasonTally(
                state=DeliveryState(state),
                reason=reason,
                count=count,
                code=code,
                reply=replies.get(newest),
            )
            for state, reason, code, count, newest in grouped
        ]
        return sorted(tallies, key=lambda one: (-one.count, one.state, one.reason, one.code or 0))

    def waiting_now(self, list_id: ListId, *, until: datetime) -> int:
        """Return how many deliveries of the list are due by then and wait."""
        c = db.deliveries.c
        counting = select(func.count()).where(
            waiting(db.deliveries), c.list_id == list_id, c.next_at <= until
        )
        return self._connection.execute(counting).scalar_one()

    def left_since(
        self, list_id: ListId, *, since: datetime, now: datetime
    ) -> tuple[int, datetime | None]:
        """Return how many emails of the list were sent since then, and when the first was."""
        c = db.deliveries.c
        counting = select(func.count(), func.min(c.sent_at)).where(
            c.edition_id.in_(_living(list_id, now)),
            c.state == DeliveryState.SENT.value,
            c.sent_at >= since,
        )
        left, first = self._connection.execute(counting).one()
        return left, first

    def late(self, list_id: ListId, *, since: datetime, by: timedelta, now: datetime) -> list[Late]:
        """Return emails due since then that were sent at the first try and at least `by` late: for
        each due time how many, and when the first and the last of them left."""
        c = db.deliveries.c
        sent_at_once = (
            c.edition_id.in_(_living(list_id, now)),
            c.state == DeliveryState.SENT.value,
            c.attempts == 1,
            c.due_at >= since,
        )
        hours: Sequence[Any] = self._connection.execute(
            select(c.due_at, func.max(c.sent_at))
            .where(*sent_at_once)
            .group_by(c.due_at)
            .order_by(c.due_at)
            .limit(MOST_HOURS)
        ).all()
        found = []
        for due_at, last in hours:
            if last - due_at >= by:
                counted = self._connection.execute(
                    select(func.count(), func.min(c.sent_at), func.max(c.sent_at)).where(
                        *sent_at_once, c.due_at == due_at, c.sent_at >= due_at + by
                    )
                ).one()
                found.append((due_at, *counted))
        return found

    def due_by(self, list_id: ListId, moment: datetime) -> int:
        """Return how many readers have a digest due by then. A reader without a due time counts:
        the next tick schedules the first digest within a day."""
        due_at = db.subscriptions.c.due_at
        return self._readers(list_id, or_(due_at <= moment, due_at.is_(None)))

    def active(self, list_id: ListId) -> int:
        """Return how many people receive the list by email, without channels."""
        return self._readers(list_id)

    def active_by_list(self) -> Mapping[ListId, int]:
        """Return how many people receive each list by email; lists without readers are left out."""
        c = db.subscriptions.c
        counting = _active_readers(c.list_id, func.count()).group_by(c.list_id)
        return {ListId(id_): count for id_, count in self._connection.execute(counting)}

    def _readers(self, list_id: ListId, *which: ColumnElement[bool]) -> int:
        readers = _active_readers(func.count()).where(db.subscriptions.c.list_id == list_id, *which)
        found: int = self._connection.execute(readers).scalar_one()
        return found

    def mails(self, subscriber: SubscriberId, *, limit: int) -> list[MailRecord]:
        """Return digests and system email to a person, newest first."""
        digests = self.deliveries(DeliveryQuery(subscriber_id=subscriber), before=None, limit=limit)
        c = db.notices.c
        notices = self._connection.execute(
            select(db.notices)
            .where(c.subscriber_id == subscriber)
            .order_by(c.due_at.desc(), c.id.desc())
            .limit(limit)
        )
        records = [
            *digests,
            *(
                value_of(
                    MailRecord,
                    row,
                    name=f"notice/{row.id}",
                    positions=(),
                    state=DeliveryState(row.state),
                    **dict.fromkeys(("list_name", "edition_id", "local_date")),
                    taken=0,
                )
                for row in notices
            ),
        ]
        return sorted(records, key=lambda one: one.due_at, reverse=True)[:limit]

    def deliveries(
        self, wanted: DeliveryQuery, *, before: int | None, limit: int
    ) -> list[DeliveryEntry]:
        """Return deliveries with an id below `before` that match the filter, newest first."""
        c = db.deliveries.c
        named = {
            c.list_id: wanted.list_id,
            c.edition_id: wanted.edition_id,
            c.local_date: wanted.local_date,
            c.state: wanted.state,
            c.subscriber_id: wanted.subscriber_id,
        }
        which = [column == value for column, value in named.items() if value is not None]
        if wanted.edition_id is not None:
            which.append(OF_ITS_DAY)
        found = self._connection.execute(
            select(
                db.deliveries,
                db.lists.c.name.label("list_name"),
                db.editions.c.day.label("edition_day"),
                db.editions.c.cut,
                func.coalesce(db.post_progress.c.taken, 0).label("taken"),
                db.subscribers.c.kind.label("reader_kind"),
                db.subscribers.c.address,
            )
            .select_from(db.deliveries)
            .join(db.subscribers, c.subscriber_id == db.subscribers.c.id)
            .join(db.lists, c.list_id == db.lists.c.id)
            .join(db.editions, c.edition_id == db.editions.c.id)
            .outerjoin(db.post_progress, db.post_progress.c.delivery_id == c.id)
            .where(*which, true() if before is None else c.id < before)
            .order_by(c.id.desc())
            .limit(limit)
        )
        return [
            value_of(
                DeliveryEntry,
                row,
                name=f"delivery/{row.id}",
                positions=tuple(row.positions),
                state=DeliveryState(row.state),
                is_person=row.reader_kind == EMAIL and bool(row.address),
            )
            for row in found
        ]

    def newest_key(self) -> str | None:
        """Return the id of the key that signs the newest digest, None before the first."""
        newest = select(db.deliveries.c.key_id).order_by(db.deliveries.c.id.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none()

    def keys_in_use(self, *, since: datetime) -> KeysInUse:
        """Count the rows that need each key; of finished emails, those sent since then."""
        ended = [state.value for state in ENDED]
        standing = db.suppressions.c.lifted_at.is_(None)
        ledgers = (db.deliveries, db.notices)
        kept = self._connection.execute(select(db.channels.c.key)).scalars()
        return KeysInUse(
            suppressions=self._keys({db.suppressions: standing}),
            channels=dict(
                Counter(name for one in kept if (name := encryption_key_id(one)) is not None)
            ),
            unfinished=self._keys({one: one.c.state.not_in(ended) for one in ledgers}),
            sent=self._keys({one: one.c.sent_at >= since for one in ledgers}),
        )

    def _keys(self, which: Mapping[Table, ColumnElement[bool]]) -> dict[str, int]:
        """Count by key the rows that match the condition of each table."""
        total = Counter[str]()
        for table, meant in which.items():
            counted = self._connection.execute(
                select(table.c.key_id, func.count()).where(meant).group_by(table.c.key_id)
            )
            total.update(dict(counted.all()))
        return dict(total)
