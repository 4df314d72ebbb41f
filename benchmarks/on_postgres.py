"""B16 and B12 on PostgreSQL: how cost and memory grow with papers and readers.

Cost is the CPU time of this process and of all processes of the server. A mailer in the same
process composes and discards the messages, marking ten at once, as with ten connections. Every size
has its own database, and every round a new copy of it.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from statistics import median

from benchmarks.crowd import add_readers
from benchmarks.growth_of_ranking import written_papers
from benchmarks.homes import home_to_measure, publish_now
from benchmarks.invented import NOW, as_jsonl, papers, store, topics_of
from benchmarks.memory import can_measure_memory, grown, growth, print_growth
from benchmarks.postgres import copy_of, cpu_of_server, migrated, opened, server_to_measure, tidy
from benchmarks.rounds import cost_exponent, turned
from benchmarks.table import Bar, Measured
from benchmarks.whole_run import (
    LONG_TENTH,
    PAPERS_A_READER,
    TENTH,
    WARMING,
    DiscardingMailer,
    earlier,
    live,
)
from paperround.bootstrap import AppContext
from paperround.db.transactions import SqlDatabase
from paperround.digests.sending import deliver
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.ranking.rank import rank_list
from paperround.subscribers.model import Preferences
from tests.databases import PostgresServer

MODULE = "benchmarks.on_postgres"

INGESTED = (300, 3_000, 30_000)
RANKED = (100, 1_000, 10_000)
READERS = (100, 1_000, 10_000)
EARLIER = 5_000
ROUNDS, ROUNDS_OF_RANKING = 3, 1
GROUP = 10
PAPERS = 60
Costs = Mapping[int, Sequence[float]]
Spent = tuple[float, float]
"""CPU seconds of this process, and of the server's processes."""


def growth_on_postgres() -> list[Measured]:
    """The steepest growth of each part of a day, up to a hundred times the smallest size."""
    with server_to_measure("B16") as server:
        if server is None:
            return []
        return [*_ingesting(server), *_ranking(server), *_mailing(server)]


def memory_on_postgres() -> list[Measured]:
    """The MB that a whole day adds to a process, also relative to a tenth of the readers and
    papers."""
    return _memory(TENTH)


def memory_on_postgres_long() -> list[Measured]:
    """The same for ten times as many."""
    return _memory(LONG_TENTH)


# --- papers --------------------------------------------------------------------------------------


def _ingesting(server: PostgresServer) -> list[Measured]:
    """Measure an ingest in CPU time; creating the file does not count."""
    rows = papers(max(INGESTED))
    files = {size: as_jsonl(rows[:size]) for size in INGESTED}
    spent: dict[int, list[Spent]] = {size: [] for size in INGESTED}
    with migrated(server) as empty:
        for number in range(ROUNDS):
            for size in turned(INGESTED, number):
                with copy_of(server, empty) as url, opened(url) as database:
                    batch = read_jsonl(files[size])
                    gc.freeze()  # as the command does
                    spent[size].append(_spent(url, lambda: store(batch, database)))  # noqa: B023
                    gc.unfreeze()
    return [_row("ingest of {} papers", spent, "a paper")]


def _ranking(server: PostgresServer) -> list[Measured]:
    """Measure a ranking of papers read from the database. Words are drawn as in written text,
    because rare ones decide its cost."""
    home = home_to_measure()
    spent: dict[int, list[Spent]] = {}
    with _filled(server, _before(_written(EARLIER, seed=2))) as empty:
        for size in RANKED:
            with copy_of(server, empty) as url, opened(url) as database:
                store(read_jsonl(as_jsonl(_written(size, seed=1))), database)
                tidy(url)

                def rank(database: SqlDatabase = database) -> object:
                    return rank_list(
                        database=database,
                        ranker=home.ranker,
                        list_name="trending",
                        day=None,
                        now=NOW,
                    )

                if size == min(RANKED):
                    rank()  # loads what is loaded only once
                spent[size] = [_spent(url, rank) for _ in range(ROUNDS_OF_RANKING)]
    return [_row(f"rank {{}} papers before {EARLIER:,}", spent, "a paper")]


def _written(count: int, *, seed: int) -> list[dict[str, object]]:
    texts = written_papers(count, seed=seed)
    return [
        {**row, "title": text.title, "summary": text.abstract}
        for row, text in zip(papers(count, seed=seed), texts, strict=True)
    ]


