"""The quick tests on seven dates that have been trouble: a library changes the machine's clock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faketime import library

ROOT = Path(__file__).resolve().parents[1]
HOURS = 3600
DATES = {
    "a Saturday": "2026-11-28 12:00:00",
    "a Sunday": "2026-11-29 12:00:00",
    "a late Friday": "2026-11-27 23:30:00",
    "a leap day": "2028-02-29 09:00:00",
    "the last of a year": "2026-12-31 23:00:00",
    "the day on which clocks go forward": "2027-03-28 00:50:00",
    "the day on which clocks go back": "2026-10-25 00:50:00",
}


@pytest.mark.long
@pytest.mark.accept("C7", part="seven dates")
@pytest.mark.accept("T8", part="the tests themselves")
@pytest.mark.parametrize("date", DATES.values(), ids=list(DATES))
def test_the_quick_tests_pass_on_that_date(date: str, tmp_path: Path) -> None:
    """In UTC, without the browser."""
    environment = {
        **os.environ,
        "LD_PRELOAD": library(),
        "FAKETIME": f"@{date}",
        "DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
        "HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal"]
    left_out = ["-p", "no:cacheprovider", "--without-browser"]
    done = subprocess.run(
        [*command, *left_out],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HOURS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
