"""B15: search among 100,000 papers, against the bare top-20 query of the engine's own index.

Warm, one query after the other, the same queries for both; a query is one to three words, as people
type them. Ours also counts what fits, puts the best in order, loads a page and cuts its excerpts.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.invented import as_jsonl, papers, store
from benchmarks.rounds import cost_exponent
from benchmarks.table import Bar, Measured
from paperround.jobs.search import search
from paperround.ranking.relevance import by_relevance
from paperround.sources.jsonl import read_jsonl
from paperround.store import engine as engines
from paperround.store.migrate import prepare
from paperround.store.unit_of_work import SqlDatabase

SIZES = (1_000, 10_000, 100_000)
QUERIES = 60
PAGE = 20
BARE = (
    "SELECT rowid FROM papers_search WHERE papers_search MATCH ?"
    " ORDER BY bm25(papers_search) LIMIT 20"
)

Ask = Callable[[str], object]


def speed_of_search() -> list[Measured]:
    """The slowest twentieth against the bare query, and how both grow with the papers."""
    rows = papers(max(SIZES))
    ours: dict[int, float] = {}
    for size in SIZES:
        with filled(rows[:size]) as (path, database):
            ask = partial(_ours, database)
            words = queries(rows[:size])
            with closing(sqlite3.connect(path)) as connection:
                own, bare = in_turns(words, ask, partial(_bare, connection))
            ours[size] = statistics.median(own)
    ratio = slowest_twentieth(own) / slowest_twentieth(bare)
    shown = ", ".join(f"{1e3 * ours[size]:.1f}" for size in SIZES)
    return [
        Measured(
            id="B15",
            measure=f"search of {max(SIZES):,} papers, p95 / bare FTS5 top 20, p95",
            value=ratio,
            bar=Bar("at most", 2),
        ),
        Measured(
            id="B15",
            measure=f"search of 1,000, 10,000, 100,000 papers: exponent ({shown} ms)",
            value=cost_exponent(ours),
            bar=Bar("at most", 1.05),
        ),
    ]


@contextmanager
def filled(rows: list[dict[str, object]]) -> Iterator[tuple[Path, SqlDatabase]]:
    """A database that holds the papers, and its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "paperround.db")
        engine = engines.create(f"sqlite:///{path}")
        prepare(engine)
        database = SqlDatabase(engine)
        try:
            store(read_jsonl(as_jsonl(rows)), database)
            yield path, database
        finally:
            database.close()


def queries(rows: Sequence[dict[str, object]]) -> list[str]:
    """Queries of one to three words of titles, the same ones every time."""
    chance = Random(15)  # noqa: S311 - the same queries every time
    words = [word.lower() for row in rows[:1000] for word in str(row["title"]).split()]
    return [" ".join(chance.sample(words, number % 3 + 1)) for number in range(QUERIES)]


def in_turns(words: Sequence[str], *contenders: Ask) -> list[list[float]]:
    """The seconds of each contender for each query, after a round that is not counted."""
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


def _bare(connection: sqlite3.Connection, words: str) -> object:
    said = " OR ".join(f'"{word}"' for word in words.split())
    return connection.execute(BARE, (said,)).fetchall()
