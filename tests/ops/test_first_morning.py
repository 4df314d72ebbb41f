"""The first morning: feeds that were just added, nobody's papers yet, and readers who sign up."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.digests.plan import Welcome
from paperround.digests.publish import freeze_cuts
from paperround.editions.model import DeliveryState, Edition
from paperround.editions.store.lists import ListStore
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.tick import tick
from paperround.papers.model import FeedId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.fakes import NewestFirst
from tests.ops.ticking import DAY, HOUR, MINUTE, send, tick_context
from tests.sample_database import deliveries_of, fill, record
from tests.self_service.readers import joined, signup_context

TEN = datetime(2026, 1, 31, 10, tzinfo=UTC)
"""A Saturday, four hours after the newest cut: no cut waits for its papers any more."""


def add(database: SqlDatabase, name: str) -> FeedId:
    """A feed that was added at ten, and not read yet."""
    with database.writing() as work:
        return work[FeedStore].create(NewFeed(name=name, kind="rss"), now=TEN).id


def read(database: SqlDatabase, feed: FeedId, health: FeedHealth = FeedHealth.FRESH) -> None:
    """The feed was read, and is well or is not."""
    with database.writing() as work:
        polled = replace(
            work[FeedStore].get(feed),
            health=health,
            reason="read",
            failures=int(health is FeedHealth.FAILED),
            next_at=TEN + 9 * DAY,
        )
        work[FeedStore].record_poll(polled)


def freeze(database: SqlDatabase, now: datetime) -> list[Edition]:
    return freeze_cuts(database=database, ranker=NewestFirst(), now=now)


@pytest.mark.accept("F60", part="first morning", mutant="an-unread-feed-makes-an-empty-edition")
def test_no_edition_is_made_before_each_feed_was_read_once(database: SqlDatabase) -> None:
    feed = add(database, "daily")
    assert freeze(database, TEN + HOUR) == []
    read(database, feed, FeedHealth.HOLIDAY)
    (edition,) = freeze(database, TEN + 61 * MINUTE)
    assert (edition.empty_reason, edition.quiet_reason) == ("no-papers-at-all", "holiday")


def test_a_new_list_makes_no_empty_edition_while_its_feed_is_unread(database: SqlDatabase) -> None:
    fill(database, [record(1)], TEN - 60 * DAY)  # of another list
    feed = add(database, "daily")
    assert freeze(database, TEN + HOUR) == []
    read(database, feed)
    (edition,) = freeze(database, TEN + 61 * MINUTE)
    assert edition.empty_reason == "no-new-papers"


def test_an_edition_with_papers_waits_some_minutes_for_the_other_feeds(
    database: SqlDatabase,
) -> None:
    slow = add(database, "slow")
    read(database, add(database, "daily"))
    fill(database, [record(1)], TEN + MINUTE)
    assert freeze(database, TEN + 9 * MINUTE) == []
    (edition,) = freeze(database, TEN + 10 * MINUTE)
    assert len(edition.papers) == 1
    read(database, slow)


@pytest.mark.accept("F60", part="first morning", mutant="newcomers-are-forgotten-until-their-hour")
@pytest.mark.accept("F28", part="the newest edition at once")
@pytest.mark.parametrize("health", [FeedHealth.NEW, FeedHealth.HOLIDAY])
@pytest.mark.parametrize("wait", [2 * MINUTE, 2 * DAY - 3 * HOUR])
def test_who_confirms_before_the_first_papers_gets_their_digest_with_these(
    database: SqlDatabase, health: FeedHealth, wait: object
) -> None:
    feed = add(database, "daily")
    if health is not FeedHealth.NEW:
        read(database, feed, health)
    tick(tick_context(database), now=TEN)
    confirmed = joined(signup_context(database), "alice", now=TEN + MINUTE)
    assert confirmed.welcome is Welcome.FIRST_PAPERS
    assert tick(tick_context(database), now=TEN + 2 * MINUTE).plans["trending"].waiting == 1

    later = TEN + MINUTE + wait  # type: ignore[operator]
    read(database, feed)
    fill(database, [record(n) for n in range(1, 4)], later)
    report = tick(tick_context(database), now=later + MINUTE)
    assert (report.plans["trending"].planned, report.plans["trending"].missed) == (1, {})
    assert send(database, now=later + MINUTE) == ["alice@mail.example"]
    with database.reading() as work:
        person = next(iter(work[SubscriberStore].export(work[ListStore].get("trending").id)))[0]
        (row,) = deliveries_of(work, person.id, limit=9)
    assert (row.state, row.local_date) == (DeliveryState.SENT, later.date())
