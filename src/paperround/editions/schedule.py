"""When a digest is due and when an edition freezes: wall times of a zone as instants in UTC.

    local date + hour + zone ──► due instant ──► row of that local date ──► next due instant

Every local date that exists in a zone has exactly one due instant for each hour, and that instant
lies on that date. So `times.local_date(due_at, zone)` is the date a due instant belongs to.

    the clock                      a wall time then means
    shows it once                  that instant
    shows it twice                 the first pass
    jumps over it                  the first instant after the jump
    jumps over the end of a date   the last minute of that date (Nuuk: 23:00 becomes 00:00)
    jumps over a whole date        nothing: there is no such date (Apia, 30 December 2011)
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from paperround.core.errors import InvalidInput
from paperround.core.times import local_date, require_utc, zone_of
from paperround.editions.lists import MailingList

MOST_CUTS = 4
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)
ONE_SECOND = timedelta(seconds=1)


# --- wall times --------------------------------------------------------------------------------


def instant_at(day: date, at: time, zone: str) -> datetime | None:
    """The instant of wall time `at` (whole seconds) on `day`; None when `zone` has no such date.

    Raises InvalidInput for a zone that tzdata does not know.
    """
    place = zone_of(zone)
    reached = _first_showing(datetime.combine(day, at, tzinfo=place), place)
    for moment in (reached, reached - ONE_MINUTE):
        if moment.astimezone(place).date() == day:
            return moment
    return None


def _first_showing(wanted: datetime, place: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which a clock in `place` shows `wanted` or later.

    Two times that carry one and the same zone compare by what the clock shows (PEP 495).
    """
    after = wanted.astimezone(UTC)
    if after.astimezone(place) == wanted:
        return after
    # The clock jumped over it. Read with the offset from after the jump (fold 1) it is an instant
    # before the jump; with the one from before (fold 0), as above, an instant after.
    before = wanted.replace(fold=1).astimezone(UTC)
    seconds = range((after - before) // ONE_SECOND)
    return before + ONE_SECOND * bisect_left(
        seconds, True, key=lambda n: (before + ONE_SECOND * n).astimezone(place) > wanted
    )


# --- when a digest is due ----------------------------------------------------------------------


def due_instant(day: date, hour: int, zone: str) -> datetime | None:
    """When the digest of `day` is due at `hour` (0-23); None when `zone` has no such date."""
    return instant_at(day, time(hour), zone)


def due_instants(day: date, *, hour: int, zone: str) -> Iterator[datetime]:
    """The due instants of `day` and of every later date that exists in `zone`, without end."""
    while True:
        due = due_instant(day, hour, zone)
        if due is not None:
            yield due
        day += ONE_DAY


def next_due(due_at: datetime, *, hour: int, zone: str) -> datetime:
    """The due instant of the first date after the one `due_at` falls on in `zone`.

    Hour and zone are those of now: `due_at` may have been reckoned with others.
    """
    return next(due_instants(local_date(due_at, zone) + ONE_DAY, hour=hour, zone=zone))


def first_due(now: datetime, *, hour: int, zone: str, taken: date | None = None) -> datetime:
    """The first due instant of a subscription that becomes active or changes its hour or zone.

    `taken` is the latest local date that has a ledger row, None for somebody who never had one.
    The result is never before `now` and its local date always later than `taken`, so that no date
    gets two digests, whichever way the clock is turned:

    - **Never had one:** the next time the clock shows `hour`.
    - **Had one, but not today's, and the hour is past:** `now`. A zone further east or an earlier
      hour moved today's digest into the past, where it would be lost.
    - **Otherwise** `hour` on the date after `taken`, or on today if that is later. Going west may
      repeat a date; the next digest waits until it has ended.

    So no date ends on the reader's clock before it, or a later date, has its row. From `now` the
    wait is at most a day, or until `hour` on the first date after `taken`.

    A subscription whose due instant has come already keeps it: the planner still owes that digest,
    and `next_due` goes on from there with the new hour and zone.
    """
    today = local_date(now, zone)
    first = today if taken is None else max(today, taken + ONE_DAY)
    coming = next(due for due in due_instants(first, hour=hour, zone=zone) if due >= now)
    owed_today = taken is not None and taken < today < local_date(coming, zone)
    return require_utc(now) if owed_today else coming


def missed(due_at: datetime, now: datetime) -> bool:
    """Whether the life of a digest that was due at `due_at` is over: it is not sent any more."""
    return now >= due_at + DIGEST_LIFE


# --- when an edition freezes -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One freezing of a list: `name` is `0` for the first cut of `day` in the list's zone."""

    day: date
    name: str
    instant: datetime


def check_cuts(cuts: Sequence[str]) -> tuple[time, ...]:
    """The times of day of a list's cuts; raises InvalidInput unless they are well-formed."""
    for text in cuts:
        if not re.fullmatch("(?:[01][0-9]|2[0-3]):[0-5][0-9]", text):
            raise InvalidInput(f"{text!r} is not a time of day: write a cut like 06:00")
    times = tuple(map(time.fromisoformat, cuts))
    if not 1 <= len(times) <= MOST_CUTS:
        raise InvalidInput(f"{len(times)} cuts: give a list 1 to {MOST_CUTS} of them a day")
    if list(times) != sorted(set(times)):
        raise InvalidInput(
            f"the cuts {', '.join(cuts)} are not in order: write each once, earliest first"
        )
    return times


def cut_instants(mailing_list: MailingList, day: date) -> tuple[Cut, ...]:
    """The cuts of `day` in order; none when the list's zone has no such date."""
    instants = (instant_at(day, at, mailing_list.zone) for at in check_cuts(mailing_list.cuts))
    return tuple(
        Cut(day=day, name=str(number), instant=instant)
        for number, instant in enumerate(instants)
        if instant is not None
    )


def newest_cut(mailing_list: MailingList, now: datetime) -> Cut:
    """The latest cut at or before `now`; it may be one of yesterday."""
    return [cut for cut in _cuts_around(mailing_list, now) if cut.instant <= now][-1]


def next_cut(mailing_list: MailingList, now: datetime) -> Cut:
    """The first cut after `now`; it may be one of tomorrow."""
    return next(cut for cut in _cuts_around(mailing_list, now) if cut.instant > now)


def _cuts_around(mailing_list: MailingList, now: datetime) -> list[Cut]:
    """The cuts of today and of two dates on either side, as one of the two may not exist."""
    today = local_date(now, mailing_list.zone)
    days = (today + ONE_DAY * offset for offset in range(-2, 3))
    return [cut for day in days for cut in cut_instants(mailing_list, day)]


DIGEST_LIFE = timedelta(hours=20)
