"""Define editions, the frozen rankings of a list, and their papers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import quote

from paperround.core.reasons import freeze
from paperround.editions.lists import ListId
from paperround.papers.identifiers import page_name
from paperround.papers.model import Observation, Paper, PaperId, Show

EditionId = NewType("EditionId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A paper that may enter an edition, with its observations at the cut-off. `colleagues` is the
    balance of the shared opinions about it."""

    paper: Paper
    observations: tuple[Observation, ...] = ()
    colleagues: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One position of a ranking. The parts, each rounded to 4 places, add up to `score`.

    `reason` is the line that tells readers why the paper is here. `folded` are near-duplicates
    left out in its favour.
    """

    paper: Paper
    score: float
    parts: Mapping[str, float]
    reason: str
    votes: int | None = None
    comments: int | None = None
    stars: int | None = None
    folded: tuple[PaperId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Papers in order, best first, with the name and version of the ranker."""

    ranker: str
    as_of: datetime
    items: tuple[Ranked, ...]


CHOSEN = freeze("editor.chosen")
"""The reason of a paper that an editor chose; it comes before all others."""


class EditionState(StrEnum):
    """`frozen`: the ranking is final. `planned`: all shards of its ledger rows are written."""

    FROZEN = "frozen"
    PLANNED = "planned"
    CANCELLED = "cancelled"


