"""Compute when digests are due and editions freeze: wall times of a zone as instants in UTC.

    local date + hour + zone ──► due instant ──► row of that local date ──► next due instant

Every local date that exists in a zone has exactly one due instant per hour, and it is on that
date. So `times.local_date(due_at, zone)` is the date of a due instant.

    the clock                      a wall time then means
    shows it once                  that instant
    shows it twice                 the first pass
    jumps over it                  the first instant after the jump
    jumps over the end of a date   the last minute of that date (Nuuk: 23:00 becomes 00:00)
    jumps over a whole date        nothing: there is no such date (Apia, 30 December 2011)
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from paperround.core.times import local_date, require_utc, zone_of
from paperround.editions.lists import MailingList

MOST_CUTS = 4
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
ONE_SECOND = timedelta(seconds=1)
DIGEST_LIFE = timedelta(hours=20)
"""How long after its due time a digest may still be sent."""


def instant_at(day: date, at: time, zone: str) -> datetime | None:
    """Return the instant of wall time `at` (whole seconds) on `day`; None if `zone` skips the date.

    Raises InvalidInput for a zone unknown to tzdata.
    """
    place = zone_of(zone)
    first = _first_instant(datetime.combine(day, at, tzinfo=place), place)
    for moment in (first, first - ONE_MINUTE):
        if moment.astimezone(place).date() == day:
            return moment
    return None


def _first_instant(wanted: datetime, place: ZoneInfo) -> datetime:
    """Return the first instant, in UTC, at which a clock in `place` shows `wanted` or later.

    Two times with the same zone object compare by wall time (PEP 495).
    """
    after = wanted.astimezone(UTC)
    if after.astimezone(place) == wanted:
        return after
    # The clock jumped over it. With the offset after the jump (fold 1) it is an instant before the
    # jump; with the offset before (fold 0), as above, an instant after.
    before = wanted.replace(fold=1).astimezone(UTC)
    seconds = range((after - before) // ONE_SECOND)
    return before + ONE_SECOND * bisect_left(
        seconds, True, key=lambda n: (before + ONE_SECOND * n).astimezone(place) > wanted
    )


def due_instant(day: date, hour: int, zone: str) -> datetime | None:
    """Return when the digest of `day` is due at `hour` (0-23); None if `zone` skips the date."""
    return instant_at(day, time(hour), zone)


def due_instants(day: date, *, hour: int, zone: str) -> Iterator[datetime]:
    """Yield the due instants of `day` and of every later date in `zone`, without end."""
    while True:
        due = due_instant(day, hour, zone)
        if due is not None:
            yield due
        day += ONE_DAY


def next_due(due_at: datetime, *, hour: int, zone: str) -> datetime:
    """Return the due instant of the first date after the one of `due_at` in `zone`.

    Hour and zone are the current ones; `due_at` may have been computed with others.
    """
    return next(due_instants(local_date(due_at, zone) + ONE_DAY, hour=hour, zone=zone))


def first_due(now: datetime, *, hour: int, zone: str, taken: date | None = None) -> datetime:
    """Return the first due instant of a subscription that is new or changed its hour or zone.

    `taken` is the latest local date with a ledger row, None without one. The result is never
    before `now`, and its local date is always after `taken`, so that no date gets two digests:

    - **No row yet:** the next time the clock shows `hour`.
    - **A row, but none for today, and the hour has passed:** `now`. A zone further east or an
      earlier hour moved today's digest into the past; it would be lost.
    - **Otherwise** `hour` on the date after `taken`, or today if that is later. A move west may
      repeat a date; the next digest waits until it has ended.

    So no date ends on the reader's clock before it, or a later date, has its row. From `now` the
    wait is at most a day, or until `hour` on the first date after `taken`.

    A subscription that is already due keeps its instant: that digest is still to be planned, and
    `next_due` continues from there with the new hour and zone.
    """
    today = local_date(now, zone)
    first = today if taken is None else max(today, taken + ONE_DAY)
    coming = next(due for due in due_instants(first, hour=hour, zone=zone) if due >= now)
    owed_today = taken is not None and taken < today < local_date(coming, zone)
    return require_utc(now) if owed_today else coming


def missed(due_at: datetime, now: datetime) -> bool:
    """Return whether a digest due at `due_at` has expired and is no longer sent."""
    return now >= due_at + DIGEST_LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut of a list; `name` is `0` for the first cut of `day` in the list's zone."""

    day: date
    name: str
    instant: datetime


def cut_instants(mailing_list: MailingList, day: date) -> tuple[Cut, ...]:
    """Return the cuts of `day` in order; none if the list's zone skips the date."""
    times = map(time.fromisoformat, mailing_list.cuts)
    instants = (instant_at(day, at, mailing_list.zone) for at in times)
    return tuple(
        Cut(day=day, name=str(number), instant=instant)
        for number, instant in enumerate(instants)
        if instant is not None
    )


def newest_cut(mailing_list: MailingList, now: datetime) -> Cut:
    """Return the latest cut at or before `now`, today's or an earlier one."""
    return [cut for cut in _cuts_around(mailing_list, now) if cut.instant <= now][-1]


def next_cut(mailing_list: MailingList, now: datetime) -> Cut:
    """Return the first cut after `now`, today's or a later one."""
    return next(cut for cut in _cuts_around(mailing_list, now) if cut.instant > now)


def _cuts_around(mailing_list: MailingList, now: datetime) -> list[Cut]:
    """Return the cuts from two dates before today to two after, as one date may not exist."""
    today = local_date(now, mailing_list.zone)
    days = (today + ONE_DAY * offset for offset in range(-2, 3))
    return [cut for day in days for cut in cut_instants(mailing_list, day)]
