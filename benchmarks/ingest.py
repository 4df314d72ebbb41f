"""B7 and B8: papers from a file into SQLite, against writing the same rows and nothing else."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.rounds import interleaved, speed_ratio
from benchmarks.table import Bar, Measured
from paperround.jobs.ports import Database
from paperround.sources.jsonl import read_jsonl
from paperround.store import engine as engines
from paperround.store.migrate import prepare
from paperround.store.unit_of_work import SqlDatabase

PAPERS = 5000
ROUNDS = 3
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
    """First ingest of JSON lines against a raw upsert of the same rows; and a second ingest."""
    rows = papers(PAPERS)
    content = as_jsonl(rows)
    with fresh_database() as kept:
        store(read_jsonl(content), kept)

        def first() -> None:
            with fresh_database() as database:
                store(read_jsonl(content), database)

        contenders = {
            "first": first,
            "again": lambda: store(read_jsonl(content), kept),
            "raw": lambda: _raw_upsert(rows),
        }
        rounds = interleaved(contenders, rounds=ROUNDS)
    per_second = PAPERS / sorted(rounds["first"])[ROUNDS // 2]
    return [
        Measured(
            id="B7",
            measure=f"ingest JSONL / raw executemany upsert ({per_second:,.0f} papers a second)",
            value=speed_ratio(rounds, "first", "raw"),
            bar=Bar("at least", 0.2),
        ),
        Measured(
            id="B8",
            measure="re-ingest of an unchanged file / first ingest",
            value=speed_ratio(rounds, "again", "first"),
            bar=Bar("at least", 3),
        ),
    ]


@contextmanager
def fresh_database() -> Iterator[Database]:
    """An empty, migrated SQLite database that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.create(f"sqlite:///{folder}/paperround.db")
        prepare(engine)
        database = SqlDatabase(engine)
        with database.writing() as work:
            work.lists.ensure_default(zone="UTC", now=NOW)
        try:
            yield database
        finally:
            database.close()


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
