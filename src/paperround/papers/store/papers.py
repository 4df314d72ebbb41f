"""Store papers with their identifiers, listings and observations, in bulk."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    bindparam,
    case,
    delete,
    exists,
    func,
    null,
    select,
    update,
)

from paperround.core.errors import Conflict
from paperround.db.dialect import (
    column_in,
    column_in_ids,
    ids_parameter,
    insert_new,
    insert_row,
    next_ids,
    upsert,
)
from paperround.db.driver import CompiledQuery, insert_many
from paperround.db.mapping import columns_of, value_of
from paperround.db.schema import tables as db
from paperround.db.transactions import Store
from paperround.papers.identifiers import canonical
from paperround.papers.merge import PaperJoin
from paperround.papers.model import (
    Carried,
    EarlierText,
    FeedId,
    Listing,
    Observation,
    Paper,
    PaperId,
    PaperText,
    PaperTrail,
    PaperWrite,
    Show,
)
from paperround.papers.search import title_words
from paperround.papers.store.duplicates import (
    NOT_JOINED,
    current,
    join,
    keep_earlier,
    require_current,
    save_texts,
)
from paperround.papers.store.search import index_new, remember_words

TITLE_KEY = "title_key"
"""The only kind of identifier that two papers may share; the first paper keeps it."""

_NOT_READ = {"canonical", "title_key", "raw_title", "raw_abstract", "first_seen_at", "changed_at"}

PAPER_COLUMNS = tuple(column for column in db.papers.c if column.name not in _NOT_READ)
"""The columns of a Paper."""

_PAPERS = CompiledQuery(
    lambda dialect: select(*PAPER_COLUMNS).where(column_in_ids(dialect, db.papers.c.id, "papers"))
)


class PaperStore(Store):
    """Papers with their identifiers, listings and observations."""

    # --- reading -------------------------------------------------------------------------------

    def find(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], PaperId]:
        """The paper of each known (kind, value)."""
        by_kind: dict[str, list[str]] = defaultdict(list)
        for kind, value in identifiers:
            by_kind[kind].append(value)
        c = db.identifiers.c
        found = dict[tuple[str, str], PaperId]()
        for kind, values in by_kind.items():
            named = (c.kind == kind, column_in(self._connection, c.value, values))
            rows = self._connection.execute(select(c.value, c.paper_id).where(*named))
            found |= {(kind, value): PaperId(paper) for value, paper in rows}
        return found

    def fingerprints(self, feed: FeedId, papers: Collection[PaperId]) -> dict[PaperId, str]:
        """The fingerprints of each paper on `feed`, in the format of `Listing`."""
        found = self._connection.execute(
            select(db.listings.c.paper_id, db.listings.c.fingerprint).where(
                db.listings.c.feed_id == feed,
                column_in(self._connection, db.listings.c.paper_id, papers),
            )
        )
        return {PaperId(paper): fingerprint for paper, fingerprint in found}

    def load(
        self, papers: Collection[PaperId], *, for_update: bool = False
    ) -> dict[PaperId, Paper]:
        """The known papers of these ids. An id joined into another paper returns that one.

        `for_update` locks them until the transaction ends, in the order of their ids to avoid
        deadlocks, and raises Conflict if another process joined one meanwhile. SQLite has a single
        writer and locks nothing.
        """
        if for_update:
            # A key-share lock lets others insert rows that refer to these papers.
            wanted = select(*PAPER_COLUMNS).order_by(db.papers.c.id).with_for_update(key_share=True)
            chosen = wanted.where(column_in(self._connection, db.papers.c.id, papers))
            found = {PaperId(row.id): paper_of(row) for row in self._connection.execute(chosen)}
            require_current(self._connection, papers)
            return found
        leads_to = current(self._connection, papers)
        standing = {leads_to.get(one, one) for one in papers}
        rows = _PAPERS.rows(self._connection, papers=ids_parameter(self._connection, standing))
        found = {PaperId(row.id): paper_of(row) for row in rows}
        real = ((one, leads_to.get(one, one)) for one in papers)
        return {one: found[it] for one, it in real if it in found}

    def newest(self, *, before: PaperId | None, limit: int) -> list[Paper]:
        """Papers with an id below `before`, newest first, without joined ones."""
        wanted = (
            select(*PAPER_COLUMNS).where(NOT_JOINED).order_by(db.papers.c.id.desc()).limit(limit)
        )
        if before is not None:
            wanted = wanted.where(db.papers.c.id < before)
        return [paper_of(row) for row in self._connection.execute(wanted)]

    def count(self) -> int:
        """The number of papers, without joined ones."""
        counted = select(func.count()).select_from(db.papers).where(NOT_JOINED)
        return self._connection.execute(counted).scalar_one()

    def trail(self, paper: PaperId, *, limit: int) -> PaperTrail:
        """The history of a paper: its `limit` last texts, newest first, and its feeds."""
        kept, listed = db.paper_versions.c, db.listings.c
        texts = self._connection.execute(
            select(kept.version, kept.title, kept.replaced_at)
            .where(kept.paper_id == paper)
            .order_by(func.coalesce(kept.version, 0).desc(), kept.id.desc())
            .limit(limit)
        )
        carried = self._connection.execute(
            select(
                db.feeds.c.name.label("feed"), listed.listed_on, listed.first_seen_at.label("since")
            )
            .join_from(db.listings, db.feeds)
            .where(listed.paper_id == paper)
            .order_by(listed.first_seen_at, db.feeds.c.name)
            .limit(limit)
        )
        return PaperTrail(
            earlier=tuple(value_of(EarlierText, row) for row in texts),
            carried=tuple(value_of(Carried, row) for row in carried),
        )

    def last_change(self, papers: Collection[PaperId]) -> datetime | None:
        """When one of `papers` last changed, or was listed by another feed; None without papers."""
        changed, listed = db.papers.c, db.listings.c
        known = select(func.max(changed.changed_at)).where(
            column_in(self._connection, changed.id, papers)
        )
        carried = select(func.max(listed.first_seen_at)).where(
            column_in(self._connection, listed.paper_id, papers)
        )
        moments = [self._connection.execute(one).scalar_one() for one in (known, carried)]
        return max(filter(None, moments), default=None)

    def withdrawn_among(self, papers: Collection[PaperId]) -> frozenset[PaperId]:
        """Those of `papers` that are withdrawn."""
        return self._among(papers, db.papers.c.withdrawn_at.is_not(None))

    def joined_among(self, papers: Collection[PaperId]) -> frozenset[PaperId]:
        """Those of `papers` that were joined into another."""
        return frozenset(current(self._connection, papers))

    def known_by(self, papers: Collection[PaperId], moment: datetime) -> frozenset[PaperId]:
        """Those of `papers` that we had by `moment`."""
        return self._among(papers, db.papers.c.first_seen_at <= moment)

    def _among(
        self, papers: Collection[PaperId], condition: ColumnElement[bool]
    ) -> frozenset[PaperId]:
        chosen = column_in(self._connection, db.papers.c.id, papers)
        found = self._connection.execute(select(db.papers.c.id).where(chosen, condition))
        return frozenset(PaperId(one) for one in found.scalars())

    def background(self, before: datetime, *, limit: int) -> list[str]:
        """Titles and abstracts of papers that count from before `before`, newest first."""
        found = self._connection.execute(
            select(db.papers.c.title, db.papers.c.abstract)
            .where(db.papers.c.counts_from < before, NOT_JOINED)
            .order_by(db.papers.c.counts_from.desc(), db.papers.c.id.desc())
            .limit(limit)
        )
        return [f"{title}\n{abstract}" for title, abstract in found]

    # --- writing -------------------------------------------------------------------------------

    def save(self, writes: Sequence[PaperWrite], *, now: datetime) -> dict[PaperId, PaperId]:
        """Insert and update papers; old texts are stored as versions.

        Returns the id of every provisional (negative) one. Raises Conflict if an identifier
        belongs to another paper.
        """
        new = [write for write in writes if write.is_new]
        old = [write for write in writes if not write.is_new]
        self._update(old, now)
        known = self._insert(new, now)
        titles = (write.paper.title for write in writes if write.is_new or write.text_changed)
        remember_words(self._connection, title_words(titles))
        return known

    def _insert(self, new: Sequence[PaperWrite], now: datetime) -> dict[PaperId, PaperId]:
        if not new:
            return {}
        ids = [PaperId(one) for one in next_ids(self._connection, db.papers, len(new))]
        rows = [
            {**_row_of(write, now), "id": id_, "first_seen_at": now}
            for id_, write in zip(ids, new, strict=True)
        ]
        insert_many(self._connection, insert_row(db.papers), rows)
        index_new(self._connection, ids[0], ids[-1])
        self._save_identifiers((id_, write.paper) for id_, write in zip(ids, new, strict=True))
        return {write.paper.id: id_ for write, id_ in zip(new, ids, strict=True)}

    def _update(self, old: Sequence[PaperWrite], now: datetime) -> None:
        if not old:
            return
        changing = [write.paper.id for write in old if write.text_changed]
        if changing:
            save_texts(self._connection, changing, now)
        rows = [  # the prefix avoids clashes with the UPDATE's own parameters
            {f"b_{name}": value for name, value in _row_of(write, now).items()}
            | {"b_id": write.paper.id}
            for write in old
        ]
        self._connection.execute(_UPDATE, rows)
        self._save_identifiers((write.paper.id, write.paper) for write in old)

    def _save_identifiers(self, papers: Iterable[tuple[PaperId, Paper]]) -> None:
        """Add the identifiers of papers. Raises Conflict if another paper has one of them; only a
        title key may belong to another paper, the first given."""
        claims = [(named, id_) for id_, paper in papers for named in paper.identifiers.items()]
        claims.sort(key=itemgetter(0))  # so that two writers cannot deadlock
        rows = [{"kind": kind, "value": value, "paper_id": id_} for (kind, value), id_ in claims]
        insert_many(self._connection, insert_new(self._connection, db.identifiers), rows)
        own = {named: id_ for named, id_ in claims if named[0] != TITLE_KEY}
        if self.find(own) != own:
            raise Conflict(
                "another run gave an identifier of these papers to another paper: try again"
            )

    def show_as(self, feed: FeedId, show: Show, *, now: datetime) -> None:
        """Show as much as `show` of the abstracts of papers that no feed but this one lists."""
        listed = db.listings.c
        mine = select(listed.paper_id).where(listed.feed_id == feed)
        elsewhere = exists().where(listed.paper_id == db.papers.c.id, listed.feed_id != feed)
        self._connection.execute(
            update(db.papers)
            .where(db.papers.c.id.in_(mine), ~elsewhere, db.papers.c.show != show.value)
            .values(show=show.value, changed_at=now)
        )

    def join(self, one: PaperJoin, *, now: datetime) -> None:
        """Join two papers and redirect one id.

        Raises Conflict if another process joined one of them meanwhile.
        """
        join(self._connection, one, now=now)
        self._update([PaperWrite(paper=one.paper, is_new=False, text_changed=False)], now)

    def keep_earlier(self, texts: Sequence[PaperText], *, now: datetime) -> None:
        """Store texts of earlier versions that are not stored yet."""
        if texts:
            keep_earlier(self._connection, texts, now)

    def also_called(self, keys: Sequence[tuple[PaperId, str]]) -> None:
        """Add title keys to papers; a key that another paper already has is not moved."""
        rows = [{"kind": TITLE_KEY, "value": key, "paper_id": paper} for paper, key in keys]
        rows.sort(key=itemgetter("value"))
        insert_many(self._connection, insert_new(self._connection, db.identifiers), rows)

    def list_papers(self, feed: FeedId, listings: Sequence[Listing], *, now: datetime) -> None:
        """Record that `feed` lists these papers; of two listings of one paper the last counts."""
        each = {one.paper_id: one for one in listings}
        seen = {"feed_id": feed, "first_seen_at": now, "last_seen_at": now}
        changed = ("listed_on", "fingerprint", "last_seen_at")
        statement = upsert(self._connection, db.listings, ("paper_id", "feed_id"), changed)
        insert_many(self._connection, statement, [columns_of(one) | seen for one in each.values()])
        require_current(self._connection, each.keys())

    def observe(self, feed: FeedId, observations: Sequence[tuple[PaperId, Observation]]) -> int:
        """Store observations and return how many were new; known keys stay unchanged."""
        rows = [
            {
                "paper_id": paper,
                "signal": one.signal,
                "captured_at": one.captured_at,
                "value": one.value,
                "feed_id": feed,
            }
            for paper, one in observations
        ]
        added = insert_many(self._connection, insert_new(self._connection, db.observations), rows)
        require_current(self._connection, {paper for paper, _ in observations})
        return added

    def forget_counts(self, *, before: datetime, limit: int) -> int:
        """Delete all but the last count of each signal of papers that count from before `before`.
        Handles up to `limit` pairs of paper and signal; returns the number of rows deleted."""
        c = db.observations.c
        last = func.max(c.captured_at).label("last")
        found = self._connection.execute(
            select(c.paper_id, c.signal, last)
            .join_from(db.observations, db.papers, db.papers.c.id == c.paper_id)
            .where(db.papers.c.counts_from < before)
            .group_by(c.paper_id, c.signal)
            .having(func.count() > 1)
            .limit(limit)
        ).all()
        return sum(
            self._connection.execute(
                delete(db.observations).where(
                    c.paper_id == row.paper_id, c.signal == row.signal, c.captured_at < row.last
                )
            ).rowcount
            for row in found
        )


def paper_of(row: Row[Any]) -> Paper:
    """The paper of a row of PAPER_COLUMNS."""
    return value_of(
        Paper,
        row,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        keywords=tuple(row.keywords),
        withdrawn=row.withdrawn_at is not None,
        withdrawn_by=tuple(row.withdrawn_by or ()),
        show=Show(row.show),
    )


def _row_of(write: PaperWrite, now: datetime) -> dict[str, Any]:
    """The columns that a write sets: all but `id` and `first_seen_at`."""
    paper = write.paper
    columns = columns_of(paper) | {
        "canonical": canonical(paper.identifiers),
        "title_key": paper.identifiers.get(TITLE_KEY, ""),
        "withdrawn_at": now if paper.withdrawn else None,
        "withdrawn_by": list(paper.withdrawn_by) or None,
        "show": paper.show.value,
        "changed_at": now,
    }
    del columns["id"], columns["withdrawn"]
    return columns


_RETIRED = ("raw_title", "raw_abstract")
"""Columns that the previous release still writes, and that nothing reads."""

_UPDATED = tuple(
    column.name
    for column in db.papers.c
    if column.name not in {"id", "first_seen_at", "withdrawn_at", *_RETIRED}
)

_WITHDRAWN_AT = bindparam("b_withdrawn_at", type_=db.papers.c.withdrawn_at.type)

_UPDATE = (
    update(db.papers)
    .where(db.papers.c.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}", type_=db.papers.c[name].type) for name in _UPDATED}
        | dict.fromkeys(_RETIRED, null())
        | {
            # Keep the date of the first withdrawal; clear it when the withdrawal ends.
            "withdrawn_at": case(
                (_WITHDRAWN_AT.is_(None), null()),
                else_=func.coalesce(db.papers.c.withdrawn_at, _WITHDRAWN_AT),
            )
        }
    )
)
