"""The move itself: looked at first, then copied, compared and handed over."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table

from paperround.domain.errors import Conflict, DatabaseFailed, InvalidInput
from paperround.domain.times import format_instant
from paperround.store import engine as engines
from paperround.store import revisions
from paperround.store.moving import reading
from paperround.store.moving.arrival import Advance, Arrived, Target, counted_and_summed
from paperround.store.moving.departure import arrive, depart
from paperround.store.moving.lines import Form, form_of
from paperround.store.moving.marks import MOVED, Mark
from paperround.store.moving.reading import NUL, Misfit, Source, key_of
from paperround.store.schema import metadata


def no_progress(_: int) -> None:
    """Nobody wants to know."""


CHUNK = 20_000
"""Rows of one transaction: as many at most are copied again after a kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTable:
    """A table that has arrived: the same rows here as there."""

    name: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a move would find: rows by table, columns with a NUL that is replaced, and tables that
    are not Paperround's and stay behind."""

    rows: dict[str, int]
    nuls: Sequence[Misfit] = ()
    left_behind: Sequence[str] = ()

    @property
    def total(self) -> int:
        """How many rows there are in all."""
        return sum(self.rows.values())


@dataclass(frozen=True)
class Moving:
    """A move of the installation in `source`; `mark` is that of one that began already."""

    source: Source
    target: Target
    mark: Mark | None = None
    is_done: bool = False
    tables: tuple[Table, ...] = field(default_factory=lambda: tuple(metadata.sorted_tables))

    def look(self, advance: Advance = no_progress, *, replace_nul: bool = False) -> Look:
        """Look at every row, and change nothing.

        Raises UnreadableFile when the source is damaged, and InvalidInput when PostgreSQL cannot
        hold a value: a NUL can be replaced.
        """
        if self.mark is None:  # since then nobody could change it
            self.source.require_sound()
        rows = {table.name: self.source.count(table) for table in self.tables}
        misfits: list[Misfit] = []
        for table in self.tables:
            misfits += self.source.misfits(table) if rows[table.name] else []
            advance(rows[table.name])
        _require_fit(misfits, replace_nul)
        return Look(rows=rows, nuls=misfits, left_behind=self.source.unknown_tables())

    def begin(self, *, now: datetime) -> Mark:
        """Let the old installation refuse everybody, and make the new database ready.

        Raises Conflict when something still has the old one open.
        """
        mark = self.mark
        if mark is None:
            mark = Mark(
                id=secrets.token_hex(8),
                place=self.target.place,
                began_at=format_instant(now),
                revision=revisions.head(),
            )
            self.source.close()
            depart(self.source.file, mark)
        if self.target.mark() is None:
            place = str(self.source.file.resolve())
            self.target.begin(
                Mark(id=mark.id, place=place, began_at=mark.began_at, revision=mark.revision)
            )
        return mark

    def copy(self, look: Look, advance: Advance = no_progress) -> None:
        """Copy what has not arrived yet."""
        for table in self.tables:
            form = form_of(table, replace_nul=bool(look.nuls))
            advance(self.target.arrived(table).rows)
            moved = CHUNK if self.source.count(table) else 0
            while moved == CHUNK:
                moved = self._copy_chunk(table, form)
                advance(moved)

    def _copy_chunk(self, table: Table, form: Form) -> int:
        """Copy the next rows of a table; returns how many: fewer than `CHUNK` at its end."""
        before = so_far = self.target.arrived(table)
        read = closing(self.source.rows(table, before.after, CHUNK))
        with read as batches, self.target.taking_in(form) as intake:

            def blocks() -> Iterator[bytes]:
                nonlocal so_far
                for rows in batches:
                    lines = form.lines(rows)
                    so_far = so_far.and_then(
                        len(rows), form.checksum(rows, lines), key_of(table, rows[-1])
                    )
                    yield b"".join(lines)

            intake.copy(blocks())
            intake.note(so_far)
        return so_far.rows - before.rows

    def compare(self, advance: Advance = no_progress) -> list[MovedTable]:
        """Read every row back. Raises DatabaseFailed when a table is not as it was: counted in
        both databases, and summed as it was sent and as it stands."""
        return [self._compared(table, advance) for table in self.tables]

    def _compared(self, table: Table, advance: Advance) -> MovedTable:
        sent, found = self.target.arrived(table), Arrived()
        for now_at in counted_and_summed(self.target.reading_back(form_of(table))):
            advance(now_at.rows - found.rows)
            found = now_at
        there = self.source.count(table)
        if not there == sent.rows == found.rows:
            raise DatabaseFailed(
                f"{table.name} has {there:,} rows, and {found.rows:,} arrived: the move has not "
                "ended, and the old database still refuses; `paperround db move --undo` goes back"
            )
        if sent.checksum != found.checksum:
            raise DatabaseFailed(
                f"rows of {table.name} are not what was sent: the move has not ended, and the old "
                "database still refuses; `paperround db move --undo` goes back"
            )
        return MovedTable(name=table.name, rows=there, checksum=f"{found.checksum:032x}")

    def hand_over(self, mark: Mark, *, now: datetime) -> None:
        """The old database is left first: never can both be worked with."""
        last_ids = {
            table.name: self.source.last_id(table) for table in self.tables if "id" in table.c
        }
        self.source.close()
        arrive(self.source.file)
        self.target.open(mark, last_ids, now=now)


