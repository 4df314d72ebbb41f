"""Define mailing lists and the window of papers that may enter an edition."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

from paperround.core.times import end_of_day, local_date

if TYPE_CHECKING:  # commands import this module for the default list, and --help must stay fast
    from paperround.papers.model import FeedId

ListId = NewType("ListId", int)

CANDIDATES = 1000
"""The first papers of a ranking, including those an edition shows, that readers with preferences
may get."""

DEFAULT_LIST = "trending"
MANUAL_CUT = "manual"


OFFERED_FREQUENCIES = ("daily", "weekdays", "weekly", "monthly")
"""How often a list may offer its digest."""


class SignupPolicy(StrEnum):
    """Who may sign up: anybody, nobody, or addresses at the list's domains."""

    OPEN = "open"
    CLOSED = "closed"
    DOMAINS = "domains"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLook:
    """The look of a list's emails; an empty field means that of the installation.

    `from_name` is the display name before the installation's address. `intro` is a line above the
    papers, `footer` one below them.
    """

    from_name: str = ""
    colour: str = ""
    logo_url: str = ""
    reply_to: str = ""
    intro: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """What an operator decides about a list.

    Empty `feeds` means every feed; only papers that match `search` may enter. `size` is the default
    number of papers in a digest, `edition_size` the number an edition shows (more, so that a reader
    who got the first ones still gets a full digest). `candidate_days` is how long after its listing
    a paper may enter. `cuts` are the local times of day at which editions freeze. Without a
    `default_hour`, the installation's applies. Empty `frequencies` and `languages` mean all of
    them. A private list is on no page and in no feed; links in its own emails work.
    """

    title: str
    description: str = ""
    zone: str = "UTC"
    feeds: "tuple[FeedId, ...]" = ()
    categories: tuple[str, ...] = ()
    search: str = ""
    size: int = 12
    edition_size: int = 60
    candidate_days: int = 7
    cuts: tuple[str, ...] = ("00:00", "06:00", "12:00", "18:00")
    default_hour: int | None = None
    frequencies: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    look: ListLook = ListLook()
    signup: SignupPolicy = SignupPolicy.OPEN
    domains: tuple[str, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList(ListSettings):
    """A mailing list.

    Its editions are held for `hold_minutes` after their cut unless an editor approves them earlier.
    A paused list sends nothing; planned digests wait until they expire. An archived one also
    freezes nothing and takes no sign-ups. After a restore of the database, nothing due or counted
    before `not_before` is sent, as it may have been sent before. The default list follows the time
    zone of the settings unless it `has_own_zone`.
    """

    id: ListId
    name: str
    created_at: datetime | None = None
    submitter_cap: int = 3
    paused_at: datetime | None = None
    not_before: datetime | None = None
    hold_minutes: int = 0
    archived_at: datetime | None = None
    has_own_zone: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_held_by_restore(self) -> bool:
        """Whether the pause is the one after a restore, or was there before."""
        paused_at, restored_at = self.paused_at, self.not_before
        return paused_at is not None and restored_at is not None and paused_at <= restored_at

    @property
    def takes_signups(self) -> bool:
        """Whether anybody may sign up."""
        return self.archived_at is None and self.signup is not SignupPolicy.CLOSED

    def is_for(self, domain: str) -> bool:
        """Return whether the list is for addresses at `domain`: one of its domains or a
        subdomain."""
        if self.signup is not SignupPolicy.DOMAINS:
            return True
        return any(domain == one or domain.endswith(f".{one}") for one in self.domains)

    def offers(self, frequency: str) -> bool:
        """Return whether readers may choose this frequency."""
        return not self.frequencies or frequency in self.frequencies

    def language_for(self, wanted: str | None) -> str | None:
        """Return the language of a reader's digest: the one they chose, if the list offers it."""
        if not self.languages:
            return wanted
        return wanted if wanted in self.languages else self.languages[0]


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
