"""Model feeds: their settings, state, runs and health."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from enum import StrEnum

from paperround.papers.model import FeedId, Reject, Show

MOST_PAGES = 60
"""Pages one poll may request; a longer source continues at the next poll."""

MOST_NAMES = 20
"""Identifiers stored per run and outcome of papers, for an operator to look at."""


class FeedHealth(StrEnum):
    """The health of a feed, from its last polls.

    `new`: never polled. `fresh`: the last poll brought unseen papers. `empty`: the source responds
    and has nothing. `stale`: it responds, but an expected batch is missing. `holiday`: no batch is
    expected today. `failed`: the last poll ended in an error. `paused`: an operator switched it
    off.
    """

    NEW = "new"
    FRESH = "fresh"
    EMPTY = "empty"
    STALE = "stale"
    HOLIDAY = "holiday"
    FAILED = "failed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedShape:
    """The shape of a whole batch: its numbers of papers, of entries that could not become one, and
    of papers with an abstract and with authors."""

    records: int
    rejects: int = 0
    abstracts: int = 0
    authors: int = 0

    @property
    def entries(self) -> int:
        """Papers and rejects."""
        return self.records + self.rejects


class AlarmKind(StrEnum):
    """`shrunk`: far fewer papers than usual. `grown`: far more. `reshaped`: unusable entries, or a
    missing field."""

    SHRUNK = "shrunk"
    GROWN = "grown"
    RESHAPED = "reshaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something unusual about a feed's batches. `since` is when this episode began; `unjudged`
    counts the batches since it was last seen that were too small, or only partly read, to tell
    whether it is over."""

    kind: AlarmKind
    words: str
    since: datetime
    unjudged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollProgress:
    """The state of a feed between two polls.

    `cursor` is where an interrupted poll resumes (None at the start of one), `begun` is when that
    poll began. `read_to` is when the last complete poll began: everything the service published
    before then has been read, even if the poll ended days later. `validators` are the
    ETag and Last-Modified of each address (`{url: {"etag": ..., "last-modified": ...}}`).
    `batch` is the number of records of the last batch and a hash of their identifiers: the same
    batch again is not news. `usual` has the shapes of the last expected batches, newest last;
    `alarm` is the one in force.
    """

    cursor: str | None = None
    begun: datetime | None = None
    read_to: datetime | None = None
    validators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    batch: str | None = None
    usual: tuple[FeedShape, ...] = ()
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What a source may use to plan its next request. `good_at` is the moment up to which
    everything was read, None before the first complete poll."""

    url: str | None
    settings: Mapping[str, str]
    progress: PollProgress
    good_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossChecked:
    """What another page of a service says of its newest batch: when the batch should have been
    readable in the feed, its day, and its number of entries. `witness` names the page.
    """

    witness: str
    readable_at: datetime
    day: date
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """The settings of a feed. `name` is unique, `kind` is that of a source."""

    name: str
    kind: str
    url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    show: Show | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFeed(NewFeed):
    """A configured feed with its state."""

    id: FeedId
    health: FeedHealth
    reason: str
    progress: PollProgress
    failures: int
    next_at: datetime | None
    expects_at: datetime | None
    """When the next batch is due, None if the source has no schedule."""
    last_good_at: datetime | None
    """When a poll was last completed."""
    last_news_at: datetime | None
    """When a poll last brought unseen papers."""
    created_at: datetime
    lease: int = 0
    """The number of the poll that may write to the feed. It grows when another poll leases the
    feed, and when an operator changes it."""
    gone_at: datetime | None = None
    """When its source reported that it is gone for good, which switched the feed off; None once an
    operator has changed the feed."""

    @property
    def is_imported(self) -> bool:
        """Whether its papers are imported, such as from files, and no source is polled."""
        return self.next_at is None and self.health is FeedHealth.NEW

    @property
    def state(self) -> FeedState:
        """What its source may use."""
        return FeedState(
            url=self.url,
            settings=self.settings,
            progress=self.progress,
            good_at=self.progress.read_to or self.last_good_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """A stored run of a feed. `state` is `running`, `done`, `unchanged`, `failed`, or `put-off` if
    the poll ended early without an error and resumes later.

    `counts` are the papers by outcome; for a poll also the requests, the bytes of the responses
    (decoded), and the papers of the whole batch. `names` are identifiers of papers that were `new`,
    `changed` and `unchanged`, at most `MOST_NAMES` of each. `health` is the feed's at the end, None
    if the run does not decide it.
    """

    id: int
    counts: Mapping[str, int]
    names: Mapping[str, Sequence[str]]
    health: FeedHealth | None
    source: str
    state: str
    error: str | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReject(Reject):
    """A stored reject of a feed."""

    id: int
    run: int
    created_at: datetime


MOST_FEEDS = 2000
"""The most feeds in one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFeed:
    """One entry of a file: `value` is its feed with the keys of the JSON export, not validated.

    `label` is what the file calls it, for messages. If `is_named` is false, the name was made from
    the label: an existing feed of the same address is kept, and a taken name gets a number.
    `problem` is why it cannot become a feed: (reason, detail).
    """

    position: int
    label: str = ""
    value: object = None
    is_named: bool = True
    problem: tuple[str, str] | None = None


Values = Mapping[str, str]
"""Allowed values, each with a title, empty if it needs none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a source, with a one-line description. Its value is one of `values`, several of
    them separated by commas (`many`), a whole number from `low` to `high`, or any text like
    `example`."""

    help: str
    _: KW_ONLY
    values: Callable[[], Values] = dict
    many: bool = False
    needed: bool = False
    default: str | None = None
    low: int | None = None
    high: int | None = None
    example: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAddress:
    """Where others find what a feed reads: the address of a feed, and that of a page."""

    feed: str | None = None
    page: str | None = None
