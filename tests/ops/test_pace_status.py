"""What an operator is told of the pace, and that it is never a guess."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.cli.digest import pace_as_json, progress_as_json
from paperround.db.transactions import SqlDatabase
from paperround.delivery.rate_state import Pacing, parse_pace
from paperround.delivery.status import Progress
from paperround.digests.sending import deliver
from paperround.ops.alerts import current_alerts
from paperround.ops.status import ListStatus, Status, status
from tests.delivery.pace import Hands
from tests.delivery.paced import DOMAINS, FOURTEEN, STORM, paced, planned, refusing
from tests.sample_database import NOW

MINUTE = timedelta(minutes=1)


def shown(database: SqlDatabase, hands: Hands) -> tuple[Status, ListStatus]:
    found = status(database, None, now=hands.moment, pacing=FOURTEEN)
    (one,) = found.lists
    return found, one


@pytest.mark.accept("B18", part="told from the record")
def test_the_time_left_is_told_from_what_left(database: SqlDatabase) -> None:
    planned(database, one=120)
    hands = Hands()
    _, before = shown(database, hands)
    told = progress_as_json(before.progress, before.late)
    assert (told["waiting_now"], told["per_second"], told["seconds_to_go"]) == (120, None, None)
    stop_at = NOW + timedelta(seconds=4)
    one = replace(
        paced(database, hands, FOURTEEN),
        wait=lambda seconds: hands.wait(seconds) or hands.moment >= stop_at,
    )
    deliver(one)
    _, after = shown(database, hands)
    assert after.progress.left == 120 - after.progress.waiting > 40
    assert 12.5 <= after.progress.per_second <= 14
    assert progress_as_json(after.progress, after.late)["seconds_to_go"] == pytest.approx(
        after.progress.waiting / after.progress.per_second, abs=1
    )


def test_ten_thousand_at_fourteen_a_second_take_twelve_minutes() -> None:
    progress = Progress(waiting=10_000, left=4200, over=timedelta(minutes=5))
    told = [progress_as_json(progress, None, is_paused=one) for one in (False, True)]
    assert [one["seconds_to_go"] for one in told] == [714, None]


@pytest.mark.accept("B18", part="told from the record")
def test_digests_that_a_capped_relay_made_late_are_told_with_the_reason(
    database: SqlDatabase,
) -> None:
    planned(database, one=60)
    hands = Hands(moment=NOW + 10 * MINUTE)
    deliver(paced(database, hands, FOURTEEN))
    found, one = shown(database, hands)
    assert progress_as_json(one.progress, one.late)["late"] == {
        "count": 60,
        "least_minutes": 10,
        "most_minutes": 10,
        "because": "the relay allows 14 a second",
    }
    assert pace_as_json(found.pace)["allowed"] == "14 a second"


def test_why_digests_were_late_is_not_guessed(database: SqlDatabase) -> None:
    planned(database, one=3)
    hands = Hands(moment=NOW + 30 * MINUTE)
    deliver(paced(database, hands, DOMAINS))
    _, one = shown(database, hands)
    late = progress_as_json(one.progress, one.late)["late"]
    assert (late["count"], late["least_minutes"], late["because"]) == (3, 30, None)


def test_digests_that_left_slower_than_the_relay_allows_are_late_for_no_known_reason(
    database: SqlDatabase,
) -> None:
    planned(database, one=60)
    hands = Hands(moment=NOW + 10 * MINUTE)
    deliver(paced(database, hands, Pacing(relay=parse_pace("7/s"))))
    _, one = shown(database, hands)
    assert one.late is not None
    assert (one.late.count, one.late.because) == (60, "")


@pytest.mark.postgres
@pytest.mark.accept("R14", part="alert")
def test_the_alert_of_a_storm_names_the_code_and_the_way_out(database: SqlDatabase) -> None:
    planned(database, one=60)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, refusing(STORM)))
    with database.reading() as work:
        (alert,) = [
            one for one in current_alerts(work, {}, now=hands.moment) if "refuses" in one.subject
        ]
    assert "5.7.26" in alert.subject
    assert "SPF, DKIM and DMARC" in " ".join(alert.lines)
    assert alert.stops_mail
    found, _ = shown(database, hands)
    assert pace_as_json(found.pace)["relay_rests_until"] is not None
