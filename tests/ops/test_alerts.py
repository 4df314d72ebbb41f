"""Alerts: what is a trouble, what it is called, and that it is told once each time it comes."""

from collections import Counter
from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from paperround.bounces.model import ReturnTally
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.system_mail_model import Alert
from paperround.digests.plan import LATE, PlanReport
from paperround.ops.alerts import EPISODE_GAP, claim_episode, current_alerts, rate_alerts
from tests.ops.ticking import DAY, HOUR, MINUTE
from tests.races import THREADS, at_once
from tests.sample_database import NOW

LATE_MAIL = Alert(key="late/trending/2026-01-30", subject="Digests are late", stops_mail=True)
MISSED = Alert(key="missed/trending/2026-01-30", subject="3 digests were missed")


def told(database: SqlDatabase, alert: Alert, now: datetime) -> str | None:
    with database.writing() as work:
        return claim_episode(work, alert, now=now)


def found(database: SqlDatabase, report: PlanReport) -> list[Alert]:
    with database.reading() as work:
        return current_alerts(work, {"trending": report}, now=NOW)


# --- what is a trouble -------------------------------------------------------------------------


def test_where_all_is_well_there_is_none(database: SqlDatabase) -> None:
    assert (
        found(database, PlanReport(planned=3, waiting=2, skipped=Counter({"no-new-papers": 1})))
        == []
    )


@pytest.mark.accept("O2", part="half an hour")
def test_people_who_wait_for_long_are_a_trouble_that_stops_mail(database: SqlDatabase) -> None:
    (alert,) = found(database, PlanReport(waiting=3, late=2))
    assert (alert.subject, alert.stops_mail) == ("2 readers wait for an edition of trending", True)
    assert timedelta(minutes=30) == LATE


# --- too much comes back -----------------------------------------------------------------------


@pytest.mark.accept("O8", part="rates", mutant="no-rate-is-alarming")
@pytest.mark.parametrize(
    ("bounced", "complained", "subjects"),
    [
        (30, 0, ["Too many bounces: 3.00% of the digests of seven days"]),
        (0, 4, ["Too many complaints: 0.40% of the digests of seven days"]),
        (20, 1, []),
        (0, 2, []),
    ],
)
def test_too_many_bounces_or_complaints_are_an_alert(
    bounced: int, complained: int, subjects: list[str]
) -> None:
    tally = ReturnTally(since=NOW, tried=1000, bounced=bounced, complained=complained)
    assert [one.subject for one in rate_alerts(tally, {}, now=NOW)] == subjects


@pytest.mark.accept("O8", part="rates")
def test_one_list_that_bounces_is_an_alert_of_that_list_though_all_together_do_not() -> None:
    small = ReturnTally(since=NOW, tried=331, bounced=31)
    large = ReturnTally(since=NOW, tried=2000, bounced=0)
    total = ReturnTally(since=NOW, tried=2331, bounced=31)
    [alert] = rate_alerts(total, {"press": small, "trending": large}, now=NOW)
    assert alert.subject == "Too many bounces: 9.37% of the digests of press in seven days"
    assert [*rate_alerts(total, {"trending": total}, now=NOW)] == []


def test_of_few_mails_no_share_is_an_alert() -> None:
    assert list(rate_alerts(ReturnTally(since=NOW, tried=99, bounced=50), {}, now=NOW)) == []


def test_a_rate_is_told_once_a_week_and_again_when_it_is_worse() -> None:
    warned, worse = (
        next(rate_alerts(ReturnTally(since=NOW, tried=1000, bounced=count), {}, now=NOW))
        for count in (30, 60)
    )
    [lasting] = rate_alerts(ReturnTally(since=NOW, tried=1000, bounced=31), {}, now=NOW + DAY)
    [next_week] = rate_alerts(ReturnTally(since=NOW, tried=1000, bounced=30), {}, now=NOW + 7 * DAY)
    assert warned.key == lasting.key
    assert len({warned.key, worse.key, next_week.key}) == 3


# --- told once ---------------------------------------------------------------------------------


def test_what_names_its_beginning_is_told_once_for_ever(database: SqlDatabase) -> None:
    assert told(database, MISSED, NOW) == MISSED.key
    assert told(database, MISSED, NOW + MINUTE) is None
    assert told(database, MISSED, NOW + 9 * DAY) is None


def test_a_trouble_that_was_over_is_told_again_by_another_name(database: SqlDatabase) -> None:
    first = told(database, LATE_MAIL, NOW)
    told(database, LATE_MAIL, NOW + HOUR)
    again = told(database, LATE_MAIL, NOW + HOUR + EPISODE_GAP + MINUTE)
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


def _told_and_killed(work: Transaction) -> NoReturn:
    assert claim_episode(work, LATE_MAIL, now=NOW) is not None
    raise KeyboardInterrupt