@contextmanager
def between(file: Path, url: str) -> Iterator[Moving]:
    """A move from the SQLite `file` to the PostgreSQL database at `url`, as far as it is. Nothing
    is changed, and no other move into that database goes on meanwhile.

    Raises InvalidInput when one of them is no such database; Conflict when the other one is not
    empty, or another move stands in the way; SchemaOutOfDate when they are not at this version's
    revision; Misconfigured when it cannot be reached.
    """
    with engines.opened(url) as engine, reading.opened(file) as source:
        if engine.dialect.name != "postgresql":
            raise InvalidInput("name the database to move to: postgresql://USER@HOST/NAME")
        state, mark = source.state()
        revisions.require_reachable(engine)
        target = Target(engine)
        with target.alone():
            is_done = state == MOVED and mark is not None and target.is_made_by(mark.id)
            if not is_done:
                _require_one_move(source, target, state, mark)
            yield Moving(source, target, mark, is_done)


def _require_one_move(source: Source, target: Target, state: str, mark: Mark | None) -> None:
    """The two belong to one move, or to none and the target is empty."""
    there = target.mark()
    if there is None and state == MOVED and mark is not None:
        raise Conflict(
            f"{source.file} was moved to {mark.place} already, "
            f"and nothing of that is in {target.place}: "
            "put a dump of that database back. `paperround db move --undo` returns to the file "
            "instead, without what happened since, and holds back what may have been sent"
        )
    if there is None and mark is not None and mark.place != target.place:
        raise Conflict(
            f"a move of {source.file} to {mark.place} has begun: run it again with that database, "
            "or `paperround db move --undo` first"
        )
    if there is not None and (mark is None or there.id != mark.id):
        raise Conflict(
            f"{target.place} holds a part of another move, of {there.place}, that began at "
            f"{there.began_at}: drop it and make it anew (`dropdb`, `createdb`), or name another"
        )
    if there is None:
        target.require_vacant()


def _require_fit(misfits: Sequence[Misfit], replace_nul: bool) -> None:
    wrong = [one for one in misfits if one.what != NUL]
    if wrong:
        raise InvalidInput(
            f"PostgreSQL cannot hold {_listed(wrong)}: Paperround never writes that, so mend these "
            "rows first"
        )
    if misfits and not replace_nul:
        raise InvalidInput(
            f"PostgreSQL cannot hold {_listed(misfits)}: `--replace-nul` puts the sign \ufffd in "
            "the place of each, in the copy alone"
        )


def _listed(misfits: Sequence[Misfit]) -> str:
    more = f" and {len(misfits) - 3} more columns" if len(misfits) > 3 else ""
    return "; ".join(map(str, misfits[:3])) + more
