"""Alerts about feeds: what is a trouble, and that one cause is told once, however many it hits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.system_mail_model import Alert
from paperround.feeds.health import LOST_AFTER
from paperround.feeds.model import FeedHealth, LiveFeed, PollProgress
from paperround.ops.alerts import EPISODE_GAP, claim_episode, feed_alerts
from paperround.papers.model import FeedId
from tests.ops.ticking import DAY, HOUR, MINUTE
from tests.sample_database import NOW

FEED = LiveFeed(
    id=FeedId(7),
    name="daily",
    kind="rss",
    url=None,
    settings={},
    show=None,
    enabled=True,
    health=FeedHealth.FRESH,
    reason="3 new",
    progress=PollProgress(),
    failures=0,
    next_at=NOW,
    expects_at=None,
    last_good_at=NOW - HOUR,
    last_news_at=NOW - DAY,
    created_at=NOW - 9 * DAY,
)
STALE = replace(FEED, health=FeedHealth.STALE, reason="no new papers since Thursday")
FAILED = replace(FEED, health=FeedHealth.FAILED, reason="status 500", failures=LOST_AFTER)


def offline(number: int, **changes: object) -> LiveFeed:
    """A feed that cannot be read because there is no network."""
    reason = f"https://site{number}.example/feed cannot be reached"
    feed = replace(FAILED, id=FeedId(number), name=f"feed-{number}", reason=reason)
    return replace(feed, **changes)  # type: ignore[arg-type]


def told(database: SqlDatabase, feeds: Sequence[LiveFeed], now: datetime) -> list[Alert]:
    with database.writing() as work:
        return [one for one in feed_alerts(feeds) if claim_episode(work, one, now=now)]


# --- what is a trouble -------------------------------------------------------------------------


@pytest.mark.accept("I12", part="told")
def test_a_feed_that_is_switched_off_because_its_source_is_gone_is_told_once() -> None:
    gone = replace(FEED, health=FeedHealth.PAUSED, enabled=False, gone_at=NOW, reason="status 410")
    (alert,) = feed_alerts([gone])
    assert alert.subject == f"The feed {FEED.name} has ended and was switched off"
    assert alert.lines[0] == "status 410."
    assert feed_alerts([replace(gone, gone_at=None)]) == []


@pytest.mark.accept("F08", part="alarm")
def test_a_feed_that_is_stale_or_fails_for_long_is_a_trouble() -> None:
    hiccup = replace(FAILED, failures=LOST_AFTER - 1, reason="status 503")
    alerts = feed_alerts([FEED, STALE, FAILED, hiccup])
    assert [one.subject for one in alerts] == [
        "The feed daily is stale",
        "The feed daily is failing",
    ]
    assert [one.lines[0] for one in alerts] == [f"{STALE.reason}.", "status 500."]
    assert alerts[0].lines[1] == "It last brought new papers at 2026-01-29T07:00:00Z."
    assert not any(one.stops_mail for one in alerts)


@pytest.mark.accept("F60", part="no news that never was", mutant="an-alert-invents-earlier-papers")
def test_an_alert_about_a_feed_that_never_brought_papers_says_so() -> None:
    never = replace(FAILED, last_good_at=None, last_news_at=None)
    (alert,) = feed_alerts([never])
    assert alert.lines[1] == "It has not delivered any papers yet."


# --- one alert for one cause -------------------------------------------------------------------


@pytest.mark.accept("O8", part="one alert for one cause", mutant="each-feed-has-a-cause-of-its-own")
def test_feeds_that_fail_for_one_reason_are_one_alert_that_names_a_few(
    database: SqlDatabase,
) -> None:
    (alert,) = told(database, [offline(number) for number in range(1, 16)], NOW)
    assert alert.subject == "15 feeds are failing for one reason"
    assert alert.lines[0].startswith("https://site1.example/feed cannot be reached. ")
    assert alert.lines[1] == "They are feed-1, feed-2, feed-3, feed-4, feed-5 and 10 more."


@pytest.mark.accept("F60", part="words of an alert")
def test_an_alert_ends_its_sentences_and_claims_no_feeds_that_are_not_there(
    database: SqlDatabase,
) -> None:
    (alert,) = told(database, [offline(1), offline(2)], NOW)
    assert alert.lines == (
        " ".join(f"https://site{n}.example/feed cannot be reached." for n in (1, 2)),
        "They are feed-1, feed-2.",
        "No other feed brings papers now.",
    )


def test_feeds_of_one_kind_whose_batch_did_not_come_are_one_alert() -> None:
    expected = replace(STALE, kind="arxiv", expects_at=NOW - 4 * HOUR)
    since = replace(expected, id=FeedId(8), name="other", reason="no papers since Wednesday")
    (alert,) = feed_alerts([expected, since])
    assert alert.subject == "2 feeds are stale for one reason"


def test_another_reason_is_another_alert() -> None:
    assert len(feed_alerts([offline(1), FAILED, STALE])) == 3


def test_a_feed_that_just_failed_is_counted_once_another_has_failed_for_long() -> None:
    just = offline(2, failures=1)
    assert feed_alerts([just]) == []
    (alert,) = feed_alerts([offline(1), just])
    assert alert.subject == "2 feeds are failing for one reason"


def test_a_cause_that_reaches_more_feeds_is_not_told_again(database: SqlDatabase) -> None:
    assert len(told(database, [offline(1)], NOW)) == 1
    for minutes in range(1, 150):
        many = [offline(number) for number in range(1, 2 + minutes // 10)]
        assert told(database, many, NOW + minutes * MINUTE) == []


def test_a_cause_that_lasts_is_told_once_however_seldom_it_is_looked_at(
    database: SqlDatabase,
) -> None:
    assert len(told(database, [offline(1), offline(2)], NOW)) == 1
    assert told(database, [offline(1), offline(2)], NOW + 9 * DAY) == []


def test_a_feed_that_was_well_meanwhile_has_a_new_trouble(database: SqlDatabase) -> None:
    again = NOW + HOUR + EPISODE_GAP
    for before, after in (
        (FAILED, replace(FAILED, last_good_at=NOW + MINUTE)),
        (STALE, replace(STALE, last_news_at=NOW + MINUTE)),
    ):
        assert len(told(database, [before], NOW)) == 1
        assert told(database, [before], NOW + HOUR) == []
        assert len(told(database, [after], again + MINUTE)) == 1
