"""A year of a list under the default retention: nothing comes twice, and the database stays small.

The clock is the test's, and the mailer is the fake one that ships with the tests.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import Engine, text

from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.past import PastStore
from paperround.editions.store.lists import ListStore
from paperround.ops.retention import MOST_BATCHES, Retention
from paperround.ops.tick import publish_round
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, imported
from tests.databases import opened
from tests.ops.ticking import send, tick_context
from tests.sample_database import fill, record

DAYS = timedelta(days=1)
PAPERS = 15
"""New papers a day; a digest holds twelve."""

WISHES = (
    Preferences(),
    Preferences(frequency=Frequency.WEEKDAYS),
    Preferences(frequency=Frequency.WEEKDAYS),
    Preferences(frequency=Frequency.WEEKLY, weekday="mon"),
)
"""How often readers want a digest."""


@dataclass
class Year:
    """An installation, day after day."""

    database: SqlDatabase
    engine: Engine
    readers: int
    keep: Retention
    mails: int = 0

    def live(self, day: int) -> float:
        """Let a day pass; return the CPU seconds of planning and of what else the rounds do."""
        morning = datetime.combine(NOW.date(), datetime.min.time(), NOW.tzinfo) + day * DAYS
        first = 1 + day * PAPERS
        papers = [
            record(n, identifiers={"arxiv": f"{2601 + n // 20_000:04}.{n % 20_000:05}"})
            for n in range(first, first + PAPERS)
        ]
        fill(self.database, papers, now=morning + timedelta(hours=1))
        context = replace(tick_context(self.database, alerts_to=None), keep=self.keep)
        spent = time.process_time()
        publish_round(context, now=morning + timedelta(hours=6, minutes=59))
        publish_round(context, now=morning + timedelta(hours=7, minutes=1))
        spent = time.process_time() - spent
        self.mails += len(send(self.database, now=morning + timedelta(hours=7, minutes=2)))
        for round_ in range(self.readers // (2000 * MOST_BATCHES) + 2):
            publish_round(context, now=morning + timedelta(hours=12, minutes=round_))
        return spent

    def size(self) -> int:
        """Bytes of the pages that hold something."""
        with self.engine.connect() as connection:
            pages, free, size = (
                connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def papers_sent(self) -> int:
        """How many papers people were sent, each paper once a person."""
        with self.database.reading() as work:
            past = work[PastStore].people_sent(None)
            kept = work.connection.execute(text("SELECT count(*) FROM sent_papers")).scalar_one()
        return sum(map(len, past.values())) + int(kept)


@pytest.fixture
def years(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[..., Year]]:
    """Make installations on SQLite, where one file tells the size."""
    with ExitStack() as stack:

        def make(readers: int, kept: timedelta) -> Year:
            file = copy(sqlite_template, tmp_path / f"{readers}.db")
            engine = stack.enter_context(opened(f"sqlite:///{file}"))
            year = Year(SqlDatabase(engine), engine, readers, Retention(deliveries=kept))
            with year.database.writing() as work:
                mailing_list = work[ListStore].ensure_default(zone="UTC", now=NOW)
                for number in range(readers):
                    wish = WISHES[number % len(WISHES)]
                    reader = imported(f"r{number}", preferences=wish)
                    work[SubscriberStore].put(reader, mailing_list.id, now=NOW)
            return year

        yield make


@pytest.mark.accept("D13", mutant="what-was-sent-long-ago-is-forgotten")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("readers", "days", "kept"),
    [(60, 40, 10), pytest.param(20_000, 365, 90, marks=pytest.mark.long)],
)
def test_a_year_of_digests_leaves_the_database_no_larger_and_no_slower(
    years: Callable[..., Year], readers: int, days: int, kept: int
) -> None:
    year, nobody = years(readers, kept * DAYS), years(0, kept * DAYS)
    for day in range(10):
        nobody.live(day)
    before = nobody.size()
    for day in range(10, 15):
        nobody.live(day)
    content = (nobody.size() - before) / 5  # papers and editions, which stay
    sizes, costs = [], []
    for day in range(days):
        costs.append(year.live(day))
        sizes.append(year.size())
    assert year.mails > readers * days / 2
    assert year.papers_sent() == 12 * year.mails  # none twice
    full = kept + 10  # rows go as fast as they come
    filling = (sizes[kept] - sizes[kept // 2]) / (kept - kept // 2) - content
    grows = (sizes[-1] - sizes[full]) / (days - 1 - full) - content
    assert grows < filling / 10
    quarter = (days - full) // 4
    assert sum(costs[-quarter:]) < 1.5 * sum(costs[full : full + quarter])
