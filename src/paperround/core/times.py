"""Parse and convert dates and times. Datetimes are aware and in UTC; naive ones are rejected."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeGuard
from zoneinfo import ZoneInfo

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked


def require_utc(moment: datetime) -> datetime:
    """Return the same instant in UTC; raises ValueError when `moment` has no offset."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"naive datetime {moment!r}: give it an offset, such as +00:00")
    return moment.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Parse an RFC 3339 timestamp; a date means midnight UTC, a missing offset UTC.

    Raises InvalidInput.
    """
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
    """Parse a YYYY-MM-DD date. Raises InvalidInput."""
    try:
        day = date.fromisoformat(text.strip())
        _require_likely(day.year)
    except ValueError:
        raise InvalidInput(
            marked("%(given)s is not a date: write it like 2026-01-30", given=text)
        ) from None
    return day


def _require_likely(year: int) -> None:
    """Reject years that can only be mistakes; adding to the last ones would overflow."""
    if not 1900 <= year <= 2200:
        raise ValueError(f"the year {year} is out of range")


def midnight_utc(day: date) -> datetime:
    """Return the first instant of `day` in UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """Return the first instant after `day` in `zone`, in UTC."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone_of(zone)).astimezone(UTC)


def local_date(moment: datetime, zone: str) -> date:
    """Return the calendar date of `moment` in `zone`."""
    return require_utc(moment).astimezone(zone_of(zone)).date()


def zone_of(name: str) -> ZoneInfo:
    """Return the zone called `name`; raises InvalidInput if tzdata does not have it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            marked(
                "%(given)s is not a time zone: use a tzdata name such as Europe/Berlin", given=name
            )
        ) from None


def place_zone(name: str) -> str:
    """Return `name` if people may choose this zone.

    Raises InvalidInput if tzdata does not have it, if it depends on the machine (`localtime`), or
    if it uses another clock (`right/`).
    """
    zone_of(name)
    if name in {"Factory", "localtime", "posixrules"} or name.startswith(("posix/", "right/")):
        raise InvalidInput(
            marked("%(given)s is not a place: use a tzdata name such as Europe/Berlin", given=name)
        )
    return name


def is_zone(name: str | None) -> TypeGuard[str]:
    """Whether this machine's tzdata has the zone `name`."""
    try:
        return name is not None and bool(zone_of(name))
    except InvalidInput:
        return False


def format_instant(moment: datetime) -> str:
    """Format as RFC 3339 in UTC with a Z, without fractions of a second."""
    return require_utc(moment).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def week_name(day: date) -> str:
    """Return the ISO week of a date: `2026-W10`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


# Tell a clock jump from a machine that was off or suspended.
#
# The boot time is the current time minus the uptime. It stays the same while the machine sleeps,
# and changes when the clock is set.

LEAP = timedelta(hours=36)
"""A larger jump forward needs an operator's confirmation: it would expire every digest of the
previous day as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One boot of a machine: a unique name, and the uptime including suspends."""

    name: str
    uptime: timedelta

    def started(self, now: datetime) -> datetime:
        """Return the boot time, given the current time."""
        return now - self.uptime


def has_leapt(known: datetime | None, started: datetime) -> bool:
    """Whether the boot time moved forward by more than LEAP since it was last recorded."""
    return known is not None and started - known > LEAP
