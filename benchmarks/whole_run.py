"""B12: how the memory of a process grows over a whole day, with ten times the readers and papers.

    a file of new papers ─► ingest ─► rank ─► publish ─► claim, compose, mark, settle every digest

A mailer in the same process composes and discards the messages, so that only our own code is
measured. The earlier papers and the readers are in the database before the process starts.
"""

import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from benchmarks.homes import home_to_measure, publish_now
from benchmarks.ingest import copy_of, empty_file, opened
from benchmarks.invented import NOW, as_jsonl, papers, store, subscribe
from benchmarks.memory import can_measure_memory, grown, growth, print_growth
from benchmarks.table import Measured
from paperround.bootstrap import AppContext
from paperround.db.transactions import Database
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.restore_guard import SendMarks
from paperround.digests.sending import deliver
from paperround.editions.model import DeliveryId
from paperround.feeds.formats.jsonl import read_jsonl

MODULE = "benchmarks.whole_run"

NEW = 60
WARMING = 10
"""Readers of a first day, so that what is loaded once does not count as growth."""

PAPERS_A_READER = 3
TENTH, LONG_TENTH = 2_000, 20_000
GROUP = 50
_TAKEN = Reply(250, "2.0.0", "thrown away")


class DiscardingMailer:
    """Marks `group` messages at a time, then accepts and discards them. Implements Mailer."""

    def __init__(self, group: int = GROUP) -> None:
        self.taken = 0
        self._group = group

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        """Yield the outcomes: every message is accepted."""
        rest = filter(None, envelopes)
        while group := list(islice(rest, self._group)):
            permitted = before_dot([one.id for one in group])
            self.taken += len(permitted)
            yield from (Outcome(id=one, phase=Phase.DOT, reply=_TAKEN) for one in permitted)


def memory_of_a_run() -> list[Measured]:
    """The MB that a day adds, also relative to a tenth of the readers and papers."""
    return _memory(TENTH)


def memory_of_a_run_long() -> list[Measured]:
    """The same for ten times as many."""
    return _memory(LONG_TENTH)


def _memory(tenth: int) -> list[Measured]:
    if not can_measure_memory("B12"):
        return []
    with _prepared((WARMING, tenth, 10 * tenth)) as (warming, small_file, large_file):
        small, large = (grown(MODULE, warming, file) for file in (small_file, large_file))
    readers = 10 * tenth
    shown = f"a day of {readers:,} readers before {PAPERS_A_READER * readers:,} papers"
    return growth(shown, small, large)


@contextmanager
def _prepared(sizes: tuple[int, ...]) -> Iterator[list[Path]]:
    """Database files with `sizes` readers each, and PAPERS_A_READER times as many old papers."""
    with tempfile.TemporaryDirectory() as folder, empty_file() as empty:
        files = [Path(folder, f"{size}.db") for size in sizes]
        for size, file in zip(sizes, files, strict=True):
            file.write_bytes(empty.read_bytes())
            with opened(file) as database:
                store(read_jsonl(as_jsonl(earlier(PAPERS_A_READER * size))), database)
                subscribe(size, database)
        yield files


def earlier(count: int) -> list[dict[str, object]]:
    """Papers listed on the days before the last week, newest first."""
    rows = papers(count, seed=2)
    each = max(1, count // 400)
    for number, row in enumerate(rows):
        row["listed_on"] = (NOW - timedelta(days=8 + number // each)).date().isoformat()
    return rows


def todays(count: int) -> bytes:
    """The file of a day's new papers, none of them among the earlier ones."""
    rows = papers(count, seed=3)
    for number, row in enumerate(rows):
        row["id"] = f"2512.{10000 + number}"
    return as_jsonl(rows)


def _live_and_print(warming: Path, file: Path) -> None:
    home = home_to_measure()
    print_growth(lambda: _live_in(home, copy_of(warming)), lambda: _live_in(home, opened(file)))


def _live_in(home: AppContext, opening: AbstractContextManager[Database]) -> None:
    with opening as database:
        live(home, database)


def live(home: AppContext, database: Database) -> int:
    """Run a day from the file to the last message; return how many messages were accepted."""
    store(read_jsonl(todays(NEW)), database)
    report = publish_now(home, database)
    mailer = DiscardingMailer()
    # `home` serves two databases: the send marks of one would make the other look like an older
    # copy
    post = replace(home.post(), database=database, mailer=mailer, marks=SendMarks())
    delivered = deliver(post)
    if not report.planned.rows == delivered.totals.sent == mailer.taken:
        raise RuntimeError(f"{report.planned.rows} planned, {mailer.taken} taken: {delivered}")
    return mailer.taken


if __name__ == "__main__":
    _live_and_print(Path(sys.argv[1]), Path(sys.argv[2]))
