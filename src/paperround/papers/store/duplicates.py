"""Join two papers: move the rows of one to the other and redirect its id. Store paper versions.

Editions and the record of sent papers keep the ids they were frozen with; `current` maps these to
today's papers.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, literal, select, update

from paperround.core.errors import Conflict
from paperround.db.dialect import column_in, insert_new, insert_row, upsert
from paperround.db.driver import insert_many
from paperround.db.mapping import columns_of
from paperround.db.schema import tables as db
from paperround.papers.merge import REMEMBERED, PaperJoin
from paperround.papers.model import PaperId, PaperText

NOT_JOINED = (
    ~select(db.joined_papers.c.paper_id)
    .where(db.joined_papers.c.paper_id == db.papers.c.id)
    .correlate(db.papers)
    .exists()
)
"""The paper is not joined into another."""

_OPPOSITES = ("more", "less")
_FEEDBACK = ("subscriber_id", "delivery_id", "verdict", "created_at", "note", "collections")
_OBSERVATION = ("signal", "captured_at", "value", "feed_id")
_REFERENCE = ("kind", "value")


def current(connection: Connection, papers: Collection[PaperId]) -> dict[PaperId, PaperId]:
    """Today's ids of those of `papers` that were joined into another."""
    if not papers:
        return {}
    c = db.joined_papers.c
    found = select(c.paper_id, c.into_id).where(column_in(connection, c.paper_id, papers))
    return {PaperId(old): PaperId(new) for old, new in connection.execute(found)}


def groups(connection: Connection) -> dict[PaperId, frozenset[PaperId]]:
    """All ids of a work, by each id of the few works that have several."""
    by_paper: dict[int, set[PaperId]] = {}
    joins = select(db.joined_papers.c.paper_id, db.joined_papers.c.into_id)
    for gone, kept in connection.execute(joins).all():
        by_paper.setdefault(kept, {PaperId(kept)}).add(PaperId(gone))
    whole = [frozenset(ids) for ids in by_paper.values()]
    return {one: ids for ids in whole for one in ids}


def require_current(connection: Connection, papers: Collection[PaperId]) -> None:
    """Raise Conflict if another process joined one of `papers` since you looked them up.

    Call this after writing rows that refer to them: from then on no other transaction can join
    them until yours ends. SQLite has a single writer, so it needs no check.
    """
    if connection.dialect.name == "postgresql" and current(connection, papers):
        raise Conflict("another run joined these papers: try again")


def join(connection: Connection, one: PaperJoin, *, now: datetime) -> None:
    """Move all rows to the remaining paper; save the paper's own values after this.

    Locks the other paper, which waits for transactions that refer to it; a later one gets a
    Conflict from `require_current`.
    """
    kept, gone = one.paper.id, one.gone
    gone_row = select(db.papers.c.id).where(db.papers.c.id == gone).with_for_update()
    connection.execute(gone_row).scalar_one()
    require_current(connection, [kept, gone])
    if one.lost is not None:
        save_texts(connection, [one.lost], now, under=kept)
    for table in (db.identifiers, db.paper_versions):
        _redirect(connection, table.c.paper_id, gone, kept)
    _move_rows(connection, db.observations, _OBSERVATION, gone, kept)
    _move_rows(connection, db.paper_references, _REFERENCE, gone, kept)
    _merge_saved(connection, gone, kept)
    _move_rows(connection, db.feedback, _FEEDBACK, gone, kept)
    _delete_revoked_feedback(connection, kept)
    _merge_listings(connection, gone, kept)
    _redirect(connection, db.joined_papers.c.into_id, gone, kept)
    connection.execute(insert(db.joined_papers).values(paper_id=gone, into_id=kept, joined_at=now))


def _redirect(connection: Connection, column: Any, gone: PaperId, kept: PaperId) -> None:
    moving = update(column.table).where(column == gone).values({column.name: kept})
    connection.execute(moving)


def _move_rows(
    connection: Connection, table: Any, columns: tuple[str, ...], gone: PaperId, kept: PaperId
) -> None:
    """Move rows to the other paper; of two rows with one key, keep that of the older paper."""
    of_gone = table.c.paper_id == gone
    found = connection.execute(select(*(table.c[name] for name in columns)).where(of_gone))
    rows = [{"paper_id": kept, **row} for row in found.mappings()]
    insert_many(connection, insert_new(connection, table), rows)
    connection.execute(delete(table).where(of_gone))


