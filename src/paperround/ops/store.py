"""Query figures: people, outcomes of editions, bounces and feedback."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, distinct, exists, func, or_, select, true

from paperround.db.dialect import column_in, upsert, whole_seconds
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.delivery.model import Evidence
from paperround.editions.lists import ListId
from paperround.editions.model import DeliveryState, EditionId
from paperround.ops.stats_model import FEWEST, EditionFigures, EditionOutcome
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.mapping import EMAIL

_LEFT, _WAITING, _PAUSED, _ACTIVE = range(4)
_PEOPLE = {_ACTIVE: "active", _PAUSED: "paused", _WAITING: "waiting", _LEFT: "left"}
_BOUNCES = (Evidence.PASSING.value, Evidence.LIKELY_GONE.value, Evidence.GONE.value)
_DIGEST = "delivery/"
"""How bounce events name a digest, before its number."""

SAVE = "save"

_IS_COUNTED = and_(
    db.edition_figures.c.edition_id == db.editions.c.id,
    db.edition_figures.c.counted_at > db.editions.c.live_until,
)
"""Joins the figures of an edition, unless digests were planned from it since they were counted."""


def _of_list(column: ColumnElement[Any], list_id: ListId | None) -> ColumnElement[bool]:
    return true() if list_id is None else column == list_id


class FigureStore(Store):
    """Counts for operators. `list_id` is None for all lists."""

    # --- people --------------------------------------------------------------------------------

    def people(self, list_id: ListId | None, *, today: date) -> dict[str, int]:
        """Count people by their best subscription: active, paused, waiting or left."""
        subscription, person = db.subscriptions.c, db.subscribers.c
        is_active = and_(
            subscription.state == SubscriberState.ACTIVE.value,
            person.state == SubscriberState.ACTIVE.value,
        )
        is_paused = or_(subscription.paused_until > today, db.standings.c.resting_until > today)
        is_waiting = and_(
            subscription.state == SubscriberState.PENDING.value,
            person.state.in_((SubscriberState.PENDING.value, SubscriberState.ACTIVE.value)),
        )
        rank = case(
            (and_(is_active, is_paused), _PAUSED),
            (is_active, _ACTIVE),
            (is_waiting, _WAITING),
            else_=_LEFT,
        )
        best = (
            select(func.max(rank).label("rank"))
            .select_from(db.subscriptions)
            .join(db.subscribers, person.id == subscription.subscriber_id)
            .outerjoin(db.standings, db.standings.c.subscriber_id == person.id)
            .where(
                person.kind == EMAIL,
                person.erased_at.is_(None),
                _of_list(subscription.list_id, list_id),
            )
            .group_by(person.id)
            .subquery()
        )
        counting = select(best.c.rank, func.count()).group_by(best.c.rank)
        found = {_PEOPLE[rank]: count for rank, count in self._connection.execute(counting)}
        return {name: found.get(name, 0) for name in _PEOPLE.values()}

    def domains(self, list_id: ListId | None) -> frozenset[str]:
        """Return the domains at which at least three people have their address."""
        person = db.subscribers.c
        counting = (
            select(person.domain)
            .where(person.kind == EMAIL, person.domain.is_not(None))
            .group_by(person.domain)
            .having(func.count() >= FEWEST)
        )
        if list_id is not None:
            theirs = select(db.subscriptions.c.subscriber_id).where(
                db.subscriptions.c.list_id == list_id
            )
            counting = counting.where(person.id.in_(theirs))
        return frozenset(self._connection.execute(counting).scalars())

    # --- editions ------------------------------------------------------------------------------

    def outcomes(self, list_id: ListId | None, *, first: date, last: date) -> list[EditionOutcome]:
        """Return the outcomes of the digests of each edition of these days, newest first."""
        c = db.editions.c
        found = self._connection.execute(
            select(c.id, c.day, c.cut, db.lists.c.name, db.edition_figures.c.figures)
            .join(db.lists, db.lists.c.id == c.list_id)
            .outerjoin(db.edition_figures, _IS_COUNTED)
            .where(c.day.between(first, last), _of_list(c.list_id, list_id))
            .order_by(c.cut_at.desc(), c.id.desc())
        ).all()
        counted = self.count_digests([row.id for row in found if row.figures is None])
        return [
            EditionOutcome(
                id=row.id,
                list=row.name,
                day=row.day,
                cut=row.cut,
                figures=counted[row.id]
                if row.figures is None
                else EditionFigures.of_json(row.figures),
            )
            for row in found
        ]

    def count_digests(self, editions: Sequence[int]) -> dict[int, EditionFigures]:
        """Count the digests of these editions, from the ledger."""
        figures = {one: EditionFigures() for one in editions}
        c = db.deliveries.c
        seconds = whole_seconds(self._connection, c.due_at, c.sent_at)
        late = case((c.state == DeliveryState.SENT.value, seconds), else_=None)
        key = (c.edition_id, c.state, c.domain, late)
        counting = (
            select(*key, func.count())
            .where(column_in(self._connection, c.edition_id, editions))
            .group_by(*key)
        )
        for edition, state, domain, its_late, count in self._connection.execute(counting):
            figures[edition].add(state, domain or "", its_late, count)
        return figures

    def finished_editions(self, *, before: datetime, limit: int) -> list[tuple[EditionId, ListId]]:
        """Return editions without figures whose digests ended before `before`, with their lists,
        newest first."""
        c = db.editions.c
        finished = (
            select(c.id, c.list_id)
            .outerjoin(db.edition_figures, _IS_COUNTED)
            .where(db.edition_figures.c.edition_id.is_(None), c.live_until < before)
            .order_by(c.cut_at.desc(), c.id.desc())
            .limit(limit)
        )
        return [(EditionId(one), ListId(its)) for one, its in self._connection.execute(finished)]

    def keep_figures(self, edition: EditionId, figures: EditionFigures, *, now: datetime) -> None:
        """Store the figures of an edition."""
        statement = upsert(
            self._connection, db.edition_figures, ("edition_id",), ("figures", "counted_at")
        )
        row = {"edition_id": edition, "figures": figures.to_json(), "counted_at": now}
        self._connection.execute(statement, row)

    # --- bounces and complaints ----------------------------------------------------------------

    def returned(self, list_id: ListId | None, *, since: datetime) -> dict[date, Counter[str]]:
        """Count bounces and complaints by day; for a list, only those about its digests."""
        c = db.returned.c
        rows = self._connection.execute(
            select(c.received_at, c.kind, c.mail).where(
                c.received_at >= since,
                c.mail.is_not(None),
                or_(
                    c.kind == "complaint",
                    and_(c.kind == "bounce", c.evidence.in_(_BOUNCES)),
                ),
            )
        ).all()
        if list_id is not None:
            wanted = self._digests_of(list_id, [row.mail for row in rows if row.mail])
            rows = [row for row in rows if row.mail in wanted]
        found: dict[date, Counter[str]] = {}
        for row in rows:
            found.setdefault(row.received_at.date(), Counter())[f"{row.kind}s"] += 1
        return found

    def _digests_of(self, list_id: ListId, mails: Iterable[str]) -> frozenset[str]:
        """Return which of these names of emails belong to digests of the list."""
        numbers = [int(one.removeprefix(_DIGEST)) for one in mails if one.startswith(_DIGEST)]
        c = db.deliveries.c
        found = self._connection.execute(
            select(c.id).where(column_in(self._connection, c.id, numbers), c.list_id == list_id)
        )
        return frozenset(f"{_DIGEST}{one}" for one in found.scalars())

    # --- feedback ------------------------------------------------------------------------------

    def feedback(self, *, since: datetime) -> Mapping[tuple[int | None, str], int]:
        """Count the people who gave feedback since then, by the edition of the digest it was given
        on and by verdict."""
        c, edition = db.feedback.c, db.deliveries.c.edition_id
        # An outer join makes SQLite begin with the feedback, which is far less than the ledger.
        counting = (
            select(edition, c.verdict, func.count(distinct(c.subscriber_id)))
            .select_from(db.feedback)
            .outerjoin(db.deliveries, db.deliveries.c.id == c.delivery_id)
            .where(c.created_at >= since)
            .group_by(edition, c.verdict)
        )
        return {(one, verdict): n for one, verdict, n in self._connection.execute(counting)}

    def feedback_on(self, edition: EditionId) -> Mapping[str, int]:
        """Count the people who gave feedback on the digests of an edition, by verdict."""
        c = db.feedback.c
        counting = (
            select(c.verdict, func.count(distinct(c.subscriber_id)))
            .join_from(db.deliveries, db.feedback, db.deliveries.c.id == c.delivery_id)
            .where(db.deliveries.c.edition_id == edition)
            .group_by(c.verdict)
        )
        return dict(self._connection.execute(counting).all())

    def saves_by_feed(self, list_id: ListId | None, *, since: datetime) -> list[tuple[str, int]]:
        """Count the saved papers of each feed of which at least three people saved some, most
        first. A paper of several feeds counts for each."""
        c = db.feedback.c
        saves = func.count()
        counting = (
            select(db.feeds.c.name, saves)
            .select_from(db.feedback)
            .join(db.listings, db.listings.c.paper_id == c.paper_id)
            .join(db.feeds, db.feeds.c.id == db.listings.c.feed_id)
            .where(c.verdict == SAVE, c.created_at >= since)
            .group_by(db.feeds.c.name)
            .having(func.count(distinct(c.subscriber_id)) >= FEWEST)
            .order_by(saves.desc(), db.feeds.c.name)
        )
        if list_id is not None:
            its = db.deliveries.c
            counting = counting.where(
                exists().where(its.id == c.delivery_id, its.list_id == list_id)
            )
        return [(name, count) for name, count in self._connection.execute(counting)]


class OldAudit(Store):
    """The oldest entries of the audit log. Nothing else deletes any."""

    def forget(self, *, before: datetime, limit: int) -> None:
        """Delete those of the `limit` oldest entries that are from before then."""
        c = db.audit.c
        oldest = self._connection.execute(select(c.id, c.at).order_by(c.id).limit(limit))
        ids = [row.id for row in oldest if row.at < before]
        if ids:
            self._connection.execute(delete(db.audit).where(column_in(self._connection, c.id, ids)))
