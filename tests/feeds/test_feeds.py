"""Live feeds, polled through fake services that answer in real shapes, on both databases."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paperround.core.errors import Conflict, InvalidInput
from paperround.db import transactions
from paperround.db.limits import Limiter
from paperround.db.transactions import SqlDatabase
from paperround.feeds.due import delete_feed, log_poll, poll_due, run_now
from paperround.feeds.files import iter_feeds
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest
from paperround.papers.model import Paper, Show
from paperround.papers.store.papers import PaperStore
from tests.feeds.arxiv_samples import item, rss
from tests.feeds.feed_context import (
    FOUR,
    HF,
    HOUR,
    MINUTE,
    ML,
    NOW,
    Reply,
    Room,
    RunningClock,
    batch,
    failing,
    update_feed,
)

DAY = 24 * HOUR


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


# --- a good poll -------------------------------------------------------------------------------


@pytest.mark.accept("F08", part="fresh")
def test_a_due_feed_is_read_and_says_what_it_brought(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = batch(count=3)
    (report,) = room.poll()
    assert (report.feed, report.new, report.error) == ("arxiv-ml", 3, None)
    standing = room.feed(feed)
    assert (standing.health, standing.reason) == (FeedHealth.FRESH, "3 new")
    assert standing.last_news_at == standing.last_good_at == NOW
    assert standing.expects_at == datetime(2026, 1, 29, 5, 30, tzinfo=UTC)
    assert standing.next_at is not None
    assert NOW + 50 * MINUTE <= standing.next_at <= NOW + HOUR
    (run,) = room.runs(feed)
    assert (run.state, run.counts["records"], run.error) == ("done", 3, None)
    assert room.poll() == []


@pytest.mark.accept("I9", part="live")
def test_the_same_bytes_again_change_nothing(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = batch(count=3)
    room.poll()
    (again,) = room.poll(HOUR)
    assert (again.records, again.unchanged, again.new, again.changed) == (3, 3, 0, 0)
    assert again.reason == "the same papers again, no new papers since 28 Jan 12:00 UTC"
    assert room.feed(feed).last_news_at == NOW
    assert room.papers == 3


@pytest.mark.accept("F03", part="repeated batch")
def test_yesterdays_batch_in_place_of_todays_makes_the_feed_stale(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = batch()
    room.poll()
    room.clock.moment = NOW + 23 * HOUR
    (stale,) = room.poll()
    assert stale.health is FeedHealth.STALE
    assert stale.reason.startswith("the same papers again")
    room.answers["cs.AI"] = batch(first=9)
    assert room.poll_next(feed).health is FeedHealth.FRESH


@pytest.mark.accept("F08", part="holiday")
def test_a_day_without_announcement_is_a_holiday(database: SqlDatabase) -> None:
    room = Room(database, RunningClock(datetime(2026, 1, 31, 12, tzinfo=UTC)))
    room.add(ML)
    (report,) = room.poll()
    assert (report.health, report.reason) == (
        FeedHealth.HOLIDAY,
        "no batch is expected today; no papers yet",
    )


def test_papers_that_another_feed_brought_first_are_news_of_this_feed_too(room: Room) -> None:
    room.add(ML)
    other = room.add(replace(ML, name="again"))
    room.answers["cs.AI"] = batch(count=3)
    reports = {report.id: report for report in room.poll()}
    assert (reports[other].new, reports[other].reason) == (0, "3 new")


@pytest.mark.accept("I6", part="live")
def test_one_bad_record_among_200_costs_one_record(room: Room) -> None:
    feed = room.add(ML)
    good = (item(f"2601.{n:05}v1", title=f"Study {n}") for n in range(199))
    room.answers["cs.AI"] = rss(*good, item("2601.99999v1", title=""))
    (report,) = room.poll()
    assert (report.new, sum(report.rejects.values()), report.error) == (199, 1, None)
    with room.database.reading() as work:
        (kept,) = work[FeedStore].rejects(feed, before=None, limit=9)
    assert kept.reason in report.rejects
    assert kept.detail


# --- asking politely ---------------------------------------------------------------------------


@pytest.mark.accept("F03", part="limiter")
def test_two_feeds_of_one_service_share_its_turns(room: Room) -> None:
    room.add(FOUR)
    room.add(replace(ML, name="more"))
    room.poll()
    assert room.clock.paused == [3.0] * 4
    assert len(room.services.asked) == 5


@pytest.mark.accept("I12", part="not modified")
def test_an_unchanged_answer_is_asked_for_with_its_etag(room: Room) -> None:
    def conditional(request: FetchRequest) -> Reply:
        if request.headers.get("If-None-Match") == '"one"':
            return Reply(status=304)
        return Reply(batch(), headers={"etag": '"one"'})

    feed = room.add(ML)
    room.answers["cs.AI"] = conditional
    room.poll()
    for _ in range(2):
        (report,) = room.poll(HOUR)
        assert (report.records, report.health) == (0, FeedHealth.FRESH)
    assert [run.state for run in room.runs(feed)] == ["unchanged", "unchanged", "done"]


@pytest.mark.accept("F06", part="listing")
def test_the_backlog_of_a_new_feed_is_no_news(room: Room) -> None:
    room.add(NewFeed(name="journal", kind="feed", url="https://journal.example/rss"))
    room.answers["journal.example"] = rss(item(day="Sun, 28 Jan 2024 06:00:00 GMT"))
    room.poll()
    assert papers(room)[0].counts_from == datetime(2024, 1, 28, 6, tzinfo=UTC)
    later = item(day="Wed, 28 Jan 2026 06:00:00 GMT", title="A study, edited")
    room.answers["journal.example"] = rss(later)
    room.poll(HOUR)
    assert papers(room)[0].title == "A study, edited"
    assert papers(room)[0].counts_from == datetime(2024, 1, 28, 6, tzinfo=UTC)


def test_validators_of_addresses_that_are_asked_no_more_are_forgotten(room: Room) -> None:
    feed = room.add(HF)
    room.answers["daily_papers"] = lambda _: Reply(b"[]", headers={"etag": '"x"'})
    room.poll()
    for _ in range(3):
        room.poll(24 * HOUR)
    days = {url.partition("date=")[2][:10] for url in room.feed(feed).progress.validators}
    assert days == {"2026-01-31", "2026-01-30", "2026-01-29"}  # the 28th is forgotten


@pytest.mark.accept("F03", part="breaker")
@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_is_asked_too_much_is_left_alone_by_all_its_feeds(
    room: Room, status: int
) -> None:
    feed = room.add(ML)
    other = room.add(replace(ML, name="other"))
    room.answers["cs.AI"] = failing(status)
    failed, waiting = room.poll()
    assert (failed.id, failed.health) == (feed, FeedHealth.FAILED)
    assert waiting.put_off
    assert (waiting.health, waiting.error) == (FeedHealth.NEW, None)
    assert room.feed(other).next_at == NOW + 10 * MINUTE
    assert len(room.services.asked) == 1
    assert room.runs(other) == []
    room.answers.clear()
    assert room.poll_next(other).health is FeedHealth.EMPTY


@pytest.mark.accept("I12", part="gone")
def test_a_feed_that_is_gone_for_good_is_switched_off_with_its_reason(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = failing(410)
    (report,) = room.poll()
    standing = room.feed(feed)
    assert (report.health, standing.health, standing.enabled) == ("paused", "paused", False)
    assert "status 410" in standing.reason
    assert standing.gone_at == NOW
    assert room.poll(48 * HOUR) == []
    update_feed(room.feed_context, feed, replace(ML, enabled=True), now=room.clock.now())
    assert room.feed(feed).gone_at is None


# --- when it goes wrong ------------------------------------------------------------------------


@pytest.mark.accept("I11", part="alone")
def test_an_unforeseen_error_in_one_feed_does_not_keep_the_next_from_being_read(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.add(ML)
    room.add(replace(ML, name="next", settings={"categories": "cs.LG"}))
    room.answers |= {"cs.AI": ZeroDivisionError("by zero"), "cs.LG": batch()}
    failed, read = room.poll()
    assert failed.error == "an internal error (ZeroDivisionError): the log has the details"
    assert (read.new, read.error) == (2, None)
    assert "by zero" in caplog.text


@pytest.mark.accept("F46", part="warnings", mutant="a-failed-feed-is-no-warning")
def test_a_feed_that_fails_is_a_warning_in_the_log(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "paperround")
    room.add(ML)
    room.add(replace(ML, name="next", settings={"categories": "cs.LG"}))
    room.answers |= {"cs.AI": failing(500), "cs.LG": batch()}
    poll_due(room.feed_context, now=NOW, told=log_poll)
    told = {one.getMessage(): one.levelname for one in caplog.records}
    assert told == {
        "the feed arxiv-ml is failed: rss.arxiv.org did not answer (status 500)": "WARNING",
        "the feed next is fresh: 2 new": "INFO",
    }


def test_an_answer_that_is_no_feed_is_a_failed_run_with_our_words(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = b"<html>We will be back soon</html>"
    (report,) = room.poll()
    (run,) = room.runs(feed)
    assert (run.state, run.error) == ("failed", report.error)
    assert "rss.arxiv.org answered 200" in room.feed(feed).reason


@pytest.mark.accept("F08", part="resume")
def test_a_poll_that_is_killed_goes_on_where_it_was(room: Room) -> None:
    feed = room.add(FOUR)
    room.answers |= {"cs.AI": batch(1), "cs.CL": batch(5), "cs.LG": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        room.poll()
    assert room.papers == 4
    assert room.poll(5 * MINUTE) == []  # it may still run elsewhere
    del room.answers["cs.LG"]
    room.services.asked.clear()
    (report,) = room.poll(15 * MINUTE)
    assert room.services.paths == ["cs.LG", "hep-th"]
    assert (report.error, room.feed(feed).progress.cursor) == (None, None)
    assert room.feed(feed).last_news_at == NOW


def test_a_poll_whose_turn_is_far_off_is_put_off_and_keeps_its_place(room: Room) -> None:
    feed = room.add(FOUR)

    def tripping(_: FetchRequest) -> Reply:
        until = room.clock.now() + HOUR
        with room.database.writing() as work:
            work[Limiter].trip("arxiv", until=until, now=room.clock.now())
        return Reply(batch())

    room.answers["cs.AI"] = tripping
    (report,) = room.poll()
    assert (report.put_off, report.new, report.error) == (True, 2, None)
    assert room.feed(feed).next_at == NOW + HOUR
    assert [run.state for run in room.runs(feed)] == ["put-off"]
    room.poll_next(feed)
    assert room.services.paths == ["cs.AI", "cs.CL", "cs.LG", "hep-th"]


@pytest.mark.accept("F08", part="put off")
def test_a_feed_that_may_not_be_asked_is_stale_when_its_batch_is_late(room: Room) -> None:
    feed = room.add(ML)
    room.answers["cs.AI"] = batch()
    room.poll()
    with room.database.writing() as work:
        work[Limiter].trip("arxiv", until=NOW + 3 * DAY, now=NOW)
    assert room.poll_next(feed).put_off
    assert room.feed(feed).health is FeedHealth.FRESH
    report = room.poll_next(feed)
    assert room.clock.moment == datetime(2026, 1, 29, 8, 31, tzinfo=UTC)  # the batch is of 5:30
    standing = room.feed(feed)
    assert (report.put_off, standing.health, standing.failures) == (True, FeedHealth.STALE, 0)
    assert standing.reason == (
        "arxiv must not be queried before 12:00 UTC; no new papers since 28 Jan 12:00 UTC; "
        "a batch was expected at 29 Jan 05:30 UTC"
    )
    assert standing.next_at == NOW + 3 * DAY


@pytest.mark.postgres
@pytest.mark.accept("D2", part="polls")
def test_a_poll_that_loses_every_race_is_put_off_and_keeps_its_place(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = room.add(FOUR)
    room.answers["cs"] = batch()
    monkeypatch.setattr(transactions, "LONGEST_WAIT", 0.0)
    store, asked = PaperStore.save, room.services.asked

    def lose(self: PaperStore, *writes: object, **when: object) -> object:
        if asked[-1].url.endswith("cs.CL"):
            raise Conflict
        return store(self, *writes, **when)  # type: ignore[arg-type]

    monkeypatch.setattr(PaperStore, "save", lose)
    (report,) = room.poll()
    assert (report.put_off, report.error) == (True, None)
    assert report.reason == "put off: another process wrote the same papers at the same time"
    assert (room.feed(feed).health, room.feed(feed).failures) == (FeedHealth.NEW, 0)
    monkeypatch.setattr(PaperStore, "save", store)
    assert room.poll_next(feed).error is None
    assert room.services.paths == ["cs.AI", "cs.CL", "cs.CL", "cs.LG", "hep-th"]


def test_a_feed_that_is_deleted_while_it_is_read_is_no_error_of_the_others(room: Room) -> None:
    feed = room.add(ML)

    def deleting(_: FetchRequest) -> Reply:
        delete_feed(room.feed_context, feed, now=NOW)
        return Reply(batch())

    room.answers["cs.AI"] = deleting
    (report,) = room.poll()
    assert (report.put_off, report.error) == (True, None)
    assert report.reason == "put off: the feed was changed or deleted while it was read"


def test_a_poll_of_a_feed_that_is_switched_off_leaves_its_own_health_when_put_off(
    room: Room,
) -> None:
    feed = room.add(replace(ML, enabled=False))
    with room.database.writing() as work:
        work[Limiter].trip("arxiv", until=NOW + HOUR, now=NOW)
    assert run_now(room.feed_context, feed, now=NOW).put_off
    update_feed(room.feed_context, feed, ML, now=NOW)
    assert room.feed(feed).health is FeedHealth.NEW


def test_a_feed_of_files_is_not_read_by_itself(room: Room) -> None:
    with room.database.writing() as work:
        files = work[FeedStore].get_or_create("file:jsonl", "file", now=NOW)
    with pytest.raises(InvalidInput, match="not polled"):
        run_now(room.feed_context, files.id, now=NOW)
    assert list(iter_feeds(room.feed_context)) == []


@pytest.mark.accept("F51", part="a feed's own word")
def test_how_much_is_shown_is_what_the_operator_of_the_feed_says(room: Room) -> None:
    room.answers["cs.AI"] = rss(item())
    feed = room.add(replace(ML, show=Show.LINK))
    room.poll()
    assert [paper.show for paper in papers(room)] == [Show.LINK]
    for show in (Show.GIST, Show.LINK, None, Show.LINK):
        said = replace(ML, show=show)
        update_feed(room.feed_context, feed, said, now=room.clock.now())
        room.poll_next(feed)
        assert [paper.show for paper in papers(room)] == [show or Show.FULL]


def test_a_changed_show_applies_to_unchanged_pages_and_to_papers_no_longer_listed(
    room: Room,
) -> None:
    room.answers["cs.AI"] = rss(item())
    feed = room.add(replace(ML, show=Show.LINK))
    room.poll()
    others = rss(item("2601.00002v1", title="Another study"))

    def unless_known(request: FetchRequest) -> Reply:
        if request.headers:
            return Reply(status=304)
        return Reply(others, headers={"etag": "b"})

    room.answers["cs.AI"] = unless_known
    room.poll_next(feed)
    update_feed(room.feed_context, feed, replace(ML, show=Show.FULL), now=room.clock.now())
    room.poll()
    assert [paper.show for paper in papers(room, "2601.00001")] == [Show.FULL]
    assert [paper.show for paper in papers(room, "2601.00002")] == [Show.FULL]


def test_a_changed_show_waits_for_the_next_poll_if_another_feed_lists_the_paper(room: Room) -> None:
    room.answers["cs"] = rss(item())
    room.add(replace(ML, name="other", settings={"categories": "cs.CL"}))
    feed = room.add(ML)
    room.poll()
    update_feed(room.feed_context, feed, replace(ML, show=Show.LINK), now=room.clock.now())
    assert [paper.show for paper in papers(room)] == [Show.FULL]


def papers(room: Room, arxiv: str = "2601.00001") -> list[Paper]:
    with room.database.reading() as work:
        known = work[PaperStore].find([("arxiv", arxiv)])
        return list(work[PaperStore].load(set(known.values())).values())
