"""A month of feeds: nothing is lost or doubled, nobody is asked too often, and what went wrong is
told once."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.due import create_feed, poll_due, polled_feeds
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import FeedHealth, FeedRun, NewFeed
from paperround.feeds.poll import PollReport
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.alerts import claim_episode, feed_alerts
from paperround.papers.model import FeedId, Paper
from paperround.papers.store.papers import PaperStore
from tests.fakes import Neighbours
from tests.feeds.feed_context import RunningClock
from tests.feeds.month import (
    LATE,
    MOVED,
    NO_LISTS,
    NO_PREPRINTS,
    OUTAGE,
    STANDSTILL,
    STORMS,
    Asked,
    Month,
    at,
    everything,
)

BEGIN, END = datetime(2025, 11, 30, 21, 3, tzinfo=UTC), datetime(2026, 1, 1, 4, tzinfo=UTC)
PAUSES = {"arxiv": 3.0, "huggingface": 1.0, "biorxiv": 1.0}
SHORTEST_BREAK = timedelta(minutes=10)
FEEDS = (
    NewFeed(name="ai", kind="arxiv", settings={"categories": "cs.AI"}),
    NewFeed(name="cv", kind="arxiv", settings={"categories": "cs.CV"}),
    NewFeed(name="th", kind="arxiv", settings={"categories": "hep-th"}),
    NewFeed(name="oai", kind="arxiv-oai", settings={"sets": "cs,physics:hep-th", "days": "4"}),
    NewFeed(name="hf", kind="hf-daily", settings={"days": "1"}),
    NewFeed(name="bio", kind="biorxiv", settings={"days": "2"}),
)


@dataclass
class Story:
    """What happened in the month."""

    database: SqlDatabase
    clock: RunningClock
    services: Month
    ids: dict[str, FeedId] = field(default_factory=dict)
    polls: list[tuple[datetime, PollReport]] = field(default_factory=list)
    alerts: list[tuple[datetime, str]] = field(default_factory=list)

    def live(self, every: timedelta) -> None:
        """Poll what is due and raise alerts, as a tick does, from the first day to the last."""
        feed_context = FeedContext(
            database=self.database,
            client=self.services,
            sources=SOURCES,
            clock=self.clock,
            processes=Neighbours(),
            pause=self.clock.pause,
        )
        for feed in FEEDS:
            self.ids[feed.name] = create_feed(feed_context, feed, now=BEGIN).id
        tick = BEGIN
        while tick < END:
            now = self.clock.moment = max(tick, self.clock.moment)
            self.polls += [(now, one) for one in poll_due(feed_context, now=now)]
            self._raise_alerts()
            tick += every

    def _raise_alerts(self) -> None:
        now = self.clock.now()
        with self.database.writing() as work:
            for alert in feed_alerts(polled_feeds(work)):
                if claim_episode(work, alert, now=now) is not None:
                    self.alerts.append((now, alert.subject))

    def runs(self, name: str, begin: datetime, end: datetime) -> list[FeedRun]:
        """The feed's runs that were begun then, oldest first."""
        with self.database.reading() as work:
            runs = work[FeedStore].runs(self.ids[name], before=None, limit=100_000)
        return [run for run in reversed(runs) if begin <= run.started_at < end]

    def healths(self, name: str, begin: datetime, end: datetime) -> set[FeedHealth | None]:
        return {run.health for run in self.runs(name, begin, end)}

    def reasons(self, name: str, begin: datetime, end: datetime) -> set[str]:
        return {one.reason for now, one in self.polls if one.feed == name and begin <= now < end}

    def paper(self, arxiv: str) -> Paper:
        with self.database.reading() as work:
            known = work[PaperStore].find([("arxiv", arxiv)])
            (found,) = work[PaperStore].load(set(known.values())).values()
        return found


def told(database: SqlDatabase, every: timedelta) -> Story:
    clock = RunningClock(BEGIN)
    story = Story(database, clock, Month(clock))
    story.live(every)
    return story


@pytest.mark.slow
@pytest.mark.early
@pytest.mark.accept("F08", part="a simulated month")
@pytest.mark.accept("F03", part="a simulated month")
@pytest.mark.accept("F02", part="moved and late papers")
@pytest.mark.accept("I11", part="a simulated month")
def test_a_month_in_steps_of_three_hours(sqlite_database: SqlDatabase) -> None:
    check(told(sqlite_database, timedelta(hours=3)))


@pytest.mark.long
@pytest.mark.accept("F08", part="a simulated month")
@pytest.mark.accept("F03", part="a simulated month")
def test_a_month_minute_by_minute(database: SqlDatabase) -> None:
    check(told(database, timedelta(minutes=1)))


def check(story: Story) -> None:
    """All that a month must show."""
    every_paper_is_stored_once(story)
    the_moved_and_the_late_paper_have_their_day(story)
    nobody_is_asked_too_soon(story.services.asked)
    nobody_asks_within_a_breaker(story.services.asked)
    known_answers_are_asked_for_conditionally(story.services.asked)
    each_event_shows_in_the_history(story)
    each_trouble_was_told_once(story)


