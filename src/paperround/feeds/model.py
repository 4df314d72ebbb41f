"""Polled feeds: what is asked, what came back, and how a feed is doing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from enum import StrEnum

from paperround.papers.model import FeedId, Reject, Show

MOST_PAGES = 60
"""Pages one poll may ask for; a source that goes on longer continues at the next poll."""

MOST_NAMES = 20
"""Identifiers a run keeps of each kind of paper, for an operator to look at."""


class FeedHealth(StrEnum):
    """How a feed is doing, as its last polls tell.

    `new`: never polled. `fresh`: the last poll brought papers that were unseen. `empty`: the
    source answered and says itself that it has nothing. `stale`: it answers, but a batch that was
    expected has not come. `holiday`: no batch is expected today. `failed`: the last poll ended in
    an error. `paused`: an operator switched it off.
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
    """What a whole batch looked like: how many papers, how many entries that could not become
    one, and how many papers have an abstract, and authors."""

    records: int
    rejects: int = 0
    abstracts: int = 0
    authors: int = 0

    @property
    def entries(self) -> int:
        """Papers and rejects."""
        return self.records + self.rejects


class AlarmKind(StrEnum):
    """`shrunk`: far fewer papers than usual. `grown`: far more. `reshaped`: entries that cannot be
    used, or a field that is gone."""

    SHRUNK = "shrunk"
    GROWN = "grown"
    RESHAPED = "reshaped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something unusual about what a feed brings; `since` is when this episode began, `unjudged`
    how many batches came since it was last seen that were too small, or too little of them read,
    to tell whether it is over."""

    kind: AlarmKind
    words: str
    since: datetime
    unjudged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollProgress:
    """Where a feed stands between two polls, and what the last answer said of itself.

    `cursor` is where an interrupted poll goes on, None at the start of one, and `begun` when that
    poll was begun. `read_to` is when the last poll was begun that came to its end: what its service
    told until then is here, though the end may have come days later. `validators` are the
    ETag and Last-Modified of each address (`{url: {"etag": ..., "last-modified": ...}}`).
    `batch` is the number of records of the last batch and a hash of their identifiers: the same
    batch again is no news. `usual` is the shape of the last batches that were expected, the newest
    last, `alarm` what stands against the newest.
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
    """All that a source may know when it plans its next request. `good_at` is the moment up to
    which all was read, None when no poll came to its end yet."""

    url: str | None
    settings: Mapping[str, str]
    progress: PollProgress
    good_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossChecked:
    """What another page of a service says of its newest batch: when that batch ought to have been
    readable in the feed, what day it is of, and how many entries it has. `witness` names the page.
    """

    witness: str
    readable_at: datetime
    day: date
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """A feed somebody asks for. `name` is unique, `kind` one of the sources there are."""

    name: str
    kind: str
    url: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    show: Show | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFeed(NewFeed):
    """A configured feed with everything known of how it is doing."""

    id: FeedId
    health: FeedHealth
    reason: str
    progress: PollProgress
    failures: int
    next_at: datetime | None
    expects_at: datetime | None
    """When the next batch should have come, None when the source has no rhythm."""
    last_good_at: datetime | None
    """When a poll last came to its end."""
    last_news_at: datetime | None
    """When a poll last brought papers that were unseen."""
    created_at: datetime
    lease: int = 0
    """The number of the poll that may write to the feed. One that was taken by another poll, or
    changed by an operator, since it was read has a higher one."""
    gone_at: datetime | None = None
    """When its source said that it is gone for good, and the feed was switched off for that; None
    as soon as an operator said anything of it."""

    @property
    def state(self) -> FeedState:
        """What its source may know."""
        return FeedState(
            url=self.url,
            settings=self.settings,
            progress=self.progress,
            good_at=self.progress.read_to or self.last_good_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """One reading of a feed, as kept. `state` is `running`, `done`, `unchanged`, `failed`, or
    `put-off` when the poll ended early without an error and goes on later.

    `counts` are the papers by what became of them; of a poll, also the requests made, the bytes of
    their answers (decoded), and the papers of the whole batch. `names` are identifiers of papers
    that were `new`, `changed` and `unchanged`, `MOST_NAMES` of each. `health` is the feed's at the
    end, None when the run says nothing of it.
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
    """A reject of a feed, as kept."""

    id: int
    run: int
    created_at: datetime


MOST_FEEDS = 2000
"""Feeds of one file, far more than anybody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFeed:
    """One entry of a file: `value` is its feed in the keys of the JSON export, whatever it holds.

    `label` is what the file calls it, for a message. Where `is_named` is false the name was made
    from the label, and gives way to a feed of the same address and to one that has the name.
    `problem` says why no feed can be made of it: (reason, detail).
    """

    position: int
    label: str = ""
    value: object = None
    is_named: bool = True
    problem: tuple[str, str] | None = None


Values = Mapping[str, str]
"""Allowed values with a title each, empty when the value needs none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a source, with one line for people. It may be one of `values`, several of them
    with commas (`many`), a whole number from `low` to `high`, or any text such as `example`."""

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
    """Where others find what a feed reads: the address of a feed, that of a page."""

    feed: str | None = None
    page: str | None = None
