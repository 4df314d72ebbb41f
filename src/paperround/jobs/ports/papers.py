"""Papers: reading, keeping, ranking and finding them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from paperround.domain.editions import Candidate, Ranking
from paperround.domain.feeds import (
    FeedHealth,
    FeedRun,
    FeedState,
    FetchRequest,
    KeptReject,
    LiveFeed,
    NewFeed,
    Page,
    Poll,
    RunNotes,
    Witnessed,
)
from paperround.domain.joining import PaperJoin
from paperround.domain.lists import MailingList, Window
from paperround.domain.observations import Observation
from paperround.domain.outlooks import Chooser
from paperround.domain.papers import (
    Feed,
    FeedId,
    Listing,
    Paper,
    PaperAddress,
    PaperId,
    PaperText,
    PaperTrail,
    PaperWrite,
    ParsedBatch,
    Reject,
)
from paperround.domain.places import ListedBy
from paperround.domain.tastes import Taste
from paperround.jobs.ports.running import Processes


class Reader(Protocol):
    """Turns the bytes of a file of one format into records. Pure."""

    def __call__(self, content: bytes) -> ParsedBatch: ...


class FeedStore(Protocol):
    """Feeds, their runs and the rejects of those runs."""

    def get_or_create(self, name: str, kind: str, *, now: datetime) -> Feed: ...

    def start_run(self, feed: FeedId, *, source: str, now: datetime) -> int: ...

    def finish_run(
        self,
        run: int,
        *,
        state: str,
        counts: Mapping[str, int],
        error: str | None,
        now: datetime,
        notes: RunNotes = ...,
    ) -> None:
        """Close `run` as `done`, `unchanged`, `failed` or `put-off`, with what `notes` tell of
        it."""
        ...

    def keep_rejects(self, run: int, rejects: Sequence[Reject], *, now: datetime) -> int:
        """Store rejects this feed has not kept before; returns how many were new."""
        ...

    def create(self, feed: NewFeed, *, now: datetime) -> LiveFeed:
        """Keep a new feed, due at once. Raises AlreadyTaken (code `name`)."""
        ...

    def get(self, feed: FeedId) -> LiveFeed:
        """Raises NotFound."""
        ...

    def hold(self, feed: FeedId) -> LiveFeed:
        """As `get`, and nobody else changes it until the transaction ends. Raises NotFound."""
        ...

    def find(self, name: str) -> LiveFeed | None: ...

    def page(self, after: FeedId, *, limit: int) -> list[LiveFeed]:
        """Feeds with an id above `after`, by id; those of files too."""
        ...

    def update(self, feed: FeedId, changed: NewFeed, *, now: datetime) -> LiveFeed:
        """Replace what an operator says of it. A change of kind, url or settings makes it due at
        once and forgets its progress; that, and a change of how much is shown, ends a poll that
        is under way. Raises NotFound, and AlreadyTaken for its name."""
        ...

    def delete(self, feed: FeedId) -> None:
        """Forget the feed, its runs and rejects; its papers stay. Raises NotFound."""
        ...

    def take_due(
        self,
        kinds: Collection[str],
        processes: Processes,
        *,
        until: datetime,
        now: datetime,
        limit: int,
    ) -> list[LiveFeed]:
        """Enabled feeds of these kinds that are due, longest due first. They are lent to `until`,
        so that no other process polls them meanwhile and a crash costs one round."""
        ...

    def take(
        self, feed: FeedId, processes: Processes, *, until: datetime, now: datetime
    ) -> LiveFeed | None:
        """The feed, due or not, lent to `until`; None while it is lent to a process that may live.
        Raises NotFound."""
        ...

    def hold_lent(self, feed: FeedId, lease: int) -> None:
        """Keep it as it is until the transaction ends. Raises NotFound, and LeaseLost when it was
        changed, or lent to another, since it was lent with this number."""
        ...

    def record(self, feed: FeedId, poll: Poll, *, lease: int) -> None:
        """Write down what a poll found; a feed deleted meanwhile is no error. Raises LeaseLost."""
        ...

    def brought(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """How many papers each feed listed for the first time after `since` and by `until`; one
        that listed none is left out."""
        ...

    def rejected(self, *, since: datetime, until: datetime) -> Mapping[FeedId, int]:
        """How many entries of each feed could not be used for the first time, in runs that began
        after `since` and by `until`; a feed without such is left out."""
        ...

    def tell(
        self,
        feed: FeedId,
        health: FeedHealth,
        reason: str,
        *,
        failures: int,
        good_at: datetime | None,
    ) -> None:
        """Say how a feed is doing that is not read by itself; where `good_at` is None, when it was
        last well stays."""
        ...

    def make_due(self, feed: FeedId, *, now: datetime) -> None:
        """Poll it at the next occasion. Raises NotFound."""
        ...

    def runs(self, feed: FeedId, *, before: int | None, limit: int) -> list[FeedRun]:
        """Runs with a number below `before`, newest first."""
        ...

    def forget_names(self, *, before: datetime) -> int:
        """Of runs that began before, keep no names of papers; returns how many runs had some."""
        ...

    def forget_runs(self, *, before: datetime) -> int:
        """Forget runs that began before, with their rejects; returns how many."""
        ...

    def rejects(self, feed: FeedId, *, before: int | None, limit: int) -> list[KeptReject]:
        """Rejects with a number below `before`, newest first."""
        ...


class Client(Protocol):
    """Asks one address for one page, within limits."""

    def get(self, request: FetchRequest) -> Page:
        """The answer; raises FetchFailed or FetchRefused."""
        ...


class Source(Protocol):
    """Knows one service: what to ask it, and how to read what it says."""

    @property
    def kind(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings it knows, each with one line for people."""
        ...

    @property
    def interval(self) -> timedelta:
        """The pause between two polls on an ordinary day."""
        ...

    def check(self, url: str | None, settings: Mapping[str, str]) -> None:
        """Raise InvalidInput, its code naming the field, when a feed cannot be made of these."""
        ...

    def plan(self, state: FeedState, now: datetime) -> FetchRequest:
        """The next request of a poll: the first page, or the one its cursor names."""
        ...

    def fetch(self, client: Client, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> ParsedBatch:
        """What the page holds; `next` is the cursor of the poll's next page. Pure.

        Raises FetchFailed or InvalidInput when the answer is no page of this service."""
        ...

    def expects(self, after: datetime) -> datetime | None:
        """When the first batch after this instant ought to be there; None: it has no rhythm."""
        ...

    def holiday(self, now: datetime) -> bool:
        """Whether the service announces nothing on this day."""
        ...


class Witness(Protocol):
    """Another page of a service, asked before one of its feeds is called stale."""

    def plan(self, state: FeedState) -> FetchRequest | None:
        """The request; None when nothing speaks for a feed with these settings."""
        ...

    def fetch(self, client: Client, request: FetchRequest) -> Page: ...

    def parse(self, page: Page) -> Witnessed:
        """What the page says. Pure. Raises FetchFailed when it says nothing of a batch."""
        ...


class PaperStore(Protocol):
    """Papers with their identifiers, listings and observations."""

    def find(self, identifiers: Collection[tuple[str, str]]) -> dict[tuple[str, str], PaperId]:
        """Which paper each (kind, value) belongs to; unknown ones are left out."""
        ...

    def fingerprints(self, feed: FeedId, papers: Collection[PaperId]) -> dict[PaperId, str]:
        """The fingerprints `feed` last listed each paper with, as `Listing` holds them."""
        ...

    def load(
        self, papers: Collection[PaperId], *, for_update: bool = False
    ) -> dict[PaperId, Paper]:
        """The papers with these ids, or those they were joined into; `for_update` keeps other
        writers off them till the end, and raises Conflict where one was joined meanwhile."""
        ...

    def newest(self, *, before: PaperId | None, limit: int) -> list[Paper]:
        """Papers with an id below `before`, those that were read last first."""
        ...

    def listed(
        self,
        mailing_list: MailingList,
        order: ListedBy,
        *,
        days: tuple[date, date] | None,
        by: datetime,
        limit: int,
        offset: int = ...,
    ) -> list[PaperId]:
        """Papers that the list may hold and that were listed on these days, both included (None is
        no bound), as far as they count by `by`; from `offset` on."""
        ...

    def withdrawn_among(self, papers: Collection[PaperId]) -> frozenset[PaperId]:
        """Those of `papers` that are withdrawn."""
        ...

    def joined_among(self, papers: Collection[PaperId]) -> frozenset[PaperId]:
        """Those of `papers` that were joined into another."""
        ...

    def known_by(self, papers: Collection[PaperId], moment: datetime) -> frozenset[PaperId]:
        """Those of `papers` that had been read by then."""
        ...

    def save(self, writes: Sequence[PaperWrite], *, now: datetime) -> dict[PaperId, PaperId]:
        """Insert and update; texts that change keep the old ones as a version row.

        Returns the real id of every provisional (negative) one. Raises Conflict when an
        identifier belongs to another paper.
        """
        ...

    def join(self, one: PaperJoin, *, now: datetime) -> None:
        """Make one paper of two; the id of the one that goes leads to the other from now on."""
        ...

    def keep_earlier(self, texts: Sequence[PaperText], *, now: datetime) -> None:
        """Keep texts of earlier versions; one that the paper is at, or that is kept, stays."""
        ...

    def also_called(self, keys: Sequence[tuple[PaperId, str]]) -> None:
        """Find papers by these title keys too; a key that is known stays where it is."""
        ...

    def list_papers(self, feed: FeedId, listings: Sequence[Listing], *, now: datetime) -> None:
        """Record that `feed` carries these papers."""
        ...

    def observe(self, feed: FeedId, observations: Sequence[tuple[PaperId, Observation]]) -> int:
        """Store observations; a key already known changes nothing. Returns how many were new."""
        ...

    def trail(self, paper: PaperId, *, limit: int) -> PaperTrail:
        """Where a paper came from, its `limit` last texts and the feeds that carry it."""
        ...

    def addresses(self, *, after: PaperId, through: PaperId) -> list[PaperAddress]:
        """What stands among the ids above `after`, up to `through`, by id; none that is withdrawn
        or was joined into another."""
        ...

    def last_id(self) -> PaperId:
        """The highest id that was given; 0 when there is none."""
        ...

    def count(self) -> int: ...

    def candidates(self, mailing_list: MailingList, window: Window) -> list[Candidate]:
        """Papers that count from within the window, with the observations it may know."""
        ...

    def background(self, before: datetime, *, limit: int) -> list[str]:
        """Titles and abstracts of papers that count from before `before`, newest first."""
        ...


class Ranker(Protocol):
    """Orders candidates. Pure: same candidates, background and `as_of`, same order."""

    @property
    def name(self) -> str:
        """Name and version; stored with every edition."""
        ...

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking: ...


class Summariser(Protocol):
    """A machine that says in one sentence what is new. Nothing it says is to be trusted."""

    def ask(self, paper: Paper) -> str:
        """Its answer, "" when there is none of use. Raises FetchFailed."""
        ...


class TasteDay(Protocol):
    """The papers of one edition, made ready for everybody's taste."""

    def chooser(
        self,
        tastes: Sequence[Taste],
        load: Callable[[Sequence[PaperId]], Mapping[PaperId, Paper]],
    ) -> Chooser:
        """Chooses for readers of these tastes. Papers that were not read yet are asked of `load`;
        what it does not know says nothing."""
        ...


class TasteModel(Protocol):
    """Knows what papers are worth to readers. Pure: same papers and outlooks, same picks."""

    def day(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int,
    ) -> TasteDay:
        """The papers on the shelf of an edition with their scores, of which the first are `shown`
        to everybody, and earlier titles and abstracts, made ready."""
        ...


class SummaryShelf(Protocol):
    """What a machine said of texts so far. Never raises: what cannot be read was never said."""

    def get(self, title: str, abstract: str) -> str | None:
        """What may be shown, "" when nothing may; None: it was never asked."""
        ...

    def put(self, title: str, abstract: str, text: str) -> None: ...

    def forget(self, *, before: datetime) -> None:
        """Drop what was put before."""
        ...


class TextRepair(Protocol):
    """Makes a source's text readable. Pure; a wrong repair is worse than none."""

    def __call__(self, text: str) -> str: ...


class GistChooser(Protocol):
    """Chooses the one sentence of an abstract that says what is new."""

    def __call__(self, title: str, abstract: str) -> str: ...
