"""Every Protocol the jobs need, in domain types. Adapters match them structurally.

Jobs open the units of work; nothing below a unit of work commits. `Database.reading()` gives a
consistent snapshot, `Database.writing()` the writer's lock from its first statement on
(BEGIN IMMEDIATE on SQLite), so a check and the insert that follows it are one step.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from paperround.domain.deliveries import DeliveryId, Envelope, Lease, Outcome, Worker
from paperround.domain.digests import DigestKind, DigestMail, DigestView, Rendered
from paperround.domain.editions import (
    Candidate,
    Edition,
    EditionId,
    EditionState,
    NewEdition,
    Ranking,
)
from paperround.domain.ledger import Claimed, LedgerTotals, Move, NewDelivery, Planned, Shard, Slip
from paperround.domain.lists import ListId, MailingList, Window
from paperround.domain.observations import Observation
from paperround.domain.papers import (
    Feed,
    FeedId,
    Listing,
    Paper,
    PaperId,
    PaperWrite,
    ParsedBatch,
    Reject,
)
from paperround.domain.subscribers import (
    Address,
    ImportedSubscriber,
    Preferences,
    Subscriber,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.domain.work import Job

# --- time and place ----------------------------------------------------------------------------


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Processes(Protocol):
    """Which process are we, and does another one still live?"""

    def current(self) -> Worker:
        """This process."""
        ...

    def is_dead(self, worker: Worker) -> bool:
        """True only when `worker` ran on this host and is certainly gone."""
        ...


# --- papers ------------------------------------------------------------------------------------


class Reader(Protocol):
    """Turns the bytes of a file of one format into records. Pure."""

    def __call__(self, content: bytes) -> ParsedBatch: ...


class FeedStore(Protocol):
    """Feeds, their runs and the rejects of those runs."""

    def get_or_create(self, name: str, kind: str, *, now: datetime) -> Feed: ...

    def start_run(self, feed: FeedId, *, source: str, now: datetime) -> int: ...

    def finish_run(
        self, run: int, *, state: str, counts: Mapping[str, int], error: str | None, now: datetime
    ) -> None: ...

    def keep_rejects(self, run: int, rejects: Sequence[Reject], *, now: datetime) -> int:
        """Store rejects this feed has not kept before; returns how many were new."""
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
        """The papers with these ids; `for_update` keeps other writers off them till the end."""
        ...

    def save(self, writes: Sequence[PaperWrite], *, now: datetime) -> dict[PaperId, PaperId]:
        """Insert and update; texts that change keep the old ones as a version row.

        Returns the real id of every provisional (negative) one. Raises Conflict when an
        identifier belongs to another paper.
        """
        ...

    def list_papers(self, feed: FeedId, listings: Sequence[Listing], *, now: datetime) -> None:
        """Record that `feed` carries these papers."""
        ...

    def observe(self, feed: FeedId, observations: Sequence[tuple[PaperId, Observation]]) -> int:
        """Store observations; a key already known changes nothing. Returns how many were new."""
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


class Search(Protocol):
    """Finds papers by words and meaning."""

    def search(self, query: str, *, limit: int, offset: int = 0) -> Sequence[PaperId]: ...


# --- lists, editions, subscribers --------------------------------------------------------------


class ListStore(Protocol):
    """The mailing lists of an installation."""

    def get(self, name: str) -> MailingList:
        """The list called `name`; raises NotFound with the names there are."""
        ...

    def default(self) -> MailingList | None:
        """The list every installation has, None before it was made."""
        ...

    def ensure_default(self, *, zone: str, now: datetime) -> MailingList:
        """Make the default list when there is none, and give it this zone."""
        ...


class EditionStore(Protocol):
    """Frozen editions."""

    def find(self, list_id: ListId, day: date, cut: str) -> Edition | None: ...

    def get(self, edition: EditionId) -> Edition: ...

    def freeze(self, edition: NewEdition) -> Edition:
        """Store it in one transaction; raises Conflict when that (list, day, cut) stands."""
        ...

    def set_state(self, edition: EditionId, state: EditionState) -> None: ...

    def discard_empty(self, edition: EditionId) -> bool:
        """Forget an edition without papers and the skipped rows planned from it, so that the day
        can be published after all. False, and nothing done, when it holds papers or mails."""
        ...


class SubscriberStore(Protocol):
    """Subscribers, subscriptions, suppressions, and which papers each person was sent."""

    def put(self, subscriber: ImportedSubscriber, list_id: ListId, *, now: datetime) -> str:
        """Insert or update one; returns `new`, `changed` or `unchanged`. Never un-suppresses,
        and never turns somebody who left back into a subscriber."""
        ...

    def subscriptions_after(
        self, list_id: ListId, after: SubscriptionId, *, limit: int
    ) -> list[Subscription]:
        """Active subscriptions with an id above `after`, by id."""
        ...

    def already_sent(
        self, subscribers: Collection[SubscriberId]
    ) -> dict[SubscriberId, frozenset[PaperId]]:
        """The papers each person was or will be sent, over all lists."""
        ...

    def find(self, address: Address) -> Subscriber | None: ...

    def subscription(self, subscriber: SubscriberId, list_id: ListId) -> Subscription | None: ...

    def export(self, list_id: ListId) -> Iterator[tuple[Subscriber, Preferences]]: ...

    def suppress(self, digest: str, key_id: str, *, reason: str, now: datetime) -> bool:
        """Keep a keyed hash that must never be mailed; False when it stands already."""
        ...

    def lift(self, digest: str, *, now: datetime) -> bool:
        """End a suppression; False when it does not stand."""
        ...

    def suppressed(self, digests: Collection[str]) -> frozenset[str]: ...

    def suppression_keys(self) -> frozenset[str]:
        """The names of the keys that standing suppressions were hashed with."""
        ...

    def suppressions(self) -> list[tuple[str, str, datetime]]:
        """(digest, reason, since) of every standing suppression."""
        ...

    def set_state(
        self, subscriber: SubscriberId, state: SubscriberState, *, now: datetime
    ) -> None: ...


# --- the ledger --------------------------------------------------------------------------------


class Ledger(Protocol):
    """Deliveries. A row without a terminal state is never forgotten, a sent one never resent."""

    def plan(
        self,
        edition: EditionId,
        list_id: ListId,
        rows: Sequence[NewDelivery],
        shard: Shard,
        *,
        now: datetime,
    ) -> int:
        """Insert the rows that (list, subscriber, kind, local date) does not hold yet, the papers
        of the inserted ones into each person's memory, and the shard's mark. Returns how many rows
        went in; raises Conflict when another list took one of the papers meanwhile."""
        ...

    def planned_subscribers(
        self,
        list_id: ListId,
        subscribers: Collection[SubscriberId],
        kind: DigestKind,
        local_date: date,
    ) -> frozenset[SubscriberId]: ...

    def planned(self, edition: EditionId) -> Planned: ...

    def find(
        self,
        list_id: ListId,
        subscriber: SubscriberId,
        kind: DigestKind,
        local_date: date,
    ) -> Slip | None:
        """What the mail of that row is made of, None when there is no such row."""
        ...

    def reclaim(self, processes: Processes, *, now: datetime) -> Mapping[str, int]:
        """End dead leases: claimed -> queued, in_data -> unknown. Returns counts by new state."""
        ...

    def expire(self, *, now: datetime) -> int:
        """Queued and deferred rows whose life is over become expired; their papers are released."""
        ...

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
    ) -> list[Claimed]:
        """Lease rows that are due, oldest first, and skip those whose reader has left meanwhile.
        Rows `without` are passed over: the caller still has them in hand under an older claim.

        On PostgreSQL with FOR UPDATE SKIP LOCKED. Returns an empty list when nothing is due."""
        ...

    def mark_in_data(
        self, deliveries: Sequence[DeliveryId], token: str, *, until: datetime, now: datetime
    ) -> frozenset[DeliveryId]:
        """claimed -> in_data for the rows still held under `token`; returns those. Their lease
        then lasts until `until`, so that a slow answer is not taken for a dead process."""
        ...

    def settle(self, moves: Sequence[Move], *, now: datetime) -> int:
        """Apply moves whose token still holds; papers of failed, expired and skipped rows are
        released. A late `sent` also moves a row from unknown. Returns how many applied."""
        ...

    def release(self, token: str, *, now: datetime) -> int:
        """claimed -> queued for what this claim has not sent, without counting a try."""
        ...

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Over every edition whose digest life has not ended."""
        ...

    def notice_totals(self, *, now: datetime) -> LedgerTotals: ...


