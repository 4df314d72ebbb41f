"""Instants are aware; dates belong to a zone."""

from datetime import UTC, date, datetime

import pytest

from paperround.core.errors import InvalidInput
from paperround.core.times import (
    end_of_day,
    format_instant,
    local_date,
    parse_date,
    parse_instant,
    require_utc,
    zone_of,
)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        require_utc(datetime(2026, 1, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["2026-01-30T09:00:00+01:00", "2026-01-30T08:00:00Z", "2026-01-30T08:00:00"]
)
def test_instants_are_read_as_utc(text: str) -> None:
    assert parse_instant(text) == datetime(2026, 1, 30, 8, tzinfo=UTC)
    assert format_instant(parse_instant(text)) == "2026-01-30T08:00:00Z"


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2026-13-01", "0001-01-01", "9999-12-31T23:59:59-12:00"]
)
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidInput, match="write it like 2026"):
        parse_instant(text)


def test_what_is_no_date_says_how_to_write_one() -> None:
    with pytest.raises(InvalidInput, match="write it like 2026"):
        parse_date("30.01.2026")
    with pytest.raises(InvalidInput, match="write it like 2026"):
        parse_date("9999-12-31")


def test_a_day_ends_at_its_own_midnight() -> None:
    assert end_of_day(date(2026, 1, 30), "UTC") == datetime(2026, 1, 31, tzinfo=UTC)
    assert end_of_day(date(2026, 1, 30), "Pacific/Auckland") == datetime(
        2026, 1, 30, 11, tzinfo=UTC
    )


def test_the_same_instant_has_different_dates() -> None:
    moment = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    assert local_date(moment, "UTC") == date(2026, 1, 30)
    assert local_date(moment, "Europe/Berlin") == date(2026, 1, 31)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match="tzdata name"):
        zone_of(name)
