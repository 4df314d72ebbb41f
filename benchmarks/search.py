"""B15: search among many papers, against the bare top-20 query of the engine's own index.

Warm, one query after the other, the same queries for both; a query is one to three words, as people
type them. Ours also counts the matches, reorders the best, loads a page and cuts its excerpts.

SQLite has 100,000 papers. PostgreSQL takes longer to fill, so `./run bench` measures it with
20,000, where the fixed cost of a search weighs more and the bar is wider. `python -m
benchmarks.search` measures it with 100,000, which takes some minutes.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random

import psycopg
from sqlalchemy import make_url

from benchmarks.backfill import DURABLE, NoServer
from benchmarks.invented import as_jsonl, papers, store
from benchmarks.rounds import cost_exponent
from benchmarks.table import Bar, Measured, as_table
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.transactions import SqlDatabase
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.papers.search_service import search
from paperround.ranking.relevance import by_relevance
from tests.databases import PostgresServer, postgres_server

SIZES = (1_000, 10_000, 100_000)
SMALLER = (1_000, 5_000, 20_000)
BARS = {max(SIZES): Bar("at most", 2), max(SMALLER): Bar("at most", 2)}
QUERIES = 60
PAGE = 20
BARE_FTS5 = (
    "SELECT rowid FROM papers_search WHERE papers_search MATCH ?"
    " ORDER BY bm25(papers_search) LIMIT 20"
)
BARE_TS_RANK = (
    "SELECT id FROM papers, to_tsquery('paperround', %s) AS asked WHERE search @@ asked"
    " ORDER BY ts_rank(search, asked) DESC LIMIT 20"
)

Row = dict[str, object]
Ask = Callable[[str], object]
Filled = Callable[[Sequence[Row]], AbstractContextManager[tuple[SqlDatabase, Ask]]]
"""Given papers: a database with them, and a function that runs the bare query on its index."""


def speed_of_search() -> list[Measured]:
    """The 95th percentile against that of the bare query, and how both grow with the papers."""
    return _measured("FTS5", SIZES, in_sqlite)


def speed_of_search_on_postgres(sizes: Sequence[int] = SMALLER) -> list[Measured]:
    """The same on PostgreSQL; empty without a PostgreSQL to start."""
    try:
        with postgres_server(DURABLE) as server:
            return _measured("ts_rank", sizes, partial(in_postgres, server))
    except NoServer as reason:
        print(f"B15 on PostgreSQL is left out: {reason}")
        return []


def _measured(peer: str, sizes: Sequence[int], filled: Filled) -> list[Measured]:
    rows = papers(max(sizes))
    ours: dict[int, float] = {}
    for size in sorted(sizes):
        with filled(rows[:size]) as (database, bare):
            taken, bare_taken = in_turns(queries(rows[:size]), partial(_ours, database), bare)
            ours[size] = statistics.median(taken)
    shown = ", ".join(f"{size:,}: {1e3 * taken:.1f} ms" for size, taken in ours.items())
    return [
        Measured(
            id="B15",
            measure=f"search of {max(sizes):,} papers, p95 / bare {peer} top 20, p95",
            value=slowest_twentieth(taken) / slowest_twentieth(bare_taken),
            bar=BARS.get(max(sizes), BARS[max(SIZES)]),
        ),
        Measured(
            id="B15",
            measure=f"growth of a search beside {peer}: exponent ({shown})",
            value=cost_exponent(ours),
            bar=Bar("at most", 1.05),
        ),
    ]


@contextmanager
def in_sqlite(rows: Sequence[Row]) -> Iterator[tuple[SqlDatabase, Ask]]:
    """The papers in an SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "paperround.db")
        with (
            _opened(f"sqlite:///{path}", rows) as database,
            closing(sqlite3.connect(path)) as connection,
        ):
            yield database, partial(_bare_fts5, connection)


@contextmanager
def in_postgres(server: PostgresServer, rows: Sequence[Row]) -> Iterator[tuple[SqlDatabase, Ask]]:
    """The papers in a PostgreSQL database, vacuumed and analysed as by autovacuum."""
    with server.created() as url, _opened(url, rows) as database:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            yield database, partial(_bare_ts_rank, connection)


@contextmanager
def _opened(url: str, rows: Sequence[Row]) -> Iterator[SqlDatabase]:
    engine = engines.create(url)
    migrate.upgrade(engine)
    database = SqlDatabase(engine)
    try:
        store(read_jsonl(as_jsonl(list(rows))), database)
        yield database
    finally:
        database.close()


def queries(rows: Sequence[Row]) -> list[str]:
    """Queries of one to three words of titles, the same ones every time."""
    chance = Random(15)  # noqa: S311 - the same queries every time
    words = [word.lower() for row in rows[:1000] for word in str(row["title"]).split()]
    return [" ".join(chance.sample(words, number % 3 + 1)) for number in range(QUERIES)]


def in_turns(words: Sequence[str], *contenders: Ask) -> list[list[float]]:
    """The seconds of each contender for each query, after a round that does not count."""
    taken: list[list[float]] = [[] for _ in contenders]
    for counts in (False, True):
        for one in words:
            for ask, seconds in zip(contenders, taken, strict=True):
                begin = time.perf_counter()
                ask(one)
                if counts:
                    seconds.append(time.perf_counter() - begin)
    return taken


def slowest_twentieth(seconds: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


def _ours(database: SqlDatabase, words: str) -> object:
    return search(database, by_relevance, words, limit=PAGE)


def _bare_fts5(connection: sqlite3.Connection, words: str) -> object:
    said = " OR ".join(f'"{word}"' for word in words.split())
    return connection.execute(BARE_FTS5, (said,)).fetchall()


def _bare_ts_rank(connection: psycopg.Connection[tuple[object, ...]], words: str) -> object:
    said = " | ".join(f"'{word}'" for word in words.split())
    return connection.execute(BARE_TS_RANK.encode(), (said,)).fetchall()


if __name__ == "__main__":
    print(as_table(speed_of_search_on_postgres(SIZES)))
