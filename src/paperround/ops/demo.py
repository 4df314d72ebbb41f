"""A demo's papers: samples into an empty database, and more of them as time goes on.

    new? ─► mark                                                       once
    empty? ─► anchor ─► the samples listed so far ─► ingest            once
    anchor ─► listed or counted since the last look? ─► ingest         every minute

The anchor is the instant a demo began in this database. It is kept there, so that a demo that is
started again goes on where it was, and papers of somebody's own are never mixed with samples.
The mark says that all the database holds is a demo's: no installation works with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paperround.db.slots import ANCHOR, KIND, MARK, SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.model import ParsedBatch
from paperround.papers.store.papers import PaperStore

LOOK = "demo-samples"
"""The sign of life that is left when samples were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The sample papers. `listed(anchor, now)`: those a demo that began at `anchor` has at `now`,
    with the counts so far."""

    feed: str
    listed: Callable[[datetime, datetime], ParsedBatch]


def claim(database: Database, *, now: datetime) -> bool:
    """Mark a new database as a demo's; False for one of an installation, which has its default list
    from the moment it is made."""

    def take(work: Transaction) -> bool:
        if not work[SlotStore].are_of_a_demo() and work[ListStore].default() is not None:
            return False
        work[SlotStore].take(KIND, MARK, now=now)
        return True

    return write(database, take)


def begin(database: Database, *, now: datetime) -> bool:
    """Whether the samples belong in `database`: it holds no paper yet, or a demo began in it."""

    def may_begin(work: Transaction) -> bool:
        began = work[SlotStore].taken_at(KIND, ANCHOR) is not None
        return began or (
            work[PaperStore].count() == 0 and work[SlotStore].take(KIND, ANCHOR, now=now)
        )

    return write(database, may_begin)


def has_samples(database: Database) -> bool:
    """Whether a demo began in `database`: papers of somebody's own do not belong there."""
    with database.reading() as work:
        return work[SlotStore].taken_at(KIND, ANCHOR) is not None


def read_samples(database: Database, samples: Samples, *, now: datetime) -> IngestReport | None:
    """Store what is new among the samples; None when nothing is, or no demo began here."""
    with database.reading() as work:
        anchor = work[SlotStore].taken_at(KIND, ANCHOR)
        looked = work[SlotStore].last_beat(LOOK)
    if anchor is None:
        return None
    batch = samples.listed(anchor, now)
    if looked is not None and batch == samples.listed(anchor, looked):
        return None
    report = ingest(
        batch,
        database=database,
        feed_name=samples.feed,
        feed_kind=samples.feed,
        source="the samples of this version",
        captured_at=now,
        now=now,
    )
    write(database, lambda work: work[SlotStore].beat(LOOK, now=now))
    return report
