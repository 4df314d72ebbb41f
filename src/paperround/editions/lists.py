"""A list: a named digest people subscribe to, and which papers may enter its editions."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NewType

from paperround.core.times import end_of_day, local_date
from paperround.papers.model import FeedId

ListId = NewType("ListId", int)

CANDIDATES = 1000
"""Papers of a ranking, those an edition shows included, that readers whose wishes are known may
get."""

DEFAULT_LIST = "trending"
MANUAL_CUT = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """A list and its settings.

    `feeds` empty means every feed. `size` is how many papers a digest holds unless the
    subscriber says otherwise, `edition_size` how many an edition shows (so that a person
    who has seen the first ones still gets a full digest). `candidate_days` is how long after
    its listing a paper may enter. `cuts` are the local times of day at which editions freeze.
    A list that is paused sends nothing; what is planned waits, as long as it lives. After a
    restore, nothing that was due or counted before `not_before` is mailed: it may have been, by
    the installation that was lost.
    """

    id: ListId
    name: str
    title: str
    zone: str = "UTC"
    feeds: tuple[FeedId, ...] = ()
    categories: tuple[str, ...] = ()
    size: int = 12
    edition_size: int = 60
    candidate_days: int = 7
    cuts: tuple[str, ...] = ("00:00", "06:00", "12:00", "18:00")
    submitter_cap: int = 3
    paused_at: datetime | None = None
    not_before: datetime | None = None
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """What an edition may know: papers that count from `start` (exclusive) to `as_of`."""

    start: datetime
    as_of: datetime


def window_of(mailing_list: MailingList, day: date, now: datetime) -> Window:
    """The window of the edition of `day`: whole days of the list's zone up to the last one, which
    ends with the day and `now`. A source that tells no hour lists its papers at midnight, and these
    belong to their day."""
    zone = mailing_list.zone
    as_of = min(now, end_of_day(day, zone))
    before = local_date(as_of, zone) - timedelta(days=mailing_list.candidate_days + 1)
    start = end_of_day(before, zone) - timedelta(microseconds=1)
    return Window(max(start, mailing_list.not_before or start), as_of)
