"""B7 and B8: papers from a file into SQLite, against only writing the same rows.

Measured with the search index, as in production, and without it: then its table is a view that
accepts any row.
"""

import gc
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.invented import NOW, as_atom, as_jsonl, papers, store
from benchmarks.rounds import Rounds, interleaved, speed_ratio
from benchmarks.table import Bar, Measured
from paperround.db import engine as engines
from paperround.db.revisions import prepare
from paperround.db.transactions import Database, SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.feeds.formats.arxiv import read_arxiv_atom
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.formats.registry import Reader

PAPERS = 5000
ROUNDS = 5
RAW_TABLE = (
    "CREATE TABLE papers (id TEXT PRIMARY KEY, title TEXT, summary TEXT, authors TEXT,"
    " categories TEXT, listed_on TEXT, published_at TEXT)"
)
RAW_UPSERT = (
    "INSERT INTO papers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
    " title = excluded.title, summary = excluded.summary, authors = excluded.authors,"
    " categories = excluded.categories, listed_on = excluded.listed_on,"
    " published_at = excluded.published_at"
)


def ingest_speed() -> list[Measured]:
    """First ingest of a file against a raw upsert of the same rows; and a second ingest."""
    rows = papers(PAPERS)
    lines, atom = as_jsonl(rows), as_atom(rows)
    with empty_file() as empty, copy_of(empty) as kept:
        store(read_jsonl(lines), kept)

        def first(read: Reader, content: bytes) -> None:
            with copy_of(empty) as database:
                batch = read(content)
                gc.freeze()  # as the command does
                store(batch, database)

        contenders = {
            "jsonl": lambda: first(read_jsonl, lines),
            "again": lambda: store(read_jsonl(lines), kept),
            "raw": lambda: _raw_upsert(rows),
            "atom": lambda: first(read_arxiv_atom, atom),
        }
        rounds = interleaved(contenders, rounds=ROUNDS)
    return [
        _against_raw(rounds, "jsonl", "jsonl", Bar("at least", 0.1)),
        _against_raw(rounds, "atom", "atom", Bar("at least", 0.08)),
        Measured(
            id="B8",
            measure="re-ingest of an unchanged file / first ingest",
            value=speed_ratio(rounds, "again", "jsonl"),
            bar=Bar("at least", 3),
        ),
    ]


def _against_raw(rounds: Rounds, ours: str, words: str, bar: Bar) -> Measured:
    per_second = PAPERS / median(rounds[ours])
    return Measured(
        id="B7",
        measure=f"ingest {words} / raw executemany upsert ({per_second:,.0f} papers a second)",
        value=speed_ratio(rounds, ours, "raw"),
        bar=bar,
    )


@contextmanager
def empty_file() -> Iterator[Path]:
    """A migrated SQLite file to copy, so that no contender's time includes creating it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "paperround.db")
        engine = engines.create(f"sqlite:///{path}")
        prepare(engine)
        database = SqlDatabase(engine)
        with database.writing() as work:
            work[ListStore].ensure_default(zone="UTC", now=NOW)
        database.close()
        yield path


@contextmanager
def opened(file: Path) -> Iterator[Database]:
    """The database in `file`."""
    database = SqlDatabase(engines.create(f"sqlite:///{file}"))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def fresh_database() -> Iterator[Database]:
    """An empty, migrated SQLite database, deleted afterwards."""
    with empty_file() as empty, copy_of(empty) as database:
        yield database


@contextmanager
def copy_of(empty: Path) -> Iterator[Database]:
    """A database in a copy of the file `empty`, deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty, folder)
        with opened(Path(folder, empty.name)) as database:
            yield database


def _raw_upsert(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "raw.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(RAW_TABLE)
        with connection:
            connection.executemany(RAW_UPSERT, map(_flat, rows))
        connection.close()


def _flat(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(json.dumps(value) if isinstance(value, list) else value for value in row.values())
