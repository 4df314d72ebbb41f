"""Dates of Crossref: `{"date-parts": [[year, month, day]]}`, which may lack day and month."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from paperround.sources.catalogues import object_of
from paperround.sources.entries import BadEntry, Entry
from paperround.sources.service_dates import FIRST_YEAR, LAST_YEAR
from paperround.sources.stated_dates import Period

_DATES = ("posted", "issued", "published", "published-online", "published-print")
_LONG = timedelta(days=180)
"""A work deposited longer than this after it came out is no news: publishers deposit back files."""


def period(stated: Entry, key: str) -> Period | None:
    """The day, month or year that is stated under `key`.

    None for `[[null]]` and for a year no paper can be of; raises BadEntry for what is no date.
    """
    parts = object_of(stated, key).get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts else None
    if not first or first == [None]:
        return None
    if not isinstance(first, list) or not all(type(one) is int for one in first[:3]):
        raise BadEntry("bad-date", f"{key} must be a year, a month and a day")
    if not FIRST_YEAR <= first[0] <= LAST_YEAR:
        return None
    try:
        begin = date(*[*first, 1, 1][:3])
    except (ValueError, OverflowError):
        raise BadEntry("bad-date", f"{key} is no date: {str(first[:3])!r:.60}") from None
    month = begin.month if len(first) > 1 else 12
    last = begin if len(first) > 2 else date(begin.year, month, monthrange(begin.year, month)[1])
    return Period(first=begin, last=last)


def published(work: Entry) -> Period | None:
    """When the work came out: what the publisher says of it, the most telling date first."""
    return next(filter(None, (period(work, key) for key in _DATES)), None)


def listing(created: datetime | None, out: Period | None) -> tuple[date | None, datetime | None]:
    """(day, instant) of the listing: when it was deposited, but of an old work when it came out."""
    if created is None:
        return None, None
    day = created.astimezone(UTC).date()
    if out is not None and out.last + _LONG < day:
        return out.last, None
    return day, created


def holds_from_the_first_day(licence: Entry, work: Entry, created: datetime | None) -> bool:
    """Whether a licence holds since the work came out, by its delay in days and by its start.

    A start is compared with the last date the work has; where a date cannot be read, it does not.
    """
    delay = licence.get("delay-in-days")
    if delay is not None and not (type(delay) is int and delay <= 0):
        return False
    try:
        start = period(licence, "start")
        days = [one.last for key in _DATES if (one := period(work, key))]
    except BadEntry:
        return False
    if start is None:
        return True
    days += [created.astimezone(UTC).date()] if created else []
    return start.first <= max(days, default=date.min)
