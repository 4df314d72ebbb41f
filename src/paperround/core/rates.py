"""Rate limits, and how settings write them."""

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
    """At most `count` events in any interval of length `period`."""

    count: int
    period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitStatus:
    """A client's quota: `remaining` of `limit` in any `window` seconds.

    `reset` is the number of seconds until the next used one expires; `policy` names the limit.
    """

    policy: str = "visits"
    limit: int
    window: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One use of a service's budget.

    The next turn may begin `interval` after this one began, but not before this one is released.
    A turn that is never released expires after `lease`.
    """

    interval: timedelta
    lease: timedelta

    def ends(self, taken_at: datetime) -> datetime:
        """Return when a turn taken at `taken_at` expires if it is not released."""
        return taken_at + max(self.interval, self.lease)

    def pauses(self, ends: datetime) -> datetime:
        """Return when the next turn may begin if the one that expires at `ends` is abandoned."""
        return ends - max(self.interval, self.lease) + self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupLimits:
    """Limits on sign-up requests; an empty tuple means no limit.

    Per mailbox, client IP, network (IPv4 /24, IPv6 /56, and four times that for a /48), mail
    provider, and in total.
    """

    address: tuple[Rate, ...]
    ip: tuple[Rate, ...]
    net: tuple[Rate, ...]
    domain: tuple[Rate, ...]
    total: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLimits:
    """Limits on expensive pages, per client IP and network (IPv4 /24, IPv6 /56).

    An empty tuple means no limit.
    """

    ip: tuple[Rate, ...]
    net: tuple[Rate, ...]


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Parse `1/h, 3/24h`; `off` means no limit. Raises InvalidInput for another format."""
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
