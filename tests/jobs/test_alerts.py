"""Alerts: what is a trouble, what it is called, and that it is told once each time it comes."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from paperround.domain.feed_health import LOST_AFTER
from paperround.domain.feeds import FeedHealth, LiveFeed, Progress
from paperround.domain.notices import Alert
from paperround.domain.papers import FeedId
from paperround.jobs.alerts import OVER, episode, feed_troubles, troubles
from paperround.jobs.plan import LATE, PlanReport
from paperround.jobs.ports import UnitOfWork
from paperround.store.unit_of_work import SqlDatabase
from tests.jobs.conftest import NOW
from tests.jobs.ticking import DAY, HOUR, MINUTE
from tests.races import THREADS, at_once

LATE_MAIL = Alert(key="late/trending/2026-01-30", subject="Digests are late", stops_mail=True)
MISSED = Alert(key="missed/trending/2026-01-30", subject="3 digests were missed")

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
    progress=Progress(),
    failures=0,
    next_at=NOW,
    expects_at=None,
    last_good_at=NOW - HOUR,
    last_news_at=NOW - DAY,
    created_at=NOW - 9 * DAY,
)
STALE = replace(FEED, health=FeedHealth.STALE, reason="no new papers since Thursday")
FAILED = replace(FEED, health=FeedHealth.FAILED, reason="status 500", failures=LOST_AFTER)


def told(database: SqlDatabase, alert: Alert, now: datetime) -> str | None:
    with database.writing() as work:
        return episode(work, alert, now=now)


def found(database: SqlDatabase, report: PlanReport) -> list[Alert]:
    with database.reading() as work:
        return troubles(work, {"trending": report}, now=NOW)


# --- what is a trouble -------------------------------------------------------------------------


def test_where_all_is_well_there_is_none(database: SqlDatabase) -> None:
    assert found(database, PlanReport(planned=3, waiting=2, skipped={"no-new-papers": 1})) == []


@pytest.mark.accept("O2", part="half an hour")
def test_people_who_wait_for_long_are_a_trouble_that_stops_mail(database: SqlDatabase) -> None:
    (alert,) = found(database, PlanReport(waiting=3, late=2))
    assert (alert.subject, alert.stops_mail) == ("2 readers wait for an edition of trending", True)
    assert timedelta(minutes=30) == LATE


@pytest.mark.accept("I12", part="told")
def test_a_feed_that_is_switched_off_because_its_source_is_gone_is_told_once() -> None:
    gone = replace(FEED, health=FeedHealth.PAUSED, enabled=False, gone_at=NOW, reason="status 410")
    (alert,) = feed_troubles([gone])
    assert alert.subject == f"The feed {FEED.name} is gone for good, and switched off"
    assert alert.lines[0] == "status 410"
    assert feed_troubles([replace(gone, gone_at=None)]) == []


@pytest.mark.accept("F08", part="alarm")
def test_a_feed_that_is_stale_or_fails_for_long_is_a_trouble() -> None:
    hiccup = replace(FAILED, failures=LOST_AFTER - 1)
    alerts = feed_troubles([FEED, STALE, FAILED, hiccup])
    assert [one.subject for one in alerts] == [
        "The feed daily is stale",
        "The feed daily is failing",
    ]
    assert [one.lines[0] for one in alerts] == [STALE.reason, FAILED.reason]
    assert not any(one.stops_mail for one in alerts)


def test_a_feed_that_was_well_meanwhile_has_a_new_trouble() -> None:
    again = replace(FAILED, last_good_at=NOW)
    later = replace(STALE, last_news_at=NOW)
    keys = [alert.key for alert in feed_troubles([FAILED, again, STALE, later])]
    assert len(set(keys)) == 4
    assert feed_troubles([replace(FAILED, failures=9)])[0].key == keys[0]


def test_a_feed_that_was_never_well_can_be_told_of() -> None:
    never = replace(FAILED, last_good_at=None, last_news_at=None)
    assert "2026-01-21T07:00:00Z" in feed_troubles([never])[0].key


# --- told once ---------------------------------------------------------------------------------


def test_what_names_its_beginning_is_told_once_for_ever(database: SqlDatabase) -> None:
    assert told(database, MISSED, NOW) == MISSED.key
    assert told(database, MISSED, NOW + MINUTE) is None
    assert told(database, MISSED, NOW + 9 * DAY) is None


def test_a_trouble_that_was_over_is_told_again_by_another_name(database: SqlDatabase) -> None:
    first = told(database, LATE_MAIL, NOW)
    told(database, LATE_MAIL, NOW + HOUR)
    again = told(database, LATE_MAIL, NOW + HOUR + OVER + MINUTE)
    third = told(database, LATE_MAIL, NOW + 9 * HOUR)
    assert len({first, again, third} - {None}) == 3


@pytest.mark.postgres
@pytest.mark.accept("D2", part="alerts")
def test_a_trouble_seen_by_many_at_once_is_told_by_one(database: SqlDatabase) -> None:
    for now in (NOW, NOW + 5 * HOUR):
        names = at_once(THREADS, lambda _, now=now: told(database, LATE_MAIL, now))  # type: ignore[misc]
        assert [name for name in names if name is not None] != []
        assert sum(name is not None for name in names) == 1


def test_a_trouble_whose_telling_was_undone_is_told_by_the_next(database: SqlDatabase) -> None:
    with pytest.raises(KeyboardInterrupt), database.writing() as work:
        _told_and_killed(work)
    assert told(database, LATE_MAIL, NOW + MINUTE) == LATE_MAIL.key


def _told_and_killed(work: UnitOfWork) -> NoReturn:
    assert episode(work, LATE_MAIL, now=NOW) is not None
    raise KeyboardInterrupt
