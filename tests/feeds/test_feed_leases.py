"""A feed is lent to one poll at a time, and an operator's word ends the loan."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.due import run_now
from paperround.feeds.model import FeedHealth
from paperround.feeds.poll import PollReport
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from tests.feeds.feed_context import FOUR, HF, HOUR, ML, Reply, Room, batch, failing, update_feed


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def once(do: Callable[[], object], answer: Callable[[], Reply]) -> Callable[[FetchRequest], Reply]:
    """Answers; before the first answer something else is done."""
    left = [do]

    def reply(_: FetchRequest) -> Reply:
        if left:
            left.pop()()
        return answer()

    return reply


def page() -> Reply:
    return Reply(batch(), headers={"etag": '"x"'})


@pytest.mark.accept("F08", part="changed meanwhile")
def test_a_feed_that_is_pointed_elsewhere_while_it_is_read_stays_pointed_there(room: Room) -> None:
    feed = room.add(ML)
    elsewhere = replace(HF, name=ML.name)
    room.answers["daily_papers"] = b"[]"
    room.answers["cs.AI"] = once(
        lambda: update_feed(room.feed_context, feed, elsewhere, now=room.clock.now()), page
    )
    first, second = room.poll()
    assert (first.put_off, first.error) == (True, None)
    assert first.reason == "put off: the feed was changed or deleted while it was read"
    assert second.health is FeedHealth.EMPTY
    standing = room.feed(feed)
    assert (standing.kind, standing.progress.batch) == ("hf-daily", None)
    assert "rss" not in str(standing.progress.validators)
    assert [run.state for run in room.runs(feed)] == ["done"]
    assert room.papers == 0


def test_a_feed_is_not_switched_off_because_its_old_address_is_gone(room: Room) -> None:
    feed = room.add(ML)

    def gone() -> Reply:
        raise failing(410)

    elsewhere = replace(HF, name=ML.name)
    room.answers["daily_papers"] = b"[]"
    room.answers["cs.AI"] = once(
        lambda: update_feed(room.feed_context, feed, elsewhere, now=room.clock.now()), gone
    )
    room.poll()
    standing = room.feed(feed)
    assert (standing.enabled, standing.gone_at, standing.failures) == (True, None, 0)


@pytest.mark.accept("F08", part="rights while it is read")
def test_nothing_is_shown_as_before_once_an_operator_said_how_much_is_shown(room: Room) -> None:
    feed = room.add(replace(ML, show=Show.FULL))
    less = replace(ML, show=Show.LINK)
    room.answers["cs.AI"] = once(
        lambda: update_feed(room.feed_context, feed, less, now=room.clock.now()), page
    )
    first, second = room.poll()
    assert (first.put_off, second.new) == (True, 2)
    with room.database.reading() as work:
        papers = work[PaperStore].load(work[PaperStore].find({("arxiv", "2601.00001")}).values())
    assert [paper.show for paper in papers.values()] == [Show.LINK]


def test_a_change_between_two_pages_ends_the_poll_behind_the_first(room: Room) -> None:
    feed = room.add(FOUR)
    room.answers["hep-th"] = once(
        lambda: update_feed(
            room.feed_context, feed, replace(FOUR, show=Show.GIST), now=room.clock.now()
        ),
        page,
    )
    (first,) = room.poll()
    assert room.papers == 0  # the page that came after the change
    (second,) = room.poll()
    assert (first.put_off, second.put_off) == (True, False)
    assert [run.state for run in room.runs(feed)] == ["done", "put-off"]


@pytest.mark.accept("F08", part="one poll at a time")
def test_a_feed_that_is_being_read_is_not_read_a_second_time(room: Room) -> None:
    feed = room.add(ML)
    others: list[PollReport] = []

    def run_it_now() -> None:
        others.append(run_now(room.feed_context, feed, now=room.clock.now()))
        with room.database.writing() as work:
            work[FeedStore].make_due(feed, now=room.clock.now())
        others.extend(room.poll())

    room.answers["cs.AI"] = once(run_it_now, page)
    (report,) = room.poll()
    assert [(one.put_off, one.reason) for one in others] == [
        (True, "put off: it is being polled already")
    ]
    assert (report.new, len(room.services.asked)) == (2, 1)
    assert room.feed(feed).reason == "2 new"
    assert not run_now(room.feed_context, feed, now=room.clock.now()).put_off


def test_a_poll_slower_than_its_lease_writes_nothing_once_another_took_over(room: Room) -> None:
    feed = room.add(ML)

    def be_slow() -> None:
        room.clock.moment += HOUR
        room.poll()

    room.answers["cs.AI"] = once(be_slow, page)
    (report,) = room.poll()
    assert report.put_off
    assert room.feed(feed).reason == "2 new"
