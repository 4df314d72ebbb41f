"""The checks run every night, and what they find is an alert until it has passed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.db.slots import BACKUP, SlotStore
from paperround.delivery.restore_guard import INSTALLATION
from paperround.delivery.system_mail_model import Alert
from paperround.doctor.findings import fail, ok, warn
from paperround.doctor.schedule_check import DOCTOR
from paperround.ops.tick import publish_round
from paperround.plugins.doctor_checks.nightly import EXAMINE, is_told
from tests.builders import NOW
from tests.doctor.conftest import Home

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Nights:
    """An installation of three days, whose operator is told of what goes wrong."""

    def __init__(self, home: Home) -> None:
        self.app = home.runtime(backup_dir=str(home.folder / "backups"))
        self.posted = list[Alert]()
        self.beat(INSTALLATION + "here", NOW - 3 * DAY)
        self.beat(BACKUP, NOW - 3 * DAY)

    def beat(self, name: str, now: datetime) -> None:
        with self.app.database.writing() as work:
            work[SlotStore].beat(name, now=now)

    def examined_at(self) -> datetime | None:
        with self.app.database.reading() as work:
            return work[SlotStore].last_beat(DOCTOR)

    def told(self, now: datetime) -> Sequence[str]:
        """What the doctor has the operator told in a tick at `now`."""
        before, vars(self.app)["clock"] = len(self.posted), FixedClock(now)
        EXAMINE.run(self.app)
        publish_round(replace(self.app.tick_context, post_alert=self.posted.append), now=now)
        return [one.subject for one in self.posted[before:] if "doctor/" in one.key]


@pytest.mark.accept("O10", part="nightly")
def test_an_old_backup_is_told_once_and_once_more_when_there_is_a_new_one(home: Home) -> None:
    nights = Nights(home)
    [subject] = nights.told(NOW)
    assert subject == f"Backup: the newest was made on {NOW - 3 * DAY:%Y-%m-%dT%XZ}"
    assert nights.told(NOW + HOUR) == []
    assert nights.told(NOW + DAY) == []
    nights.beat(BACKUP, NOW + DAY)
    assert nights.told(NOW + DAY + HOUR) == [f"Over: {subject}"]
    assert nights.told(NOW + 2 * DAY) == []
    assert len(nights.told(NOW + 4 * DAY)) == 1


def test_it_is_examined_once_a_night_after_three_and_not_on_the_first_day(home: Home) -> None:
    nights = Nights(home)
    two = NOW.replace(hour=2) + 2 * DAY
    nights.beat(INSTALLATION + "here", NOW)
    nights.beat(BACKUP, two)
    nights.told(NOW + HOUR)
    nights.told(two)
    assert nights.examined_at() is None
    nights.told(two + HOUR)
    nights.told(two + 2 * HOUR)
    assert nights.examined_at() == two + HOUR


def test_what_has_an_alert_of_its_own_or_is_no_danger_yet_is_not_told_again() -> None:
    assert [is_told(one("dkim", "?")) for one in (ok, warn, fail)] == [False, False, True]
    for check in ("certificate", "relay certificate", "disk", "backup"):
        assert is_told(warn(check, "until tomorrow"))
    assert not is_told(fail("relay", "gone"))
