"""Many at once: nothing twice, and nobody is told that the database is locked."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from paperround.db import engine as engines
from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.ledger_model import Claimed
from paperround.delivery.store.ledger import Ledger
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    DAY,
    NOW,
    imported,
    lease,
    new_delivery,
    observation,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.races import LOST, THREADS, at_once


@pytest.mark.slow
@pytest.mark.accept("D1", part="short")
def test_eight_writers_and_four_readers_never_meet_a_locked_database(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """Half of the writers take turns among each other alone, as those of another process do."""
    (one,) = seed_papers(sqlite_database, 1)
    beside = SqlDatabase(engines.create(f"sqlite:///{tmp_path}/paperround.db"))
    writes, done = 40, threading.Event()

    def write_some(number: int) -> int:
        added = 0
        for step in range(writes):
            moment = NOW + timedelta(seconds=number * writes + step)
            with (beside if number % 2 else sqlite_database).writing() as work:
                feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
                added += work[PaperStore].observe(feed.id, [(one, observation(step, at=moment))])
        return added

    def read_on(_: int) -> int:
        reads = 0
        while not done.is_set() or not reads:
            with sqlite_database.reading() as work:
                assert work[PaperStore].count() == 1
            reads += 1
        return reads

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_on, number) for number in range(4)]
        try:
            added = at_once(THREADS, write_some)
        finally:
            done.set()
            beside.close()
        assert all(reader.result() for reader in readers)
    assert added == [writes] * THREADS


@pytest.mark.accept("D2", part="short")
def test_a_shard_planned_by_many_at_once_is_planned_once(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 2)
    edition = seed_edition(database, default, papers)
    people = seed_subscribers(database, default, tuple(f"p{n}" for n in range(40)))
    rows = [new_delivery(one, papers) for one in people]
    added = at_once(THREADS, lambda _: plan(database, edition, rows))
    assert sorted(Counter(added).items()) == [(0, THREADS - 1), (40, 1)]


@pytest.mark.accept("D2", part="short")
@pytest.mark.accept("F14", part="race")
def test_one_paper_offered_by_many_mails_at_once_goes_into_one(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    edition = seed_edition(database, default, papers)
    (alice,) = seed_subscribers(database, default, ("alice",))
    days = [new_delivery(alice, papers, day=DAY + timedelta(days=n)) for n in range(THREADS)]
    added = at_once(THREADS, lambda number: plan(database, edition, [days[number]]))
    assert Counter(added) == {1: 1, LOST: THREADS - 1}


def _claim_all(database: Database, number: int) -> Sequence[Claimed]:
    claimed: list[Claimed] = []
    while True:
        held = lease(f"t{number}-{len(claimed)}")
        with database.writing() as work:
            rows = work[Ledger].claim(held, limit=5, now=NOW)
        if not rows:
            return claimed
        claimed += rows


@pytest.mark.accept("D2", part="short")
@pytest.mark.accept("R3", part="claim")
def test_a_row_claimed_by_many_at_once_is_held_by_one(database: Database) -> None:
    default, papers = seed_list(database), seed_papers(database, 1)
    edition = seed_edition(database, default, papers)
    people = seed_subscribers(database, default, tuple(f"p{n}" for n in range(100)))
    plan(database, edition, [new_delivery(one, papers) for one in people])
    claimed = at_once(THREADS, lambda number: _claim_all(database, number))
    rows = [row.id for one in claimed if not isinstance(one, str) for row in one]
    assert (len(rows), len(set(rows))) == (100, 100)


@pytest.mark.accept("D2", part="short")
def test_one_person_signing_up_many_times_at_once_is_one_subscriber(database: Database) -> None:
    default = seed_list(database)

    def sign_up(_: int) -> str:
        with database.writing() as work:
            return work[SubscriberStore].put(imported("alice"), default.id, now=NOW)

    assert Counter(at_once(THREADS, sign_up)) == {"new": 1, "unchanged": THREADS - 1}
