"""B16 and B12: how time and memory of planning grow with the number of readers.

Measures the exponent of time, and how much more a process grows with ten times the readers; each
for readers of the same digest, and for readers with topics, who get a personal choice of papers.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.homes import home_to_measure, publish_now
from benchmarks.ingest import copy_of, empty_file, opened
from benchmarks.invented import as_jsonl, papers, store, subscribe
from benchmarks.memory import can_measure_memory, grown, growth, print_growth
from benchmarks.rounds import cost_exponent, interleaved
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.db.transactions import Database
from paperround.feeds.formats.jsonl import read_jsonl

MODULE = "benchmarks.planning"

PAPERS = 60
ROUNDS = 3
WARMING = 10
"""Readers planned first, so that what is loaded once does not count as growth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Readers with or without topics. `timed` are the numbers of readers to time; `tenth` is a
    tenth of the number whose memory is measured, and more than one shard of the ledger."""

    name: str
    tastes: bool
    timed: tuple[int, ...]
    tenth: int


_KINDS = (
    _Kind(name="the same digest", tastes=False, timed=(100, 1_000, 10_000), tenth=10_000),
    _Kind(name="their own", tastes=True, timed=(100, 1_000, 10_000), tenth=10_000),
)
LONGER = {"the same digest": 10, "their own": 4}
"""The factors of the long form: a million readers, and four hundred thousand."""


def growth_of_publishing() -> list[Measured]:
    """The steepest growth of the CPU time of publishing with ten times the readers."""
    return [_time(kind) for kind in _KINDS]


def _time(kind: _Kind) -> Measured:
    home = home_to_measure()
    with _prepared(kind.timed, tastes=kind.tastes) as files:
        rounds = interleaved(
            {str(size): partial(_publish_copy, home, file) for size, file in files.items()},
            rounds=ROUNDS,
            timer=time.process_time,
        )
    cost = {int(size): median(seconds) for size, seconds in rounds.items()}
    sizes = ", ".join(f"{size:,}" for size in kind.timed)
    shown = ", ".join(f"{1e6 * cost[size] / size:.0f}" for size in kind.timed)
    return Measured(
        id="B16",
        measure=f"publish to {sizes}, {kind.name}: exponent ({shown} µs a reader)",
        value=cost_exponent(cost),
        bar=Bar("at most", 1.05),
    )


def memory_of_planning() -> list[Measured]:
    """The memory that planning adds to a process, also relative to a tenth of the readers."""
    return _memory({})


def memory_of_planning_long() -> list[Measured]:
    """The same with LONGER times the readers."""
    return _memory(LONGER)


def _memory(longer: Mapping[str, int]) -> list[Measured]:
    if not can_measure_memory("B12"):
        return []
    return [row for kind in _KINDS for row in _grown(kind, kind.tenth * longer.get(kind.name, 1))]


def _grown(kind: _Kind, readers: int) -> list[Measured]:
    sizes = (WARMING, readers, 10 * readers)
    with _prepared(sizes, tastes=kind.tastes) as files:
        small, large = (grown(MODULE, files[WARMING], files[size]) for size in sizes[1:])
    shown = f"planning for {10 * readers:,} readers, {kind.name}"
    return growth(shown, small, large)


@contextmanager
def _prepared(sizes: tuple[int, ...], *, tastes: bool) -> Iterator[Mapping[int, Path]]:
    """Database files with a day's papers, and `sizes` readers each."""
    with tempfile.TemporaryDirectory() as folder, empty_file() as empty:
        files = {size: Path(folder, f"{size}.db") for size in sizes}
        for size, file in files.items():
            file.write_bytes(empty.read_bytes())
            with opened(file) as database:
                store(read_jsonl(as_jsonl(papers(PAPERS))), database)
                subscribe(size, database, tastes=tastes)
        yield files


def _publish_copy(home: AppContext, file: Path) -> None:
    _publish_in(home, copy_of(file))


def _publish_in(home: AppContext, opening: AbstractContextManager[Database]) -> None:
    with opening as database:
        publish_now(home, database)


def _plan_and_print(warming: Path, file: Path) -> None:
    home = home_to_measure()
    print_growth(lambda: _publish_copy(home, warming), lambda: _publish_in(home, opened(file)))


if __name__ == "__main__":
    _plan_and_print(Path(sys.argv[1]), Path(sys.argv[2]))
