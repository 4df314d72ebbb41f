"""Define mailing lists and the window of papers that may enter an edition."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NewType

from paperround.core.times import end_of_day, local_date

if TYPE_CHECKING:  # commands name the default list, so that --help stays quick
    from paperround.papers.model import FeedId

ListId = NewType("ListId", int)

CANDIDATES = 1000
"""Papers of a ranking, including those an edition shows, that readers with preferences may get."""

DEFAULT_LIST = "trending"
MANUAL_CUT = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """A mailing list and its settings.

    Empty `feeds` means every feed. `size` is the default number of papers in a digest,
    `edition_size` the number an edition shows (more, so that a reader who got the first ones
    still gets a full digest). `candidate_days` is how long after its listing a paper may enter.
    `cuts` are the local times of day at which editions freeze; then they are held for
    `hold_minutes`, unless somebody approves them earlier. A paused list sends nothing;
    planned digests wait until they expire. After a restore, nothing due or counted before
    `not_before` is sent, as it may have been sent before the restore.
    """

    id: ListId
    name: str
    title: str
    zone: str = "UTC"
    feeds: "tuple[FeedId, ...]" = ()
    categories: tuple[str, ...] = ()
    size: int = 12
    edition_size: int = 60
    candidate_days: int = 7
    cuts: tuple[str, ...] = ("00:00", "06:00", "12:00", "18:00")
    submitter_cap: int = 3
    paused_at: datetime | None = None
    not_before: datetime | None = None
    hold_minutes: int = 0
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """The data of an edition: papers that count from `start` (exclusive) to `as_of`."""

    start: datetime
    as_of: datetime


def window_of(mailing_list: MailingList, day: date, now: datetime) -> Window:
    """Return the window of the edition of `day`: whole days in the list's zone, the last one up to
    the end of `day` or `now`.

    A source without times lists its papers at midnight; these belong to that day.
    """
    zone = mailing_list.zone
    as_of = min(now, end_of_day(day, zone))
    before = local_date(as_of, zone) - timedelta(days=mailing_list.candidate_days + 1)
    start = end_of_day(before, zone) - timedelta(microseconds=1)
    return Window(max(start, mailing_list.not_before or start), as_of)
