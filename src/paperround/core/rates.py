"""Rates: how often something may happen, and how they are written in settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.errors import InvalidInput

_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9]\d{0,6})/([1-9]\d{0,3})?([smhd])")
OFF = "off"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any stretch of `period`."""

    count: int
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitStatus:
    """What a rate leaves to a client: `remaining` of `limit` in any `window` seconds, and in how
    many seconds the next of those that are used comes back. `policy` says of what."""

    policy: str = "visits"
    limit: int
    window: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One use of a service's budget: the next may begin `interval` after this one began, and not
    before this one is over. One that is never released is over after `lease`."""

    interval: timedelta
    lease: timedelta

    def ends(self, taken_at: datetime) -> datetime:
        """When a turn that was taken then is over, should nobody release it."""
        return taken_at + max(self.interval, self.lease)

    def pauses(self, ends: datetime) -> datetime:
        """When the next turn may begin after one that would end then, if nobody has it any more."""
        return ends - max(self.interval, self.lease) + self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupLimits:
    """How often somebody may ask to be signed up; an empty tuple is no limit.

    By mailbox, by client address, by its network (IPv4 /24, IPv6 /56, and four times that for a
    /48), by the mail provider, and over all of them.
    """

    address: tuple[Rate, ...]
    ip: tuple[Rate, ...]
    net: tuple[Rate, ...]
    domain: tuple[Rate, ...]
    total: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLimits:
    """How often somebody may ask for a page that costs; an empty tuple is no limit.

    By client address, and by its network (IPv4 /24, IPv6 /56).
    """

    ip: tuple[Rate, ...]
    net: tuple[Rate, ...]


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Read `1/h, 3/24h`; `off` is no limit. Raises InvalidInput that shows how to write one."""
    if text.strip().lower() == OFF:
        return ()
    rates = []
    for part in map(str.strip, text.split(",")):
        found = _RATE.fullmatch(part)
        if found is None:
            raise InvalidInput(f"{part!r} is not a rate: write it like 3/24h, or off")
        count, times, unit = found.groups()
        rates.append(Rate(int(count), timedelta(seconds=int(times or 1) * _UNITS[unit])))
    return tuple(rates)
