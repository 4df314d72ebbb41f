"""Editions: the frozen ranking of one list at one cut-off, and the ranking it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import quote

from paperround.editions.lists import ListId
from paperround.papers.identifiers import page_name
from paperround.papers.model import Observation, Paper, PaperId, Show

EditionId = NewType("EditionId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A paper that may enter an edition, with every observation known at the cut-off."""

    paper: Paper
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One position of a ranking. The parts, each rounded to 4 places, add up to `score`.

    `reason` is the one line a reader sees: why is this paper here? `folded` names papers
    that are near-duplicates of this one and were left out in its favour.
    """

    paper: Paper
    score: float
    parts: Mapping[str, float]
    reason: str
    votes: int | None = None
    comments: int | None = None
    folded: tuple[PaperId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Papers in order, best first, with the name and version of the ranker that ordered them."""

    ranker: str
    as_of: datetime
    items: tuple[Ranked, ...]


class EditionState(StrEnum):
    """`frozen`: the ranking stands. `planned`: every shard of its ledger rows is written."""

    FROZEN = "frozen"
    PLANNED = "planned"
    CANCELLED = "cancelled"


def page_path(name: str) -> str:
    """Where the page of the paper called `name` is on the site."""
    return f"/papers/{quote(name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailPaper:
    """A paper behind the last one an edition shows, with its place in the ranking.

    Readers whose wishes are known may get it all the same. Its texts are frozen when the first
    digest takes it up, as an `EditionPaper` with the same position.
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
    """A paper as it stood when the edition was frozen: what is mailed never changes again.

    `paper_id` is the paper it is today. `frozen_id` is the one it was, where it was joined into
    another since: its links, which stand in mails, go on using it. `withdrawn` says whether it is
    withdrawn today: what was frozen is not taken back, but whoever looks at it is told.
    """

    title: str
    authors: tuple[str, ...] = ()
    gist: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    show: Show = Show.FULL
    frozen_id: PaperId | None = None
    withdrawn: bool = False

    @property
    def name(self) -> str:
        """What its page is called: its arXiv id, else the id it was frozen with."""
        return page_name(self.identifiers, self.frozen_id or self.paper_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEdition:
    """An edition about to be frozen. `papers` are those it shows, `tail` those behind.

    `empty_reason` says why it holds no paper (`no-new-papers`, `no-papers-at-all`),
    `quiet_reason` what keeps papers away at that time (`holiday`, `feed-stale`, `feed-failed`).
    `cut_at` is the instant its cut is due; one that was frozen late still belongs to it. `sources`
    says in one line each how the feeds were doing.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition(NewEdition):
    """The frozen ranking. Unique by (list, date in the list's zone, cut).

    `behind` are papers of its tail that digests carry, known where the edition was read by its id:
    they are in mails, and on no page. `tail` is known only of an edition that nobody froze; of
    others the store keeps it for a while.
    """

    id: EditionId
    list_name: str
    state: EditionState
    behind: tuple[EditionPaper, ...] = ()

    @property
    def all_papers(self) -> tuple[EditionPaper, ...]:
        """Those it shows, and those behind that digests carry."""
        return self.papers + self.behind


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSummary:
    """An edition as an archive lists it."""

    list_name: str
    day: date
    cut: str
    cut_at: datetime
    papers: int
    top_title: str
    empty_reason: str | None = None
    quiet_reason: str | None = None


class Order(StrEnum):
    """Which place of a paper counts, and how papers are put in order by it.

    `arrived`  its first place; those that came last stand first
    `ranked`   the place with its highest score; the highest scores stand first
    """

    ARRIVED = "arrived"
    RANKED = "ranked"


class ListedBy(StrEnum):
    """How papers that were listed are put in order.

    `time`   those that were listed last stand first
    `votes`  those with the most votes now
    `score`  those with the highest score they had in an edition
    """

    TIME = "time"
    VOTES = "votes"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """Where one paper stood in one standing edition of a list."""

    list_name: str
    list_title: str
    day: date
    cut: str
    cut_at: datetime
    paper: EditionPaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A paper as it stood in one edition, and when that edition was frozen."""

    day: date
    cut: str
    frozen_at: datetime
    paper: EditionPaper


class DigestKind(StrEnum):
    """The kinds of mail a list sends."""

    DIGEST = "digest"
    ROUNDUP_WEEK = "roundup_week"
    ROUNDUP_MONTH = "roundup_month"
    REPLACEMENT = "replacement"


class SkipReason(StrEnum):
    """Why there is no mail today. Each one is recorded in the ledger."""

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
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """News that a paper a reader was sent is withdrawn, in the words it is told with.

    `page` is what the paper's page is called.
    """

    paper_id: PaperId
    title: str
    page: str


DeliveryId = NewType("DeliveryId", int)


class DeliveryState(StrEnum):
    """Where one mail stands."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    IN_DATA = "in_data"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SKIPPED = "skipped"
