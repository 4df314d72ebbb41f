"""B9: parsed records into PostgreSQL, against COPY of the same rows into the same tables.

The benchmark starts its own server, which syncs every commit. It measures the whole step (texts
repaired, papers merged, a transaction every two thousand records), and the store alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.types.string import TextLoader
from sqlalchemy import Engine, make_url, text

from benchmarks.invented import NOW, as_jsonl, papers, store
from benchmarks.rounds import interleaved, speed_ratio
from benchmarks.table import Bar, Measured
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.transactions import Database, SqlDatabase
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.ingest import CHUNK
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.merge import key_of, new_paper, repaired
from paperround.papers.model import FeedId, Listing, PaperId, PaperWrite, ParsedBatch
from paperround.papers.store.papers import PaperStore
from tests.databases import postgres_server

PAPERS, POLLED = 5000, 500
ROUNDS = 5
DURABLE = "-c listen_addresses='' -c shared_buffers=128MB"
NoServer = pytest.skip.Exception
TABLES = ("papers", "identifiers", "listings")
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def store_speed() -> list[Measured]:
    """A back-fill and a poll; empty without a PostgreSQL to start."""
    try:
        with postgres_server(DURABLE) as server, server.created() as url, _opened(url) as engine:
            return _measured(_Store(engine, url))
    except NoServer as reason:
        print(f"B9 is left out: {reason}")
        return []


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = engines.create(url)
    migrate.upgrade(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _measured(home: "_Store") -> list[Measured]:
    everything = read_jsonl(as_jsonl(papers(PAPERS)))
    poll = ParsedBatch(records=everything.records[:POLLED])
    return [*_lines(home, "back-fill", everything, 0.6), *_lines(home, "poll", poll, 0.3)]


def _lines(home: "_Store", what: str, batch: ParsedBatch, bound: float) -> list[Measured]:
    home.empty()
    store(batch, home.database)
    rows, writes = home.rows(), _writes(batch)
    contenders: dict[str, Callable[[], object]] = {
        "the store alone": lambda: home.save(writes, batch),
        "repair, merge and store": lambda: store(batch, home.database),
        "COPY": lambda: home.copy(rows),
    }
    rounds = interleaved(contenders, rounds=ROUNDS, before=home.empty)
    return [
        Measured(
            id="B9",
            measure=f"PostgreSQL, {what} of {len(batch.records):,}: {name} / COPY",
            value=speed_ratio(rounds, name, "COPY"),
            bar=Bar("at least", bound),
        )
        for name in contenders
        if name != "COPY"
    ]


def _writes(batch: ParsedBatch) -> list[PaperWrite]:
    return [
        new_paper(PaperId(-1 - number), record, key_of(record), NOW)
        for number, record in enumerate(map(repaired, batch.records))
    ]


@dataclass(frozen=True)
class _Store:
    engine: Engine
    url: str

    @property
    def database(self) -> Database:
        return SqlDatabase(self.engine)

    def empty(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("TRUNCATE papers, runs CASCADE"))

    def save(self, writes: Sequence[PaperWrite], batch: ParsedBatch) -> None:
        """The store's part of an ingest, with the writes decided beforehand."""
        for start in range(0, len(writes), CHUNK):
            with self.database.writing() as work:
                feed = work[FeedStore].get_or_create("file:jsonl", "file", now=NOW)
                real = work[PaperStore].save(writes[start : start + CHUNK], now=NOW)
                carried = zip(real.values(), batch.records[start : start + CHUNK], strict=True)
                listings = [
                    Listing(paper_id=paper, fingerprint=one.fingerprint, listed_on=one.listed_on)
                    for paper, one in carried
                ]
                work[PaperStore].list_papers(FeedId(feed.id), listings, now=NOW)

    def rows(self) -> Rows:
        """The rows that an ingest wrote to the tables, as Python values."""
        with self._driver() as connection:
            return {
                table: connection.execute(
                    f"SELECT {_columns(connection, table)} FROM {table}".encode()
                ).fetchall()
                for table in TABLES
            }

    def copy(self, rows: Rows) -> None:
        """Write the same rows by COPY, in one transaction."""
        with self._driver() as connection, connection.cursor() as cursor:
            for table in TABLES:
                columns = _columns(connection, table)
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                    for row in rows[table]:
                        copy.write_row(row)

    @contextmanager
    def _driver(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        address = make_url(self.url).set(drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            connection.adapters.register_loader("json", TextLoader)
            yield connection


def _columns(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> str:
    """Return the columns of `table` that are written, without those that PostgreSQL generates."""
    query = """
        SELECT quote_ident(column_name) FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'
        ORDER BY ordinal_position
    """
    return ", ".join(name for (name,) in connection.execute(query, [table]))
