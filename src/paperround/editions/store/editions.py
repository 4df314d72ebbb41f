"""Store frozen editions; after the first write only their state changes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
)

from paperround.core.errors import Conflict, NotFound
from paperround.db.dialect import delete_rows, insert_new, insert_row, update_rows
from paperround.db.driver import CompiledQuery, insert_many
from paperround.db.mapping import value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.editions.lists import MANUAL_CUT, ListId
from paperround.editions.model import (
    DeliveryState,
    Edition,
    EditionId,
    EditionPaper,
    EditionState,
    EditionSummary,
    FrozenFacts,
    NewEdition,
    Order,
    PaperRank,
    Placed,
    TailPaper,
)
from paperround.editions.store.mapping import (
    edited,
    edition_columns,
    edits_of,
    frozen_paper,
    paper_columns,
    shared_of,
    summary_of,
    tail_columns,
    tail_of,
)
from paperround.papers.model import PaperId

_STANDS = db.editions.c.state != EditionState.CANCELLED.value
_OUT = and_(_STANDS, db.editions.c.held_until.is_(None))
"""Neither cancelled nor held: the editions that readers may see."""
_NEWEST_FIRST = (db.editions.c.day.desc(), db.editions.c.cut_at.desc(), db.editions.c.id.desc())

_COUNTED = db.edition_papers.alias("counted")
_FIRST = db.edition_papers.alias("first")
_SUMMARIES: Select[Any] = (
    select(
        db.editions.c.id,
        db.editions.c.as_of,
        db.lists.c.name.label("list_name"),
        db.editions.c.day,
        db.editions.c.cut,
        db.editions.c.cut_at,
        db.editions.c.empty_reason,
        db.editions.c.quiet_reason,
        db.editions.c.edits,
        _FIRST.c.title.label("top_title"),
        select(func.count())
        .where(_COUNTED.c.edition_id == db.editions.c.id)
        .scalar_subquery()
        .label("paper_count"),
    )
    .join_from(db.editions, db.lists)
    .outerjoin(_FIRST, and_(_FIRST.c.edition_id == db.editions.c.id, _FIRST.c.position == 1))
)
"""All editions, with their first paper if there is one."""

_FILLED = _SUMMARIES.where(_FIRST.c.position == 1)
"""Editions with papers."""

_FROZEN = db.edition_papers.c
_FIRST_PAPERS = (
    select(
        _FROZEN.edition_id,
        _FROZEN.title,
        _FROZEN.votes,
        _FROZEN.details,
    )
    .where(
        _FROZEN.edition_id.in_(bindparam("editions", expanding=True)),
        _FROZEN.position <= bindparam("size"),
    )
    .order_by(_FROZEN.edition_id, _FROZEN.position)
)

_WITH_LIST_NAME = select(db.editions, db.lists.c.name.label("list_name")).join_from(
    db.editions, db.lists
)


def _papers_of(table: Table) -> CompiledQuery:
    """Select an edition's papers by position, with later merges and withdrawals."""
    today = func.coalesce(db.joined_papers.c.into_id, table.c.paper_id)
    return CompiledQuery(
        select(table, db.joined_papers.c.into_id, db.papers.c.withdrawn_at)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == table.c.paper_id)
        .join(db.papers, db.papers.c.id == today)
        .where(table.c.edition_id == bindparam("edition"))
        .order_by(table.c.position)
    )


_PAPERS_OF = {one.name: _papers_of(one) for one in (db.edition_papers, db.behind_papers)}


