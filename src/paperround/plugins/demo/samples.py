"""Fill the database of a demo with sample papers, and add more as time passes.

    new? ─► mark                                                       once
    empty? ─► anchor ─► the samples listed so far ─► ingest            once
    anchor ─► listed or counted since the last read? ─► ingest         every minute

The anchor is the instant at which a demo began in this database. It is stored there, so a demo that
you start again continues, and samples never mix with your own papers. The mark means that the
database belongs to a demo: no installation works with it.
"""

from datetime import datetime

from paperround.db.slots import ANCHOR, KIND, MARK, SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.store.papers import PaperStore
from paperround.samples import days

LOOK = "demo-samples"
"""The heartbeat that is recorded when samples were read."""


def claim(database: Database, *, now: datetime) -> bool:
    """Mark a database as a demo's; return False if it is an installation's, with a default list."""

    def mark(work: Transaction) -> bool:
        if not work[SlotStore].is_of_a_demo() and work[ListStore].default() is not None:
            return False
        work[SlotStore].take(KIND, MARK, now=now)
        return True

    return write(database, mark)


def begin(database: Database, *, now: datetime) -> bool:
    """Begin a demo if `database` has no papers. Return whether one began in it, now or before."""

    def may_begin(work: Transaction) -> bool:
        began = work[SlotStore].taken_at(KIND, ANCHOR) is not None
        return began or (
            work[PaperStore].count() == 0 and work[SlotStore].take(KIND, ANCHOR, now=now)
        )

    return write(database, may_begin)


def has_samples(database: Database) -> bool:
    """Return whether a demo began in `database`; your own papers do not belong there."""
    with database.reading() as work:
        return work[SlotStore].taken_at(KIND, ANCHOR) is not None


def read_samples(database: Database, *, now: datetime) -> IngestReport | None:
    """Store the new samples; return None if there are none, or if no demo began here."""
    with database.reading() as work:
        anchor = work[SlotStore].taken_at(KIND, ANCHOR)
        looked = work[SlotStore].last_beat(LOOK)
    if anchor is None:
        return None
    content = days.read()
    batch = days.batch_at(content, anchor=anchor, now=now)
    if looked is not None and batch == days.batch_at(content, anchor=anchor, now=looked):
        return None
    report = ingest(
        batch,
        database=database,
        feed_name=days.FEED,
        feed_kind=days.FEED,
        source="the samples of this version",
        captured_at=now,
        now=now,
    )
    write(database, lambda work: work[SlotStore].beat(LOOK, now=now))
    return report