def _before(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The papers as different ones that were listed eight or more days ago."""
    for number, row in enumerate(rows):
        row["id"] = f"2511.{10000 + number}"
        row["listed_on"] = (NOW - timedelta(days=8 + number // 400)).date().isoformat()
    return rows


# --- readers -------------------------------------------------------------------------------------


def _mailing(server: PostgresServer) -> list[Measured]:
    """Measure publishing, which includes planning, and delivering personal digests."""
    home = home_to_measure()
    planned: dict[int, list[Spent]] = {size: [] for size in READERS}
    sent: dict[int, list[Spent]] = {size: [] for size in READERS}
    with ExitStack() as stack:
        templates = {size: stack.enter_context(_peopled(server, size)) for size in READERS}
        for number in range(ROUNDS):
            for size in turned(READERS, number):
                with copy_of(server, templates[size]) as url, opened(url) as database:
                    planned[size].append(_spent(url, lambda: publish_now(home, database)))
                    sent[size].append(_spent(url, lambda: _send(database, size)))  # noqa: B023
    return [
        _row("publish to {} readers, their own", planned, "a reader"),
        _row("deliver {} digests, their own", sent, "a mail"),
    ]


def mailing_costs(server: PostgresServer, readers: int) -> tuple[Spent, Spent]:
    """CPU seconds per personal digest: planned, including the ranking, and delivered."""
    home = home_to_measure()
    with _peopled(server, readers) as url, copy_of(server, url) as first:
        with opened(first) as database:  # loads what is loaded only once
            publish_now(home, database)
        with opened(url) as database:
            planned = _spent(url, lambda: publish_now(home, database))
            sent = _spent(url, lambda: _send(database, readers))
    return _each(planned, readers), _each(sent, readers)


def _each(spent: Spent, readers: int) -> Spent:
    ours, theirs = spent
    return ours / readers, theirs / readers


def _send(database: SqlDatabase, readers: int) -> None:
    post = replace(home_to_measure().post(), database=database, mailer=DiscardingMailer(GROUP))
    sent = deliver(post).totals.sent
    if sent != readers:
        raise RuntimeError(f"{sent} of {readers} digests were sent")


# --- memory --------------------------------------------------------------------------------------


def _memory(tenth: int) -> list[Measured]:
    if not can_measure_memory("B12"):
        return []
    with server_to_measure("B12") as server, ExitStack() as stack:
        if server is None:
            return []
        warming, small, large = (
            stack.enter_context(
                _peopled(server, size, earlier(PAPERS_A_READER * size), tastes=False)
            )
            for size in (WARMING, tenth, 10 * tenth)
        )
        with copy_of(server, warming) as again:
            rows = grown(MODULE, warming, small), grown(MODULE, again, large)
    readers = 10 * tenth
    before = f"{PAPERS_A_READER * readers:,} papers"
    return growth(f"a day on PostgreSQL of {readers:,} readers before {before}", *rows)


def _live_and_print(warming: str, url: str) -> None:
    home = home_to_measure()
    print_growth(lambda: _live_in(home, warming), lambda: _live_in(home, url))


def _live_in(home: AppContext, url: str) -> None:
    with opened(url) as database:
        live(home, database)


# --- together ------------------------------------------------------------------------------------


@contextmanager
def _filled(server: PostgresServer, rows: list[dict[str, object]]) -> Iterator[str]:
    with migrated(server) as url:
        with opened(url) as database:
            store(read_jsonl(as_jsonl(rows)), database)
        tidy(url)
        yield url


@contextmanager
def _peopled(
    server: PostgresServer,
    readers: int,
    rows: list[dict[str, object]] | None = None,
    *,
    tastes: bool = True,
) -> Iterator[str]:
    """A database with papers and this many readers, with or without topics of their own."""

    def wish(number: int) -> Preferences:
        return Preferences(topics=topics_of(number)) if tastes else Preferences()

    with _filled(server, papers(PAPERS) if rows is None else rows) as url:
        with opened(url) as database:
            add_readers(readers, database, wish=wish, now=NOW)
        tidy(url)
        yield url


def _spent(url: str, do: Callable[[], object]) -> Spent:
    before = time.process_time(), cpu_of_server(url)
    do()
    return time.process_time() - before[0], cpu_of_server(url) - before[1]


def _row(what: str, spent: Mapping[int, list[Spent]], each: str) -> Measured:
    cost = {size: median(sum(one) for one in rounds) for size, rounds in spent.items()}
    shown = ", ".join(f"{1e6 * cost[size] / size:.0f}" for size in sorted(cost))
    largest = max(spent)
    of_server = median(theirs for _, theirs in spent[largest]) * 1e6 / largest
    sizes = ", ".join(f"{size:,}" for size in sorted(cost))
    said = f"{shown} µs {each}, of the last {of_server:.0f} the server's"
    return Measured(
        id="B16",
        measure=f"PostgreSQL, {what.format(sizes)}: exponent ({said})",
        value=cost_exponent(cost),
        bar=Bar("at most", 1.05),
    )


if __name__ == "__main__":
    _live_and_print(*sys.argv[1:])