# --- the unit of work --------------------------------------------------------------------------


class UnitOfWork(Protocol):
    """The stores of one transaction."""

    @property
    def feeds(self) -> FeedStore: ...
    @property
    def papers(self) -> PaperStore: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def editions(self) -> EditionStore: ...
    @property
    def subscribers(self) -> SubscriberStore: ...
    @property
    def ledger(self) -> Ledger: ...


class Database(Protocol):
    """Opens units of work; each commits on a clean exit and rolls back on an exception."""

    def reading(self) -> AbstractContextManager[UnitOfWork]: ...

    def writing(self) -> AbstractContextManager[UnitOfWork]: ...


# --- mail --------------------------------------------------------------------------------------


class AddressBook(Protocol):
    """Judges what somebody wrote as an e-mail address."""

    def read(self, written: str) -> Address:
        """The address; raises InvalidInput that says what is wrong with it."""
        ...


class Renderer(Protocol):
    """Turns a digest into words and into the exact bytes that will be sent."""

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""
        ...

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""
        ...


class Mailer(Protocol):
    """Sends a batch: envelopes in, one outcome an envelope out, in any order.

    Everything but socket work happens on the caller's thread: `envelopes` is pulled, `before_dot`
    called and outcomes yielded there, so the caller needs no locks. `before_dot(ids)` is called
    once all of those messages' bodies are about to end and must commit their mark; only the ids it
    returns get their final dot, the others' connections are dropped without it. Outcomes that came
    before a call are yielded before it. At most one marked, unanswered dot a connection exists at
    any time. Closing the generator early finishes nothing new and waits for the open dots.
    """

    def send(
        self,
        envelopes: Iterable[Envelope],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
    ) -> Iterator[Outcome]: ...