def page_path(name: str) -> str:
    """Return the path of the page of the paper `name`."""
    return f"/papers/{quote(name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailPaper:
    """A paper ranked below those an edition shows.

    Readers with preferences may still get it. Its texts are frozen when the first digest includes
    it, as an `EditionPaper` with the same position.
    """

    position: int
    paper_id: PaperId
    score: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    votes: int | None = None
    comments: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPaper(TailPaper):
    """A paper as frozen with the edition; it never changes once sent.

    `paper_id` is its id today. `frozen_id` is the former id of a paper merged into another since;
    links in sent emails still use it. `withdrawn` is its status today, for pages to show.
    `listed` is when it was listed (`sections.listing_of`), `lead_gist` a gist of two sentences;
    editions of earlier versions have neither, nor `organization` and `stars`. `note` is what an
    editor wrote about it.
    """

    title: str
    authors: tuple[str, ...] = ()
    gist: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    show: Show = Show.FULL
    listed: str = ""
    lead_gist: str = ""
    organization: str = ""
    stars: int | None = None
    frozen_id: PaperId | None = None
    withdrawn: bool = False
    note: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether an editor chose it."""
        return self.reason.startswith(CHOSEN)

    @property
    def public_parts(self) -> Mapping[str, float]:
        """The parts that anybody may see: not what readers who share said of it."""
        return {name: value for name, value in self.parts.items() if name != "colleagues"}

    @property
    def public_score(self) -> float:
        """The sum of the public parts."""
        return round(self.score - self.parts.get("colleagues", 0.0), 4)

    @property
    def name(self) -> str:
        """The name of its page: its arXiv id, else the id it was frozen with."""
        return page_name(self.identifiers, self.frozen_id or self.paper_id)


FIRST_CHOSEN = 900_000
"""Positions from here on are of papers that an editor chose and the edition does not rank."""

_FIRST_OF_MONTHS = 1_000_000
"""Positions from here on are of monthly digests; no ranking is as long."""


def month_position(paper: PaperId) -> int:
    """Return the position of a paper in monthly digests, whatever its edition."""
    return _FIRST_OF_MONTHS + paper


def is_month_position(position: int) -> bool:
    """Return whether a position is of a monthly digest."""
    return position >= _FIRST_OF_MONTHS


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalClub:
    """The paper that most readers of a list who share saved within a week, and how many did; `page`
    names its page."""

    paper_id: PaperId
    title: str
    page: str
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSaves:
    """How many readers who share saved each paper of an edition, by position, and the journal club.

    Frozen with the edition, so that repeated requests do not reveal who saved a paper. It contains
    no number below three.
    """

    readers: Mapping[int, int] = field(default_factory=dict)
    club: JournalClub | None = None

    def __bool__(self) -> bool:
        return bool(self.readers or self.club)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorsChanges:
    """What an editor changed in an edition while it was held.

    `dropped` are papers it leaves out. `chosen` are the positions of papers that come first;
    `notes` are notes about papers, by position; `note` is about the edition.
    """

    note: str = ""
    dropped: tuple[PaperId, ...] = ()
    chosen: tuple[int, ...] = ()
    notes: Mapping[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.note or self.dropped or self.chosen or self.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEdition:
    """An edition to freeze. `papers` are those it shows, `tail` those ranked below.

    `empty_reason` says why it has no papers (`no-new-papers`, `no-papers-at-all`), `quiet_reason`
    why there are few (`holiday`, `feed-stale`, `feed-failed`). `cut_at` is when its cut was due,
    even if it froze later. `sources` has one status line per feed. No digest of it is planned
    before `held_until`.
    """

    list_id: ListId
    day: date
    cut: str
    as_of: datetime
    frozen_at: datetime
    ranker: str
    papers: tuple[EditionPaper, ...]
    empty_reason: str | None = None
    cut_at: datetime
    quiet_reason: str | None = None
    sources: tuple[str, ...] = ()
    tail: tuple[TailPaper, ...] = ()
    shared: SharedSaves = SharedSaves()
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition(NewEdition):
    """A frozen edition. Unique by (list, date in the list's zone, cut).

    `papers` are those it shows after the `edits`: those that an editor chose, then the others in
    the order of the ranking. `dropped` are those of the ranking that it leaves out. `held_until` is
    None once it is out; `released_at` is when it went out, if it was held.

    `behind` are papers of its tail included in digests (and on no page); loaded only when the
    edition is read by its id. `tail` is set only on an unsaved edition; the store keeps the tails
    of others for a while.
    """

    id: EditionId
    list_name: str
    state: EditionState
    behind: tuple[EditionPaper, ...] = ()
    released_at: datetime | None = None
    edits: EditorsChanges = EditorsChanges()
    dropped: tuple[EditionPaper, ...] = ()

    def is_held(self, now: datetime) -> bool:
        """Whether it waits for approval, or for the end of its hold."""
        stands = self.state is not EditionState.CANCELLED
        return stands and self.held_until is not None and now < self.held_until

    @property
    def went_at(self) -> datetime | None:
        """When it went out, or will at the latest; None if it was never held."""
        return self.released_at or self.held_until

    @property
    def all_papers(self) -> tuple[EditionPaper, ...]:
        """The papers it shows, and those of the tail included in digests."""
        return self.papers + self.behind


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSummary:
    """An edition in the archive. `top_title` is the title of the paper that ranks first."""

    id: EditionId
    as_of: datetime
    list_name: str
    day: date
    cut: str
    cut_at: datetime
    paper_count: int
    top_title: str
    empty_reason: str | None = None
    quiet_reason: str | None = None


@dataclass(frozen=True, slots=True)
class FrozenFacts:
    """The facts that decide the section of a paper in an edition (`sections.SectionFacts`)."""

    title: str
    votes: int | None
    listed: str
    reason: str = ""


class TrendingPeriod(StrEnum):
    """The length of a trending period, and of what a digest covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Order(StrEnum):
    """Which of a paper's ranks counts, and the order of papers.

    `arrived`  its first one; latest arrivals first
    `ranked`   the one with the highest score; highest scores first
    `latest`   its last one; highest scores first
    """

    ARRIVED = "arrived"
    RANKED = "ranked"
    LATEST = "latest"


class ListedBy(StrEnum):
    """The order of listed papers.

    `time`   latest listing first
    `votes`  most votes now first
    `score`  highest score in an edition first
    """

    TIME = "time"
    VOTES = "votes"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRank:
    """A paper's rank in an edition of a list that is not cancelled."""

    list_name: str
    list_title: str
    day: date
    cut: str
    cut_at: datetime
    paper: EditionPaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A paper in one edition, what that edition knew (`as_of`), and when it was frozen."""

    day: date
    cut: str
    as_of: datetime
    frozen_at: datetime
    paper: EditionPaper


class DigestKind(StrEnum):
    """The kinds of digests a list sends."""

    DIGEST = "digest"
    ROUNDUP_WEEK = "roundup_week"
    ROUNDUP_MONTH = "roundup_month"
    REPLACEMENT = "replacement"


class SkipReason(StrEnum):
    """Why no digest is sent today, as stored in the ledger."""

    NO_NEW_PAPERS = "no-new-papers"
    NO_PAPERS_AT_ALL = "no-papers-at-all"
    MUTED = "muted"
    BELOW_FLOOR = "below-floor"
    PAUSED = "paused"
    BOUNCING = "bouncing"
    NOT_THEIR_DAY = "not-their-day"
    HOLIDAY = "holiday"
    FEED_STALE = "feed-stale"
    FEED_FAILED = "feed-failed"
    RESTORED = "restored"
    NO_EDITIONS = "no-editions"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A withdrawn paper to report to a reader who received it; `page` names its page."""

    paper_id: PaperId
    title: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPapers:
    """How many papers were new when a digest was planned, and how many of them it holds.

    `in_fields`: only those in categories that the reader follows are counted. `nothing_on` is set
    if it holds no paper on any topic that they follow: to the topic, or to "" if they follow
    several.
    """

    new: int
    here: int
    in_fields: bool = False
    nothing_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RisenPaper:
    """A paper that a reader's digests had left out and that got most of its votes later; `page`
    names its page."""

    paper_id: PaperId
    title: str
    page: str
    votes: int


DeliveryId = NewType("DeliveryId", int)


class DeliveryState(StrEnum):
    """The state of a delivery."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    IN_DATA = "in_data"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SKIPPED = "skipped"
