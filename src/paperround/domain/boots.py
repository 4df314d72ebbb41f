"""A clock that leapt: told from a machine that stood still. Pure.

When the machine was started, by its own clock, is the present less how long it runs. That moment
stays where it is however long nothing ticked, and moves when somebody sets the clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAP = timedelta(hours=36)
"""From this on a step forward is believed only when somebody says so: every digest of the day
before would be given up as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One running of a machine: a name that no other has, and how long it runs, asleep or not."""

    name: str
    uptime: timedelta

    def started(self, now: datetime) -> datetime:
        """When it was started, if it is `now`."""
        return now - self.uptime


def has_leapt(known: datetime | None, started: datetime) -> bool:
    """Whether the clock is further ahead than when the machine was last said to have started."""
    return known is not None and started - known > LEAP
