"""A pace in words. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from paperround.domain.limits import Rate
from paperround.domain.pacing import Pace

_UNITS: Mapping[int, str] = MappingProxyType(
    {1: "second", 60: "minute", 3600: "hour", 86400: "day"}
)


def pace_in_words(pace: Pace) -> str:
    """`14 a second and 50,000 a day`; empty for no limit."""
    return " and ".join(_rate(rate) for rate in pace.rates)


def duration_in_words(length: timedelta) -> str:
    """`11 min 54 s`, `2 h 5 min`, `40 s`."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def _rate(rate: Rate) -> str:
    seconds = round(rate.period.total_seconds())
    if seconds in _UNITS:
        return f"{rate.count:,} a {_UNITS[seconds]}"
    size = max(one for one in _UNITS if seconds % one == 0)
    return f"{rate.count:,} in {seconds // size} {_UNITS[size]}s"
