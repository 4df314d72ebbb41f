"""Feeds that are read by themselves, on every database."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from paperround.core.errors import InvalidInput, LeaseLost, NotFound
from paperround.db import transactions
from paperround.db.transactions import Database, Transaction
from paperround.feeds.model import FeedHealth, LiveFeed, NewFeed, PollProgress
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId, Reject, Show
from paperround.papers.store.papers import PaperStore
from tests.builders import HOUR, MINUTE, NOW, listing, paper, seed_papers, write
from tests.fakes import Neighbours
from tests.races import THREADS, at_once

NEIGHBOURS = Neighbours()

ARXIV = NewFeed(
    name="cs",
    kind="arxiv-rss",
    url="https://feeds.example/cs",
    settings={"sections": "cs.LG,cs.CL"},
    show=Show.FULL,
)
NOBODY = FeedId(99)
PROGRESS = PollProgress(
    cursor="page 2",
    begun=NOW - HOUR,
    read_to=NOW - 24 * HOUR,
    validators={"https://feeds.example/cs": {"etag": '"1"'}},
    batch="b1",
)
GOOD: dict[str, Any] = {
    "health": FeedHealth.FRESH,
    "reason": "12 new papers",
    "progress": PROGRESS,
    "failures": 0,
    "next_at": NOW + HOUR,
    "expects_at": NOW + 24 * HOUR,
    "last_good_at": NOW,
    "last_news_at": NOW,
}
BAD: dict[str, Any] = {
    "health": FeedHealth.FAILED,
    "reason": "the server said 503",
    "progress": PROGRESS,
    "failures": 1,
    "next_at": NOW + 2 * HOUR,
    "expects_at": None,
}


def create(database: Database, feed: NewFeed = ARXIV, *, now: datetime = NOW) -> LiveFeed:
    with database.writing() as work:
        return work[FeedStore].create(feed, now=now)


def reread(database: Database, feed: LiveFeed) -> LiveFeed:
    with database.reading() as work:
        return work[FeedStore].get(feed.id)


def record(
    database: Database, feed: LiveFeed, state: dict[str, Any], *, gone_at: datetime | None = None
) -> LiveFeed:
    with database.writing() as work:
        polled = replace(work[FeedStore].get(feed.id), **state)
        work[FeedStore].record_poll(polled, gone_at=gone_at)
        return work[FeedStore].get(feed.id)


def change(database: Database, feed: LiveFeed, changed: NewFeed) -> LiveFeed:
    with database.writing() as work:
        return work[FeedStore].update(feed.id, changed, now=NOW + MINUTE)


def take(
    database: Database, *kinds: str, now: datetime = NOW, limit: int = 10
) -> list[tuple[str, datetime | None]]:
    chosen, taken = kinds or (ARXIV.kind,), list[tuple[str, datetime | None]]()
    with database.writing() as work:
        until = now + HOUR
        while feed := work[FeedStore].lease_due(chosen, NEIGHBOURS, until=until, now=now):
            taken.append((feed.name, feed.next_at))
            if len(taken) == limit:
                break
    return taken


# --- what an operator does ---------------------------------------------------------------------


def test_a_new_feed_is_kept_as_it_was_asked_for_and_due_at_once(database: Database) -> None:
    made = create(database)
    assert reread(database, made) == made
    assert (made.name, made.kind, made.url) == (ARXIV.name, ARXIV.kind, ARXIV.url)
    assert (made.settings, made.show, made.enabled) == (ARXIV.settings, Show.FULL, True)
    assert (made.health, made.progress, made.failures) == (FeedHealth.NEW, PollProgress(), 0)
    assert (made.next_at, made.created_at, made.last_good_at) == (NOW, NOW, None)


def test_a_taken_name_is_refused_by_its_field_and_spoils_nothing(database: Database) -> None:
    with database.writing() as work:
        work[FeedStore].create(ARXIV, now=NOW)
        with pytest.raises(InvalidInput, match="'cs'") as refused:
            work[FeedStore].create(ARXIV, now=NOW)
        work[FeedStore].create(replace(ARXIV, name="other"), now=NOW)
    assert refused.value.code == "name"


def test_a_feed_is_found_by_name_those_of_files_too(database: Database) -> None:
    made = create(database)
    with database.writing() as work:
        file = work[FeedStore].get_or_create("page", "page", now=NOW)
        assert work[FeedStore].find("cs") == made
        assert work[FeedStore].find("bio") is None
        found = work[FeedStore].find("page")
    assert found is not None
    assert (found.id, found.next_at, found.health) == (file.id, None, FeedHealth.NEW)


def test_feeds_are_walked_page_by_page(database: Database) -> None:
    made = [create(database, replace(ARXIV, name=name)) for name in ("c", "a", "b")]
    with database.reading() as work:
        first = work[FeedStore].page(FeedId(0), limit=2)
        rest = work[FeedStore].page(first[-1].id, limit=2)
    assert first + rest == made


def test_a_renamed_feed_goes_on_where_it_was(database: Database) -> None:
    polled = record(database, create(database), GOOD)
    renamed = change(database, polled, replace(ARXIV, name="ml"))
    assert renamed == replace(polled, name="ml") == reread(database, polled)


def test_a_feed_that_shows_more_is_due_and_asks_for_its_unchanged_pages_again(
    database: Database,
) -> None:
    polled = record(database, create(database), GOOD)
    shown = change(database, polled, replace(ARXIV, show=Show.LINK))
    assert shown.progress == replace(PROGRESS, validators={})
    assert shown.next_at == NOW + MINUTE
    assert shown.last_good_at == polled.last_good_at


@pytest.mark.parametrize(
    "changed",
    [
        replace(ARXIV, url="https://feeds.example/ml"),
        replace(ARXIV, kind="rss"),
        replace(ARXIV, settings={}),
    ],
)
def test_a_feed_pointed_elsewhere_starts_anew_and_is_due(
    database: Database, changed: NewFeed
) -> None:
    polled = record(database, record(database, create(database), GOOD), BAD)
    moved = change(database, polled, changed)
    assert (moved.progress, moved.failures, moved.expects_at) == (PollProgress(), 0, None)
    assert (moved.health, moved.reason) == (FeedHealth.NEW, "")
    assert (moved.next_at, moved.last_good_at) == (NOW + MINUTE, NOW)


def test_a_feed_cannot_be_given_the_name_of_another(database: Database) -> None:
    first, second = create(database), create(database, replace(ARXIV, name="ml"))
    with database.writing() as work:
        with pytest.raises(InvalidInput, match="'cs'") as refused:
            work[FeedStore].update(second.id, ARXIV, now=NOW)
        work[FeedStore].make_due(first.id, now=NOW + MINUTE)
    assert refused.value.code == "name"
    assert reread(database, second) == second
    assert reread(database, first).next_at == NOW + MINUTE


def test_what_is_not_there_cannot_be_changed(database: Database) -> None:
    with database.writing() as work:
        for attempt in (
            lambda: work[FeedStore].get(NOBODY),
            lambda: work[FeedStore].update(NOBODY, ARXIV, now=NOW),
            lambda: work[FeedStore].delete(NOBODY),
            lambda: work[FeedStore].make_due(NOBODY, now=NOW),
        ):
            with pytest.raises(NotFound, match="99"):
                attempt()


def test_a_deleted_feed_takes_its_runs_along_and_leaves_the_papers(database: Database) -> None:
    feed = create(database)
    with database.writing() as work:
        run = work[FeedStore].start_run(feed.id, source=feed.name, now=NOW)
        work[FeedStore].keep_rejects(
            run, [Reject(reason="no-title", detail="x", position=1)], now=NOW
        )
        saved = work[PaperStore].save([write(paper(1))], now=NOW)
        work[PaperStore].list_papers(feed.id, [listing(one) for one in saved.values()], now=NOW)
        work[FeedStore].delete(feed.id)
    with database.reading() as work:
        assert work[FeedStore].find("cs") is None
        assert work[FeedStore].runs(feed.id, before=None, limit=9) == []
        assert work[FeedStore].rejects(feed.id, before=None, limit=9) == []
        assert work[PaperStore].count() == 1


# --- who is due --------------------------------------------------------------------------------


def test_due_feeds_are_taken_longest_due_first_and_put_off(database: Database) -> None:
    for name, minutes in (("later", 10), ("sooner", 5), ("future", 90)):
        create(database, replace(ARXIV, name=name), now=NOW + minutes * MINUTE)
    now = NOW + HOUR
    assert take(database, now=now) == [("sooner", now + HOUR), ("later", now + HOUR)]
    assert take(database, now=now) == []
    assert [name for name, _ in take(database, now=now + HOUR)] == ["future", "later", "sooner"]


def test_a_feed_that_was_never_set_to_a_time_is_due_before_all(database: Database) -> None:
    create(database, now=NOW - HOUR)
    seed_papers(database, 1)
    taken = take(database, ARXIV.kind, "hf", limit=1)
    assert taken == [("hf", NOW + HOUR)]


def test_feeds_of_other_kinds_and_those_switched_off_are_left_alone(database: Database) -> None:
    create(database, replace(ARXIV, name="off", enabled=False))
    create(database, replace(ARXIV, name="rss", kind="rss"))
    assert take(database) == []
    with database.writing() as work:
        assert work[FeedStore].lease_due((), NEIGHBOURS, until=NOW + HOUR, now=NOW) is None
    assert take(database, "rss", ARXIV.kind) == [("rss", NOW + HOUR)]


def test_a_feed_made_due_is_taken_again_as_soon_as_it_is_lent_no_more(database: Database) -> None:
    feed = create(database)
    take(database)
    with database.writing() as work:
        work[FeedStore].make_due(feed.id, now=NOW + MINUTE)
    assert take(database, now=NOW + MINUTE) == []
    record(database, feed, GOOD)
    with database.writing() as work:
        work[FeedStore].make_due(feed.id, now=NOW + MINUTE)
    assert [name for name, _ in take(database, now=NOW + MINUTE)] == ["cs"]


def test_a_feed_is_lent_to_one_at_a_time_due_or_not(database: Database) -> None:
    feed = create(database, now=NOW + HOUR)
    with database.writing() as work:
        lent = work[FeedStore].lease(feed.id, NEIGHBOURS, until=NOW + HOUR, now=NOW)
        assert (
            work[FeedStore].lease(feed.id, NEIGHBOURS, until=NOW + HOUR, now=NOW + MINUTE) is None
        )
        later = work[FeedStore].lease(feed.id, NEIGHBOURS, until=NOW + 2 * HOUR, now=NOW + HOUR)
        with pytest.raises(NotFound):
            work[FeedStore].lease(NOBODY, NEIGHBOURS, until=NOW, now=NOW)
    assert lent is not None
    assert later is not None
    assert (lent.lease, later.lease) == (1, 2)


def test_a_feed_that_is_lent_to_a_dead_process_is_free(database: Database) -> None:
    feed = create(database)
    take(database)
    gone = Neighbours(dead={NEIGHBOURS.me.pid})
    with database.writing() as work:
        assert work[FeedStore].lease(feed.id, NEIGHBOURS, until=NOW + HOUR, now=NOW) is None
        assert work[FeedStore].lease(feed.id, gone, until=NOW + HOUR, now=NOW) is not None


@pytest.mark.parametrize(
    ("changed", "loses"),
    [
        (replace(ARXIV, url="https://feeds.example/ml"), True),
        (replace(ARXIV, kind="rss"), True),
        (replace(ARXIV, settings={}), True),
        (replace(ARXIV, show=Show.LINK), True),
        (replace(ARXIV, name="ml"), False),
        (replace(ARXIV, enabled=False), False),
    ],
)
def test_a_change_of_what_is_read_or_shown_ends_a_lease(
    database: Database, changed: NewFeed, loses: bool
) -> None:
    feed = create(database)
    take(database)
    standing = change(database, feed, changed)
    with database.writing() as work:
        if loses:
            with pytest.raises(LeaseLost):
                work[FeedStore].require_lease(feed.id, 1)
            with pytest.raises(LeaseLost):
                work[FeedStore].record_poll(replace(feed, **GOOD, lease=1))
            assert work[FeedStore].get(feed.id) == standing
            assert standing.next_at == NOW + MINUTE
            assert work[FeedStore].lease(feed.id, NEIGHBOURS, until=NOW + HOUR, now=NOW) is not None
        else:
            work[FeedStore].require_lease(feed.id, 1)
            work[FeedStore].record_poll(replace(feed, **GOOD, lease=1))


def test_a_feed_that_is_gone_is_switched_off_until_an_operator_says_something(
    database: Database,
) -> None:
    gone = record(database, create(database), BAD, gone_at=NOW)
    assert (gone.enabled, gone.gone_at, gone.health) == (False, NOW, FeedHealth.PAUSED)
    assert change(database, gone, replace(ARXIV, enabled=False)).gone_at is None


@pytest.mark.accept("D2", part="short")
def test_a_due_feed_wanted_by_many_at_once_is_polled_by_one(database: Database) -> None:
    for number in range(20):
        create(database, replace(ARXIV, name=f"f{number}"))

    def take_all(_: int) -> list[str]:
        return [name for _ in range(10) for name, _ in take(database, limit=2)]

    taken = at_once(THREADS, take_all)
    names = [name for some in taken if not isinstance(some, str) for name in some]
    assert sorted(names) == sorted(f"f{number}" for number in range(20))


# --- what a poll leaves behind -----------------------------------------------------------------


@pytest.mark.accept("F08", part="kept")
def test_what_a_poll_found_is_kept(database: Database) -> None:
    polled = record(database, create(database), GOOD)
    assert (polled.health, polled.reason) == (FeedHealth.FRESH, "12 new papers")
    assert (polled.progress, polled.state.progress) == (PROGRESS, PROGRESS)
    assert (polled.next_at, polled.expects_at) == (GOOD["next_at"], GOOD["expects_at"])
    assert (polled.last_good_at, polled.last_news_at) == (NOW, NOW)


@pytest.mark.accept("F08", part="kept")
def test_a_failed_poll_leaves_the_last_good_one_in_place(database: Database) -> None:
    polled = record(database, record(database, create(database), GOOD), BAD)
    assert (polled.health, polled.failures) == (FeedHealth.FAILED, 1)
    assert (polled.last_good_at, polled.last_news_at) == (NOW, NOW)


@pytest.mark.accept("F08", part="paused")
def test_a_feed_switched_off_reads_as_paused_and_keeps_what_was_known(
    database: Database,
) -> None:
    polled = record(database, create(database), BAD)
    off = change(database, polled, replace(ARXIV, enabled=False))
    assert off == replace(polled, enabled=False, health=FeedHealth.PAUSED)
    assert change(database, off, ARXIV) == polled


def test_a_feed_deleted_during_its_poll_is_no_error(database: Database) -> None:
    feed = create(database)
    with database.writing() as work:
        work[FeedStore].delete(feed.id)
        work[FeedStore].record_poll(replace(feed, **GOOD))
        assert work[FeedStore].page(FeedId(0), limit=1) == []


def test_runs_are_read_newest_first_and_page_by_page(database: Database) -> None:
    feed, other = create(database), create(database, replace(ARXIV, name="ml"))
    with database.writing() as work:
        ids = [work[FeedStore].start_run(feed.id, source=f"r{n}", now=NOW) for n in range(3)]
        work[FeedStore].start_run(other.id, source="other", now=NOW)
        work[FeedStore].finish_run(
            ids[0], state="failed", counts={"new": 1}, error="gone", now=NOW + MINUTE
        )
        newest = work[FeedStore].runs(feed.id, before=None, limit=2)
        (oldest,) = work[FeedStore].runs(feed.id, before=newest[-1].id, limit=2)
    assert [run.id for run in newest] == [ids[2], ids[1]]
    assert (newest[0].state, newest[0].counts, newest[0].finished_at) == ("running", {}, None)
    assert (oldest.state, oldest.counts, oldest.error) == ("failed", {"new": 1}, "gone")
    assert (oldest.started_at, oldest.finished_at) == (NOW, NOW + MINUTE)


def test_rejects_are_read_newest_first_and_page_by_page(database: Database) -> None:
    feed = create(database)
    rejects = [Reject(reason="no-title", detail=f"d{n}", position=n) for n in range(1, 4)]
    with database.writing() as work:
        run = work[FeedStore].start_run(feed.id, source="cs", now=NOW)
        work[FeedStore].keep_rejects(run, rejects, now=NOW)
        newest = work[FeedStore].rejects(feed.id, before=None, limit=2)
        (oldest,) = work[FeedStore].rejects(feed.id, before=newest[-1].id, limit=2)
    assert [kept.detail for kept in newest] == ["d3", "d2"]
    assert (oldest.run, oldest.reason, oldest.position) == (run, "no-title", 1)
    assert (oldest.excerpt, oldest.created_at - NOW) == ("", timedelta(0))


def test_changes_of_many_at_once_to_a_feed_they_hold_are_all_kept(database: Database) -> None:
    feed = create(database)

    def change(number: int) -> None:
        def do(work: Transaction) -> None:
            held = work[FeedStore].get_for_update(feed.id)
            settings = {**held.settings, f"s{number}": "x"}
            work[FeedStore].update(feed.id, replace(ARXIV, settings=settings), now=NOW)

        transactions.write(database, do)

    at_once(THREADS, change)
    assert len(reread(database, feed).settings) == len(ARXIV.settings) + THREADS


def test_a_feed_that_does_not_exist_cannot_be_held(database: Database) -> None:
    with database.writing() as work, pytest.raises(NotFound):
        work[FeedStore].get_for_update(NOBODY)


def test_what_each_feed_listed_for_the_first_time_is_counted(database: Database) -> None:
    feeds = [create(database, replace(ARXIV, name=name)) for name in ("a", "b", "c")]
    with database.writing() as work:
        saved = list(work[PaperStore].save([write(paper(n)) for n in (1, 2, 3)], now=NOW).values())
        for feed, papers, at in (
            (feeds[0], saved[:1], NOW),
            (feeds[0], saved, NOW + HOUR),
            (feeds[1], saved[:1], NOW + 2 * HOUR),
            (feeds[2], saved, NOW + 2 * HOUR + MINUTE),
        ):
            work[PaperStore].list_papers(feed.id, [listing(one) for one in papers], now=at)
        assert work[FeedStore].brought(since=NOW, until=NOW + 2 * HOUR) == {
            feeds[0].id: 2,
            feeds[1].id: 1,
        }