class EditionStore(Store):
    """Stores and queries frozen editions."""

    def find(self, list_id: ListId, day: date, cut: str) -> Edition | None:
        """Return the edition of (list, day, cut), None if it is not frozen."""
        c = db.editions.c
        named = _WITH_LIST_NAME.where(c.list_id == list_id, c.day == day, c.cut == cut)
        return self._edition_of_row(self._connection.execute(named).first())

    def get(self, edition: EditionId) -> Edition:
        """Return the edition with this id. Raises NotFound. Only this method loads `behind`."""
        named = _WITH_LIST_NAME.where(db.editions.c.id == edition)
        found = self._edition_of_row(self._connection.execute(named).first())
        if found is None:
            raise NotFound(f"there is no edition {edition}")
        behind = self._papers(db.behind_papers, edition)
        others = tuple(one for one in behind if one.position not in found.edits.chosen)
        return replace(found, behind=others)

    def tail(self, edition: EditionId) -> tuple[TailPaper, ...]:
        """Return the papers ranked below those the edition shows; empty once deleted."""
        wanted = select(db.edition_tails).where(db.edition_tails.c.edition_id == edition)
        row = self._connection.execute(wanted).one_or_none()
        return () if row is None else tail_of(row)

    def forget_tails(self, *, before: datetime) -> int:
        """Delete the tails of editions cut before `before`, and what readers shared; return how
        many tails."""
        c = db.editions.c
        told = (c.cut_at < before, c.shared.is_not(None))
        update_rows(self._connection, db.editions, *told, shared=None)
        old = db.edition_tails.c.edition_id.in_(select(c.id).where(c.cut_at < before))
        return delete_rows(self._connection, db.edition_tails, old)

    def newest(self, list_id: ListId, *, by: datetime, with_held: bool = False) -> Edition | None:
        """Return the newest edition cut by `by` and not cancelled; `with_held`, even if readers may
        not see it yet."""
        c = db.editions.c
        newest = (
            _WITH_LIST_NAME.where(
                c.list_id == list_id, c.cut_at <= by, _STANDS if with_held else _OUT
            )
            .order_by(c.cut_at.desc(), c.id.desc())
            .limit(1)
        )
        return self._edition_of_row(self._connection.execute(newest).first())

    def has_cut(self, list_id: ListId, *, after: datetime, by: datetime) -> bool:
        """Return whether there is an edition of a cut after `after`, and at or before `by`."""
        c = db.editions.c
        later = select(c.id).where(
            c.list_id == list_id, c.cut != MANUAL_CUT, c.cut_at > after, c.cut_at <= by
        )
        return self._connection.execute(later.limit(1)).first() is not None

    def recent(
        self, list_id: ListId, *, before: date | None = None, limit: int
    ) -> list[EditionSummary]:
        """Return editions with papers, not cancelled, newest first, of days before `before`."""
        c = db.editions.c
        earlier = true() if before is None else c.day < before
        recent = _FILLED.where(c.list_id == list_id, _OUT, earlier)
        return self._summaries(recent.order_by(*_NEWEST_FIRST).limit(limit))

    def between(self, list_id: ListId, *, since: date, until: date) -> list[EditionSummary]:
        """Return the editions of these days (inclusive) not cancelled, even empty, newest first."""
        c = db.editions.c
        within = _SUMMARIES.where(c.list_id == list_id, _OUT, c.day.between(since, until))
        return self._summaries(within.order_by(*_NEWEST_FIRST))

    def first_papers(
        self, editions: Sequence[EditionId], size: int
    ) -> Mapping[EditionId, Sequence[FrozenFacts]]:
        """Return the facts of the first `size` papers of each edition, in the order of ranks."""
        found: dict[EditionId, list[FrozenFacts]] = {}
        if not editions:
            return found
        for row in self._connection.execute(_FIRST_PAPERS, {"editions": editions, "size": size}):
            facts = FrozenFacts(row.title, row.votes, (row.details or {}).get("listed", ""))
            found.setdefault(EditionId(row.edition_id), []).append(facts)
        c = db.editions.c
        with_edits = select(c.id).where(c.id.in_(editions), c.edits.is_not(None))
        for id_ in self._connection.execute(with_edits).scalars().all():
            papers = self.get(EditionId(id_)).papers[:size]
            found[EditionId(id_)] = [
                FrozenFacts(one.title, one.votes, one.listed, one.reason) for one in papers
            ]
        return found

    def _summaries(self, wanted: Select[Any]) -> list[EditionSummary]:
        """Return summaries, after what an editor changed."""
        found = []
        for row in self._connection.execute(wanted).all():
            summary = summary_of(row)
            if row.edits is not None:
                papers = self.get(EditionId(row.id)).papers
                count, top = len(papers), papers[0].title if papers else ""
                summary = replace(summary, paper_count=count, top_title=top)
            found.append(summary)
        return found

    def most_sent(self, list_id: ListId, *, since: date, until: date) -> list[tuple[date, str]]:
        """Return the day and cut of each day's edition that was sent in most digests, else its last
        one, newest first. Leaves out days without papers."""
        c, mail = db.editions.c, db.deliveries.c
        sent = (
            select(func.count())
            .where(mail.edition_id == c.id, mail.state == DeliveryState.SENT.value)
            .scalar_subquery()
        )
        filled = exists().where(db.edition_papers.c.edition_id == c.id)
        days = c.day.between(since, until)
        rows = self._connection.execute(
            select(c.day, c.cut)
            .where(c.list_id == list_id, _OUT, days, filled)
            .order_by(c.day.desc(), sent.desc(), c.cut_at.desc(), c.id.desc())
        )
        best: dict[date, str] = {}
        for day, cut in rows:
            best.setdefault(day, cut)
        return list(best.items())

    def following(self, list_id: ListId, *, after: date) -> EditionSummary | None:
        """Return the last edition of the first day after `after` that has papers."""
        c = db.editions.c
        later = _FILLED.where(c.list_id == list_id, _OUT, c.day > after)
        found = self._summaries(later.order_by(c.day, *_NEWEST_FIRST[1:]).limit(1))
        return found[0] if found else None

    def ranks(self, paper: PaperId, *, limit: int) -> list[PaperRank]:
        """Return a paper's ranks in all public lists, under any of its ids, newest first."""
        frozen, joined = db.edition_papers.c, db.joined_papers.c
        others = select(joined.paper_id).where(joined.into_id == paper)
        rows = self._connection.execute(
            select(
                db.edition_papers,
                db.lists.c.name.label("list_name"),
                db.lists.c.title.label("list_title"),
                db.editions.c.day,
                db.editions.c.cut,
                db.editions.c.cut_at,
                joined.into_id,
                db.papers.c.withdrawn_at,
            )
            .join_from(db.edition_papers, db.editions)
            .join(db.lists, db.lists.c.id == db.editions.c.list_id)
            .join(db.papers, db.papers.c.id == paper)
            .outerjoin(db.joined_papers, joined.paper_id == frozen.paper_id)
            .where(
                or_(frozen.paper_id == paper, frozen.paper_id.in_(others)),
                _OUT,
                or_(db.lists.c.private.is_(None), db.lists.c.private.is_(False)),
            )
            .order_by(db.editions.c.cut_at.desc(), db.editions.c.id.desc(), frozen.position)
            .limit(limit)
        )
        return [value_of(PaperRank, row, paper=frozen_paper(row)) for row in rows]

    def places(
        self,
        list_id: ListId,
        order: Order,
        *,
        days: tuple[date | None, date | None] = (None, None),
        limit: int,
        offset: int = 0,
    ) -> list[Placed]:
        """Return the papers of editions not cancelled, each once, from `offset` on.

        `days` are the first and last day, inclusive; None is no bound.
        """
        rows = _PLACES[order].rows(
            self._connection,
            list_id=list_id,
            since=days[0] or date.min,
            until=days[1] or date.max,
            most=limit,
            skipped=offset,
        )
        return [value_of(Placed, row, paper=frozen_paper(row)) for row in rows]

    def _edition_of_row(self, row: Any | None) -> Edition | None:
        """Return the edition of a row without `behind` and `tail`, None without a row."""
        if row is None:
            return None
        edits = edits_of(row.edits)
        papers = self._papers(db.edition_papers, row.id)
        chosen = self._papers(db.behind_papers, row.id) if edits.chosen else ()
        shown, dropped = edited(papers, chosen, edits)
        return value_of(
            Edition,
            row,
            state=EditionState(row.state),
            papers=shown,
            dropped=dropped,
            edits=edits,
            sources=tuple(row.source_codes or row.sources),
            tail=(),
            behind=(),
            shared=shared_of(row.shared),
        )

    def _papers(self, table: Table, edition: int) -> tuple[EditionPaper, ...]:
        rows = _PAPERS_OF[table.name].rows(self._connection, edition=edition)
        return tuple(map(frozen_paper, rows))

    def freeze(self, edition: NewEdition) -> Edition:
        """Store an edition. Raises Conflict if its (list, day, cut) exists.

        Returns it as read back, so that digests do not depend on where it came from.
        """
        statement = insert_new(self._connection, db.editions).returning(db.editions.c.id)
        id_ = self._connection.execute(statement, edition_columns(edition)).scalar_one_or_none()
        if id_ is None:
            raise Conflict(f"the edition of {edition.day} (cut {edition.cut}) is frozen already")
        papers = [paper_columns(id_, paper) for paper in edition.papers]
        insert_many(self._connection, insert_row(db.edition_papers), papers)
        if edition.tail:
            row = {"edition_id": id_, **tail_columns(edition.tail)}
            self._connection.execute(insert_row(db.edition_tails), row)
        return self.get(EditionId(id_))

    def discard_empty(self, edition: EditionId) -> bool:
        """Delete an edition without papers and its skipped deliveries, to publish the day again.

        Returns False and does nothing if it has papers or other deliveries, or was cancelled.
        """
        of_edition = db.deliveries.c.edition_id == edition
        held = self._connection.execute(
            select(
                exists().where(db.edition_papers.c.edition_id == edition)
                | exists().where(of_edition, db.deliveries.c.state != DeliveryState.SKIPPED.value)
                | exists().where(db.editions.c.id == edition, ~_STANDS)
            )
        ).scalar_one()
        if held:
            return False
        delete_rows(self._connection, db.deliveries, of_edition)
        delete_rows(self._connection, db.shards, db.shards.c.edition_id == edition)
        delete_rows(self._connection, db.editions, db.editions.c.id == edition)
        return True

    def cancel(self, edition: EditionId, *, now: datetime) -> bool:
        """Cancel the edition, so nothing is planned from it; return False if it was already."""
        values = {"state": EditionState.CANCELLED.value, "cancelled_at": now}
        its = (db.editions.c.id == edition, _STANDS)
        return update_rows(self._connection, db.editions, *its, **values) > 0

    def restore(self, edition: EditionId) -> bool:
        """Restore a cancelled edition; return False if it is not cancelled."""
        values = {"state": EditionState.FROZEN.value, "cancelled_at": None}
        its = (db.editions.c.id == edition, ~_STANDS)
        return update_rows(self._connection, db.editions, *its, **values) > 0

    def set_state(self, edition: EditionId, state: EditionState) -> None:
        """Set the edition's state, unless it is cancelled."""
        its = (db.editions.c.id == edition, _STANDS)
        update_rows(self._connection, db.editions, *its, state=state)


