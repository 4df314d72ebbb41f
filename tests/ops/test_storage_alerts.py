"""What is told of a database that runs out of room."""

import pytest

from paperround.db.engine import LITTLE_ROOM, MOST_LOG_BYTES, Storage
from paperround.doctor.database_check import check_space
from paperround.doctor.findings import Level
from paperround.ops.alerts import storage_alerts
from tests.sample_database import NOW


@pytest.mark.accept("D6", part="told")
def test_a_full_disk_stops_mail_and_is_told_once_a_day() -> None:
    (alert,) = storage_alerts(Storage(log_bytes=0, free_bytes=LITTLE_ROOM - 1), now=NOW)
    assert alert.stops_mail
    assert alert.key == "storage/full/2026-01-30"
    assert "full" in alert.subject


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Storage(log_bytes=0, free_bytes=LITTLE_ROOM - 1), Level.FAIL),
        (Storage(log_bytes=MOST_LOG_BYTES + 1, free_bytes=LITTLE_ROOM), Level.WARN),
        (Storage(log_bytes=MOST_LOG_BYTES, free_bytes=LITTLE_ROOM), Level.OK),
        (Storage(), Level.SKIPPED),
    ],
)
def test_the_doctor_tells_how_it_stands(found: Storage, level: Level) -> None:
    [finding] = check_space(found, now=NOW)
    assert finding.level is level
    assert bool(list(storage_alerts(found, now=NOW))) is (level in {Level.FAIL, Level.WARN})
