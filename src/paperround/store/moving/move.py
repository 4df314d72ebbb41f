"""The move itself: looked at first, then copied, counted and handed over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from paperround.domain.errors import Conflict, DatabaseFailed, InvalidInput
from paperround.domain.times import format_instant
from paperround.store import engine as engines
from paperround.store import revisions
from paperround.store.moving.marks import Mark
from paperround.store.moving.source import Source, alone
from paperround.store.moving.target import Intake, Target
from paperround.store.schema import metadata

Advance = Callable[[int], None]
Row = tuple[Any, ...]

REPORTED = 1000
"""Rows after which progress is reported."""


def no_progress(_: int) -> None:
    """Report no progress."""


@dataclass
class Moving:
    """A move of the installation in `source` into `target`."""

    source: Source
    target: Target
    is_copied: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the file was moved to this database, and it works."""
        mark = self.source.mark
        return (
            mark is not None
            and mark.place == self.target.place
            and self.target.holds_an_installation()
        )

    def look(self) -> dict[str, int]:
        """How many rows there are, by table. Changes nothing. Raises UnreadableFile when the file
        is damaged, and Conflict when the database is not empty."""
        self._require_one_move()
        self.source.require_sound()
        return {table.name: self.source.count(table) for table in metadata.sorted_tables}

    def copy(
        self, advance: Advance = no_progress, *, now: datetime, replace_nul: bool = False
    ) -> None:
        """Copy every table in one transaction. Raises InvalidInput when PostgreSQL cannot hold a
        value; both databases are as before then. Where the file was left already, nothing is to
        be copied."""
        self.is_copied = True
        if self.source.mark is not None:
            return
        with self.target.filling(self._mark(self.source.file.resolve(), now)) as intake:
            for table in metadata.sorted_tables:
                rows = counting(self.source.rows(table), advance)
                intake.copy(table, rows, replace_nul=replace_nul)
            self._require_all(intake)
            intake.give_ids_above(
                {
                    table.name: self.source.last_id(table)
                    for table in metadata.sorted_tables
                    if "id" in table.c
                }
            )
        self.source.leave(self._mark(self.target.place, now))

    def _mark(self, place: object, now: datetime) -> Mark:
        return Mark(place=str(place), began_at=format_instant(now), revision=revisions.head())

    def _require_all(self, intake: Intake) -> None:
        for table in metadata.sorted_tables:
            there, here = self.source.count(table), intake.count(table)
            if there != here:
                raise DatabaseFailed(
                    f"{table.name} has {there:,} rows, and {here:,} arrived: nothing was moved"
                )

    def _require_one_move(self) -> None:
        """The two belong to one move, or to none and the target is empty."""
        left, there = self.source.mark, self.target.mark()
        if left is not None and (there is None or left.place != self.target.place):
            raise Conflict(
                f"{self.source.file} was moved to {left.place} already, and nothing of that is in "
                f"{self.target.place}: put a dump of that database back, or restore a "
                "backup of the file from before the move"
            )
        if there is None:
            self.target.require_vacant()
        elif there.place != str(self.source.file.resolve()):
            raise Conflict(
                f"{self.target.place} holds a part of another move, of {there.place}, that began "
                f"at {there.began_at}: drop it and make it anew (`dropdb`, `createdb`), or name "
                "another"
            )


@contextmanager
def between(file: Path, url: str, *, now: datetime) -> Iterator[Moving]:
    """A move from the SQLite `file` to the PostgreSQL database at `url`, while nobody else uses
    the file and no other move goes there. At the end either both are as they were, or the rows
    were copied, the file refuses to work and the database works.

    Raises InvalidInput when one of them is no such database; Conflict when the file is in use;
    SchemaOutOfDate when it is not at this version's revision; Misconfigured when the database
    cannot be reached.
    """
    with engines.opened(url) as engine:
        if engine.dialect.name != "postgresql":
            raise InvalidInput("name the database to move to: postgresql://USER@HOST/NAME")
        revisions.require_reachable(engine)
        target = Target(engine)
        with target.alone():
            with alone(file) as source:
                moving = Moving(source, target)
                yield moving
            if moving.is_copied:
                target.open(now=now)


def counting(rows: Iterator[Row], advance: Advance) -> Iterator[Row]:
    """`rows`, with their number reported from time to time."""
    number = 0
    for row in rows:
        yield row
        number += 1
        if number % REPORTED == 0:
            advance(REPORTED)
    advance(number % REPORTED)
