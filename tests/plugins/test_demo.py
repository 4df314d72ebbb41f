"""Samples go into an empty database once, and more of them come as hours go by."""

from datetime import timedelta

from paperround.db.transactions import SqlDatabase
from paperround.papers.store.papers import PaperStore
from paperround.plugins.demo.samples import batch_at, begin, read_samples
from tests.sample_database import NOW

HOUR = timedelta(hours=1)


def papers(database: SqlDatabase) -> int:
    with database.reading() as work:
        return work[PaperStore].count()


def test_an_empty_database_gets_the_samples_of_the_days_before(database: SqlDatabase) -> None:
    assert begin(database, now=NOW)
    report = read_samples(database, now=NOW)
    assert report is not None
    listed = batch_at(anchor=NOW, now=NOW).records
    assert report.new == papers(database) == len(listed)
    assert report.observations


def test_nothing_is_read_again_while_nothing_is_new(database: SqlDatabase) -> None:
    begin(database, now=NOW)
    read_samples(database, now=NOW)
    assert read_samples(database, now=NOW + timedelta(seconds=1)) is None


def test_samples_and_counts_of_later_hours_come_later(database: SqlDatabase) -> None:
    begin(database, now=NOW)
    read_samples(database, now=NOW)
    before = papers(database)
    report = read_samples(database, now=NOW + 30 * HOUR)
    assert report is not None
    assert report.new == papers(database) - before > 0
    assert report.changed == 0
    assert report.observations > 0


def test_a_demo_that_was_killed_before_it_read_the_samples_reads_them(
    database: SqlDatabase,
) -> None:
    begin(database, now=NOW)
    assert begin(database, now=NOW + HOUR)
    assert read_samples(database, now=NOW + HOUR) is not None
    assert papers(database) > 100
