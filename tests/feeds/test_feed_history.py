"""What a feed's runs leave for its operator, and what is told when a source changes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from paperround.core.rates import Turn
from paperround.db.limits import Limiter
from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import AlarmKind, FeedHealth, NewFeed
from paperround.http.model import FetchRequest
from paperround.ops.alerts import feed_alerts
from paperround.papers.model import FeedId
from tests.fakes import Neighbours
from tests.feeds.arxiv_samples import item, listing, rss
from tests.feeds.feed_context import FOUR, HOUR, MINUTE, ML, NOW, Reply, Room, batch, failing

DAY = timedelta(days=1)
MORNING = datetime(2026, 1, 28, 7, tzinfo=UTC)


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


# --- runs --------------------------------------------------------------------------------------


@pytest.mark.accept("F08", part="run history")
def test_a_run_says_what_was_asked_and_what_came_of_it(room: Room) -> None:
    feed = room.add(FOUR)
    answers = {"cs.AI": batch(1, 3), "cs.CL": batch(3, 2), "cs.LG": rss(), "hep-th": rss()}
    room.answers |= answers
    room.poll()
    (run,) = room.runs(feed)
    assert run.counts["requests"] == 4
    assert run.counts["bytes"] == sum(map(len, answers.values()))
    assert (run.counts["new"], run.counts["unchanged"], run.counts["unseen"]) == (4, 1, 4)
    assert run.counts["batch"] == 4
    assert run.names["new"] == [f"arxiv:2601.{n:05}" for n in range(1, 5)]
    assert run.names["unchanged"] == ["arxiv:2601.00003"]
    assert run.health is FeedHealth.FRESH
    assert run.finished_at is not None
    assert run.finished_at - run.started_at >= timedelta(seconds=9)


@pytest.mark.accept("F08", part="run history")
def test_a_run_names_the_first_twenty_of_each_kind_of_paper(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = batch(count=50)
    room.poll()
    room.answers["cs.AI"] = rss(item("2601.00001v1", title="Better"), item("2601.00002v1"))
    room.poll(HOUR)
    second, first = room.runs(feed)
    assert (len(first.names["new"]), first.counts["new"]) == (20, 50)
    assert second.names == {"changed": ["arxiv:2601.00001", "arxiv:2601.00002"]}


@pytest.mark.accept("F08", part="run history")
def test_failed_and_unchanged_runs_say_how_the_feed_was_at_their_end(room: Room) -> None:
    feed = room.add(FOUR)
    room.answers["cs.CL"] = failing(500)
    room.poll()
    room.answers["cs.CL"] = rss()
    room.poll_next(feed)
    after, failed = room.runs(feed)
    assert (failed.state, failed.health, failed.counts["requests"]) == ("failed", "failed", 2)
    assert (after.state, after.health, after.counts["requests"]) == ("done", "fresh", 3)


# --- alarms ------------------------------------------------------------------------------------


def days(room: Room, batches: list[bytes], first: int = 0) -> None:
    """One batch on each working day, from Wednesday 28 January on, read soon after it is out."""
    for number, papers in enumerate(batches, start=first):
        room.clock.moment = MORNING + (number + 2 * ((number + 2) // 5)) * DAY
        room.answers["cs.AI"] = papers
        room.poll()


def usual(count: int = 5, size: int = 30) -> list[bytes]:
    return [batch(1 + 100 * n, size) for n in range(count)]


def alerts(room: Room, feed: FeedId) -> list[tuple[str, str]]:
    return [(alert.key, alert.subject) for alert in feed_alerts([room.feed(feed)])]


@pytest.fixture
def morning(database: SqlDatabase) -> Room:
    room = Room(database)
    room.clock.moment = MORNING
    return room


@pytest.mark.accept("F08", part="shrinking source")
def test_a_source_that_shrinks_is_told_once_until_it_is_well(morning: Room) -> None:
    feed = morning.add(ML)
    days(morning, usual())
    assert alerts(morning, feed) == []
    days(morning, [batch(1001, 3)], first=5)
    standing = morning.feed(feed)
    assert (standing.health, standing.reason) == (
        FeedHealth.FRESH,
        "3 new; only 3 papers where 30 are usual",
    )
    ((key, subject),) = alerts(morning, feed)
    assert subject == "The feed arxiv-ml has shrunk"
    morning.poll(HOUR)  # the same papers again
    assert alerts(morning, feed) == [(key, subject)]
    assert morning.feed(feed).reason.endswith("; only 3 papers where 30 are usual")


@pytest.mark.accept("F08", part="shrinking source")
def test_a_new_feed_that_shrinks_says_so_without_an_alert(room: Room) -> None:
    feed = room.add(JOURNAL)
    for papers in (issue(0, 160), issue(158, 2), issue(158, 2)):
        room.answers["journal.example"] = papers
        room.poll_next(feed)
    assert room.feed(feed).reason.endswith("; only 2 papers where there were 160")
    assert alerts(room, feed) == []
    room.answers["journal.example"] = issue(1, 160)
    room.poll_next(feed)
    assert "where there were" not in room.feed(feed).reason


JOURNAL = NewFeed(name="journal", kind="feed", url="https://journal.example/rss")


def issue(first: int, count: int) -> bytes:
    items = "".join(
        f"<item><title>Study {n}</title><link>https://journal.example/{n}</link>"
        f"<description>What study {n} found.</description></item>"
        for n in range(first, first + count)
    )
    return f'<rss version="2.0"><channel><title>J</title>{items}</channel></rss>'.encode()


@pytest.mark.accept("F08", part="without a rhythm")
def test_a_journal_that_keeps_three_known_papers_of_forty_is_told_and_so_is_one_of_none(
    room: Room,
) -> None:
    feed = room.add(JOURNAL)
    for first in range(6):
        room.answers["journal.example"] = issue(first, 40)
        room.poll_next(feed)
    assert alerts(room, feed) == []
    room.answers["journal.example"] = issue(3, 3)
    room.poll_next(feed)
    ((_, subject),) = alerts(room, feed)
    assert subject == "The feed journal has shrunk"
    room.answers["journal.example"] = issue(6, 40)
    room.poll_next(feed)
    assert alerts(room, feed) == []
    room.answers["journal.example"] = issue(0, 0)
    for _ in range(2):
        room.poll_next(feed)
        assert room.feed(feed).health is FeedHealth.STALE
        assert room.feed(feed).reason.startswith("zero papers where the last batch had 40")
    room.answers["journal.example"] = issue(7, 40)
    room.poll_next(feed)
    assert alerts(room, feed) == []


@pytest.mark.accept("F08", part="growing source")
def test_a_source_that_grows_tenfold_is_told(morning: Room) -> None:
    feed = morning.add(ML)
    days(morning, [*usual(size=12), batch(1001, 130)])
    alarm = morning.feed(feed).progress.alarm
    assert alarm is not None
    assert (alarm.kind, alarm.words) == (AlarmKind.GROWN, "130 papers where 12 are usual")


def untitled(count: int) -> bytes:
    return rss(*(item(f"2601.{1000 + n:05}v1", title="") for n in range(count)))


@pytest.mark.accept("F08", part="reshaped source")
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (batch(1001, 30).replace(b"We study.", b""), "30 of 30 papers have no abstracts"),
        (untitled(30), "30 of 30 entries could not be used"),
    ],
)
def test_a_source_whose_shape_changes_is_told(morning: Room, broken: bytes, words: str) -> None:
    feed = morning.add(ML)
    days(morning, [*usual(), broken])
    alarm = morning.feed(feed).progress.alarm
    assert alarm is not None
    assert alarm.kind is AlarmKind.RESHAPED
    assert alarm.words.startswith(words)


def test_nothing_but_rejects_is_no_empty_day(room: Room) -> None:
    room.add(ML)
    room.answers["cs.AI"] = rss(*(item(f"2601.{n:05}v1", title="") for n in range(4)))
    (report,) = room.poll()
    assert report.health is FeedHealth.STALE
    assert report.reason.startswith("none of 4 entries is usable")


# --- another witness ---------------------------------------------------------------------------


def late(room: Room, said: bytes | Exception | Callable[[FetchRequest], Reply]) -> FeedId:
    """A feed that shows yesterday's batch again, four hours after today's was expected."""
    feed = room.add(ML)
    room.answers |= {"list/cs.AI/new": said, "cs.AI": batch()}
    room.poll()
    room.clock.moment = datetime(2026, 1, 29, 9, 30, tzinfo=UTC)
    room.services.asked.clear()
    room.poll()
    return feed


@pytest.mark.accept("F03", part="witness")
def test_a_feed_is_called_stale_with_what_the_listing_has(room: Room) -> None:
    feed = room.feed(late(room, listing("Thursday, 29 January 2026", 132)))
    assert feed.health is FeedHealth.STALE
    assert feed.reason.startswith("the same papers again")
    assert feed.reason.endswith(
        "arXiv's own listing has Thu 29 Jan, 132 entries: its feed is behind"
    )
    assert room.services.paths == ["cs.AI", "new"]
    (run, _) = room.runs(feed.id)
    assert (run.counts["requests"], run.health) == (2, FeedHealth.STALE)


@pytest.mark.accept("F03", part="witness")
def test_an_evening_without_announcement_is_no_stale_feed(room: Room) -> None:
    feed = room.feed(late(room, listing("Wednesday, 28 January 2026", 98)))
    assert (feed.health, feed.reason) == (
        FeedHealth.EMPTY,
        "arXiv's own listing still has Wed 28 Jan: nothing was announced since",
    )
    assert feed_alerts([feed]) == []


@pytest.mark.parametrize("said", [b"<html>busy</html>", failing(503)])
def test_a_witness_that_cannot_be_heard_changes_nothing(
    room: Room, said: bytes | Exception
) -> None:
    feed = room.feed(late(room, said))
    assert (feed.health, feed.failures) == (FeedHealth.STALE, 0)
    assert "no other source could be asked" in feed.reason


def test_nobody_is_asked_before_a_feed_looks_stale(room: Room) -> None:
    room.add(ML)
    room.answers["cs.AI"] = batch()
    room.poll()
    room.poll(HOUR)
    room.clock.moment = datetime(2026, 1, 29, 7, tzinfo=UTC)
    room.poll(MINUTE)
    assert room.services.paths == ["cs.AI"] * 3
    assert room.clock.moment > NOW


# --- one connection at a time ------------------------------------------------------------------


@pytest.mark.accept("F03", part="one connection")
@pytest.mark.parametrize("ends_well", [True, False])
def test_nobody_else_asks_a_service_while_it_answers(room: Room, ends_well: bool) -> None:
    turn = Turn(interval=timedelta(seconds=3), lease=MINUTE)

    def other_process() -> datetime | None:
        with room.database.writing() as work:
            return work[Limiter].take("arxiv", turn, Neighbours(), now=room.clock.now())

    def slow(_: FetchRequest) -> Reply:
        room.clock.moment += timedelta(seconds=20)
        assert other_process() is not None
        if ends_well:
            return Reply(batch())
        raise failing(500)

    room.add(ML)
    room.answers["cs.AI"] = slow
    room.poll()
    assert other_process() is None  # its answer is there, and the pause over