def _merge_saved(connection: Connection, gone: PaperId, kept: PaperId) -> None:
    """Where a subscriber saved both papers, give the row that stays both notes and all collections,
    so that joining loses nothing they wrote."""
    c = db.feedback.c
    saved = select(c.id, c.subscriber_id, c.note, c.collections).where(c.verdict == "save")
    of_kept = {
        row.subscriber_id: row for row in connection.execute(saved.where(c.paper_id == kept))
    }
    for row in connection.execute(saved.where(c.paper_id == gone)).all():
        stays = of_kept.get(row.subscriber_id)
        if stays is None or not (row.note or row.collections):
            continue
        notes = dict.fromkeys(filter(None, (stays.note, row.note)))
        named = dict.fromkeys((*(stays.collections or ()), *(row.collections or ())))
        values = {"note": "\n\n".join(notes) or None, "collections": list(named) or None}
        connection.execute(update(db.feedback).where(c.id == stays.id).values(values))


def _delete_revoked_feedback(connection: Connection, paper: PaperId) -> None:
    """Of opposite verdicts by one subscriber on the two papers, keep the last."""
    c = db.feedback.c
    opposed = select(c.id, c.subscriber_id).where(c.paper_id == paper, c.verdict.in_(_OPPOSITES))
    found = connection.execute(opposed.order_by(c.created_at, c.id)).all()
    last = {subscriber: id_ for id_, subscriber in found}
    revoked = [id_ for id_, subscriber in found if last[subscriber] != id_]
    connection.execute(delete(db.feedback).where(column_in(connection, c.id, revoked)))


def _merge_listings(connection: Connection, gone: PaperId, kept: PaperId) -> None:
    """Merge the listings of a feed that listed both papers."""
    both = db.listings.c.paper_id.in_([gone, kept])
    found = connection.execute(select(db.listings).where(both).with_for_update()).all()
    by_feed: dict[int, list[Row[Any]]] = {}
    for row in sorted(found, key=lambda row: (row.last_seen_at, row.paper_id != kept)):
        by_feed.setdefault(row.feed_id, []).append(row)
    connection.execute(delete(db.listings).where(both))
    merged = [_merge_listing(rows, kept) for rows in by_feed.values()]
    changed = ("listed_on", "fingerprint", "first_seen_at", "last_seen_at")
    insert_many(
        connection, upsert(connection, db.listings, ("paper_id", "feed_id"), changed), merged
    )


def _merge_listing(rows: list[Row[Any]], kept: PaperId) -> Mapping[str, Any]:
    """One listing of one or two, given in the order they were last seen."""
    prints = [word for row in rows for word in row.fingerprint.split(" ") if word]
    return {
        "paper_id": kept,
        "feed_id": rows[0].feed_id,
        "listed_on": rows[-1].listed_on,
        "fingerprint": " ".join(prints[-REMEMBERED:]),
        "first_seen_at": min(row.first_seen_at for row in rows),
        "last_seen_at": rows[-1].last_seen_at,
    }


_TEXTS = ("title", "abstract", "version")


def save_texts(
    connection: Connection,
    papers: Collection[PaperId],
    now: datetime,
    *,
    under: PaperId | None = None,
) -> None:
    """Store the current texts of `papers` as versions of each, or of the paper `under`."""
    texts = [db.papers.c[name] for name in _TEXTS]
    whose = db.papers.c.id if under is None else literal(under, db.papers.c.id.type)
    replaced = select(whose, *texts, literal(now, db.paper_versions.c.replaced_at.type)).where(
        column_in(connection, db.papers.c.id, papers)
    )
    names = ["paper_id", *_TEXTS, "replaced_at"]
    connection.execute(insert(db.paper_versions).from_select(names, replaced))


def keep_earlier(connection: Connection, texts: Sequence[PaperText], now: datetime) -> None:
    """Store texts of versions that their papers do not have yet; of duplicates the first."""
    papers = {one.paper_id for one in texts}
    own, kept = db.papers.c, db.paper_versions.c
    there = {
        (paper, number)
        for id_, version in ((own.id, own.version), (kept.paper_id, kept.version))
        for paper, number in connection.execute(
            select(id_, version).where(column_in(connection, id_, papers))
        )
    }
    missing = {(one.paper_id, one.version): one for one in reversed(texts)}
    rows = [
        columns_of(one) | {"replaced_at": now}
        for key, one in reversed(missing.items())
        if key not in there
    ]
    insert_many(connection, insert_row(db.paper_versions), rows)
