"""The clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from paperround.core.clock import FixedClock, SystemClock
from paperround.core.interfaces import Clock

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    clock: Clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now() <= clock.now()


def test_a_fixed_clock_speaks_utc_whatever_it_was_given() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert FixedClock(NOON.astimezone(tokyo)).now().tzinfo is UTC


def test_a_fixed_clock_refuses_a_naive_moment() -> None:
    with pytest.raises(ValueError, match="naive"):
        FixedClock(NOON.replace(tzinfo=None))
