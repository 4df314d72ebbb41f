"""Instants are aware and in UTC; dates belong to a zone. Naive datetimes are refused."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeGuard
from zoneinfo import ZoneInfo

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked


def require_utc(moment: datetime) -> datetime:
    """The same instant in UTC; raises ValueError when `moment` carries no offset."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"naive datetime {moment!r}: give it an offset, such as +00:00")
    return moment.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant; a bare date is its midnight UTC, a time without offset is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        _require_likely(moment.year)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{text!r} is not a time: write it like 2026-01-30T08:00:00Z or 2026-01-30"
        ) from None
    return moment


def parse_date(text: str) -> date:
    """Read a YYYY-MM-DD date."""
    try:
        day = date.fromisoformat(text.strip())
        _require_likely(day.year)
    except ValueError:
        raise InvalidInput(
            marked("%(given)s is not a date: write it like 2026-01-30", given=text)
        ) from None
    return day


def _require_likely(year: int) -> None:
    """Years at the ends of the calendar only come from mistakes, and nothing can be added there."""
    if not 1900 <= year <= 2200:
        raise ValueError(f"the year {year} is out of range")


def midnight_utc(day: date) -> datetime:
    """The first instant of `day` in UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The first instant after `day` in `zone`, as UTC."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone_of(zone)).astimezone(UTC)


def local_date(moment: datetime, zone: str) -> date:
    """The calendar date that `moment` falls on in `zone`."""
    return require_utc(moment).astimezone(zone_of(zone)).date()


def zone_of(name: str) -> ZoneInfo:
    """The zone called `name`; raises InvalidInput for names tzdata does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            marked(
                "%(given)s is not a time zone: use a tzdata name such as Europe/Berlin", given=name
            )
        ) from None


def place_zone(name: str) -> str:
    """`name`, when it is a zone to choose; raises InvalidInput for one tzdata does not know, and
    for a name that stands for another zone on another machine or for a second kind of clock."""
    zone_of(name)
    if name in {"Factory", "localtime", "posixrules"} or name.startswith(("posix/", "right/")):
        raise InvalidInput(
            marked("%(given)s is no place: use a tzdata name such as Europe/Berlin", given=name)
        )
    return name


def is_zone(name: str | None) -> TypeGuard[str]:
    """Whether `name` is a zone that this machine's tzdata knows."""
    try:
        return name is not None and bool(zone_of(name))
    except InvalidInput:
        return False


def format_instant(moment: datetime) -> str:
    """RFC 3339 in UTC with a Z, without fractions of a second."""
    return require_utc(moment).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def week_name(day: date) -> str:
    """The ISO week that a date is in: `2026-W10`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


# A clock that leapt: told from a machine that stood still. Pure.
#
# When the machine was started, by its own clock, is the present less how long it runs. That moment
# stays where it is however long nothing ticked, and moves when somebody sets the clock.

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