def every_paper_is_stored_once(story: Story) -> None:
    wanted = everything()
    with story.database.reading() as work:
        known = work[PaperStore].find(wanted)
        total = work[PaperStore].count()
    assert wanted - set(known) == set()
    assert total == len(set(known.values())) == len(wanted)


def the_moved_and_the_late_paper_have_their_day(story: Story) -> None:
    assert story.paper(LATE).listed_on == date(2025, 12, 17)
    assert story.paper(MOVED).listed_on == date(2025, 12, 16)  # it was seen there first
    named = [
        (what, name)
        for run in story.runs("hf", at(16), at(20))
        for what, names in run.names.items()
        for name in names
        if what == "new"
    ]
    assert named.count(("new", f"arxiv:{MOVED}")) == 1
    assert named.count(("new", f"arxiv:{LATE}")) == 1


def nobody_is_asked_too_soon(asked: list[Asked]) -> None:
    for service, pause in PAUSES.items():
        own = [one for one in asked if one.service == service]
        assert len(own) > 100
        for before, after in pairwise(own):
            is_page = "/list/" in before.request.url
            least = timedelta(seconds=15.0 if is_page else pause)
            assert after.begin - before.begin >= least
            assert after.begin >= before.end  # one connection


def nobody_asks_within_a_breaker(asked: list[Asked]) -> None:
    closes: dict[str, datetime] = defaultdict(lambda: BEGIN)
    storms = 0
    for one in asked:
        assert one.begin >= closes[one.service]
        if one.status in {429, 503}:
            storms += 1
            wanted = timedelta(seconds=one.retry_after or 0)
            closes[one.service] = one.end + max(SHORTEST_BREAK, wanted)
    assert storms >= sum(one.status is not None for one in STORMS)


def known_answers_are_asked_for_conditionally(asked: list[Asked]) -> None:
    etags = dict[str, str]()
    unchanged = 0
    for one in asked:
        url = one.request.url
        is_watched = "/atom/" in url or url.endswith("&p=0")
        if is_watched and url in etags:
            assert one.request.headers.get("If-None-Match") == etags[url]
        if one.etag is not None and is_watched:
            etags[url] = one.etag
        unchanged += one.status == 304
    assert unchanged > 100


def each_event_shows_in_the_history(story: Story) -> None:
    fine = {FeedHealth.FRESH}
    assert story.healths("ai", at(2, 6), at(3, 5)) == fine
    assert story.healths("hf", at(2, 9), at(5)) == fine
    # storms
    assert FeedHealth.FAILED in {
        health for name in ("ai", "cv", "th", "oai") for health in story.healths(name, at(3), at(4))
    }
    assert story.healths("hf", at(10, 14), at(11)) == fine
    assert all(story.healths(name, at(3, 10), at(4)) == fine for name in ("ai", "cv", "th"))
    # a feed that stands still for a week, while the others do not
    for day in range(8, 13):
        assert FeedHealth.STALE in story.healths("cv", at(day, 8), at(day + 1))
        assert FeedHealth.STALE not in story.healths("ai", at(day), at(day + 1))
    assert any("its feed is behind" in one for one in story.reasons("cv", *STANDSTILL))
    assert FeedHealth.FRESH in story.healths("cv", at(13), at(14))
    # a weekend, and a holiday that no calendar has
    assert story.healths("ai", at(6, 6), at(8, 4)) == {FeedHealth.HOLIDAY}
    christmas = story.healths("ai", at(25, 9), at(26, 4))
    assert christmas == {FeedHealth.EMPTY}
    assert story.reasons("ai", at(25, 9), at(26, 4)) == {
        "arXiv's own listing still has Wed 24 Dec: nothing was announced since"
    }
    # half a day without arXiv
    for name in ("ai", "cv", "th"):
        assert story.healths(name, OUTAGE.begin + timedelta(hours=3), OUTAGE.end) == {
            FeedHealth.FAILED
        }
        assert FeedHealth.FRESH in story.healths(name, OUTAGE.end, at(19, 4))
    # days without Daily Papers, and without bioRxiv
    for name, storm in (("hf", NO_LISTS), ("bio", NO_PREPRINTS)):
        assert FeedHealth.FAILED in story.healths(name, storm.begin, storm.end)
        assert FeedHealth.FRESH in story.healths(name, storm.end, storm.end + timedelta(days=1))
    assert FeedHealth.FAILED not in story.healths("bio", at(1), NO_PREPRINTS.begin)


def each_trouble_was_told_once(story: Story) -> None:
    """Once in each event, and nothing outside of them."""
    told = [(event_of(now), subject) for now, subject in story.alerts]
    assert len(told) == len(set(told))
    assert [subject for begin, subject in told if begin == OUTAGE.begin] == [
        "4 feeds are failing for one reason"
    ]
    assert (STANDSTILL[0], "The feed cv is stale") in told
    assert all(" failing" in subject for begin, subject in told if begin != STANDSTILL[0])
    assert [subject for begin, subject in told if begin == STANDSTILL[0]] == [
        "The feed cv is stale"
    ]


def event_of(now: datetime) -> datetime | None:
    """When what went wrong then had begun; None when nothing did."""
    for storm in STORMS:
        if storm.begin <= now <= storm.end + timedelta(hours=1):
            return storm.begin
    return STANDSTILL[0] if STANDSTILL[0] <= now < STANDSTILL[1] else None