# --- how jobs run ------------------------------------------------------------------------------


class Queue(Protocol):
    """Runs jobs later, elsewhere or in a thread of this process."""

    def register(self, task: str, run: Callable[[Mapping[str, str | int]], None]) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        ...

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits already. Raises NotFound for an
        unregistered task."""
        ...

    def run_until_idle(self, *, now: datetime) -> int:
        """Run what is due at `now`, and what that adds, on the caller's thread; returns how many
        jobs ran. A job that raises is retried later by its own rule and never stops the others."""
        ...

    def start(self) -> None:
        """Begin running jobs in the background."""
        ...

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""
        ...


class Limiter(Protocol):
    """One budget shared by every process on the same database."""

    def reserve(self, name: str, *, interval_seconds: float, now: datetime) -> datetime:
        """The instant from which the caller may act once; each call takes one turn."""
        ...


class Channel(Protocol):
    """Delivers a digest to something that is not a mailbox."""

    def post(self, view: DigestView, address: str) -> Outcome: ...


class Pinger(Protocol):
    """Tells a dead-man switch that a run was completed."""

    def ping(self, event: str) -> None: ...


class Summariser(Protocol):
    """Says in one sentence what is new; None when it has nothing trustworthy to say."""

    def summarise(self, paper: Paper) -> str | None: ...


class TextRepair(Protocol):
    """Makes a source's text readable. Pure; a wrong repair is worse than none."""

    def __call__(self, text: str) -> str: ...


class GistChooser(Protocol):
    """Chooses the one sentence of an abstract that says what is new."""

    def __call__(self, title: str, abstract: str) -> str: ...