# One rank per paper, chosen by the database.
#
# A subquery over narrow rows chooses; only the chosen rows are read with their texts.


def _places(order: Order) -> CompiledQuery:
    """Select a list's papers in that order."""
    chosen = _chosen(order)
    frozen = db.edition_papers.c
    return CompiledQuery(
        select(
            db.edition_papers,
            db.editions.c.day,
            db.editions.c.cut,
            db.editions.c.as_of,
            db.editions.c.frozen_at,
            db.joined_papers.c.into_id,
            db.papers.c.withdrawn_at,
        )
        .select_from(chosen)
        .join(
            db.edition_papers,
            and_(frozen.edition_id == chosen.c.edition_id, frozen.position == chosen.c.position),
        )
        .join(db.editions, db.editions.c.id == frozen.edition_id)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == frozen.paper_id)
        .join(db.papers, db.papers.c.id == chosen.c.today)
        .where(chosen.c.rank == 1)
        .order_by(*_in_order(order, chosen))
        .limit(bindparam("most", type_=Integer()))
        .offset(bindparam("skipped", type_=Integer()))
    )


def _chosen(order: Order) -> FromClause:
    """Select every rank within these days, numbered per paper so that 1 is the one that counts."""
    frozen = db.edition_papers.c
    today = func.coalesce(db.joined_papers.c.into_id, frozen.paper_id)
    rank = func.row_number().over(partition_by=today, order_by=_counts_first(order))
    return (
        select(
            frozen.edition_id,
            frozen.position,
            frozen.score,
            db.editions.c.cut_at,
            today.label("today"),
            rank.label("rank"),
        )
        .join_from(db.edition_papers, db.editions)
        .outerjoin(db.joined_papers, db.joined_papers.c.paper_id == frozen.paper_id)
        .where(
            db.editions.c.list_id == bindparam("list_id"),
            _OUT,
            db.editions.c.day.between(bindparam("since"), bindparam("until")),
        )
        .subquery("chosen")
    )


def _counts_first(order: Order) -> Sequence[ColumnElement[Any]]:
    """Return the order in which a paper's ranks count."""
    c, cut_at = db.edition_papers.c, db.editions.c.cut_at
    match order:
        case Order.ARRIVED:
            return (cut_at, c.edition_id, c.position)
        case Order.RANKED:
            return (c.score.desc(), cut_at.desc(), c.edition_id.desc(), c.position)
        case Order.LATEST:
            return (cut_at.desc(), c.edition_id.desc(), c.position)


def _in_order(order: Order, chosen: FromClause) -> Sequence[ColumnElement[Any]]:
    c = chosen.c
    match order:
        case Order.ARRIVED:
            return (c.cut_at.desc(), c.edition_id.desc(), c.position)
        case Order.RANKED | Order.LATEST:
            return (c.score.desc(), c.cut_at.desc(), c.today)


_PLACES = {order: _places(order) for order in Order}
