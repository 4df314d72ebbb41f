"""The ledger: what is planned, claimed, sent, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar

from paperround.domain.deliveries import LIFE_OVER, DeliveryId, Lease
from paperround.domain.digests import DigestKind
from paperround.domain.editions import EditionId
from paperround.domain.ledger import (
    Backlog,
    Claimed,
    DeliveryRecord,
    DueDelivery,
    LedgerTotals,
    Move,
    NewDelivery,
    Planned,
    Shard,
    Slip,
    Undelivered,
)
from paperround.domain.lists import ListId
from paperround.domain.notices import ClaimedNotice, NewNotice, Notice, NoticeKind
from paperround.domain.subscribers import SubscriberId
from paperround.jobs.ports.pacing import Gate
from paperround.jobs.ports.running import Processes

Row = TypeVar("Row")


class Claiming(Protocol[Row]):
    """What happens to a row between planning and its end, whatever mail it is."""

    def reclaim(self, processes: Processes, *, now: datetime) -> Mapping[str, int]:
        """End dead leases: claimed -> queued, in_data -> unknown. Returns counts by new state."""
        ...

    def expire(self, *, now: datetime, untried: str = LIFE_OVER) -> int:
        """Queued and deferred rows whose life is over become expired; their papers are released.
        `untried` is the reason of those that were never tried."""
        ...

    def claim(
        self,
        lease: Lease,
        *,
        limit: int,
        now: datetime,
        without: Collection[DeliveryId] = (),
        gate: Gate | None = None,
    ) -> list[Row]:
        """Lease rows that are due, oldest first, and skip those whose reader has left meanwhile.
        Rows `without` are passed over: the caller still has them in hand under an older claim.
        Those that `gate` puts off wait, without a try counted.

        On PostgreSQL with FOR UPDATE SKIP LOCKED. Returns an empty list when nothing is due."""
        ...

    def has_due(self, *, now: datetime) -> bool:
        """Whether rows wait that a claim would look at; it may find that none of them may go."""
        ...

    def mark_in_data(
        self, deliveries: Sequence[DeliveryId], token: str, *, until: datetime, now: datetime
    ) -> frozenset[DeliveryId]:
        """claimed -> in_data for the rows still held under `token` that may still go; returns
        those. Their lease then lasts until `until`, so that a slow answer is not taken for a dead
        process. Rows whose reader has left since the claim are skipped, those of a list paused
        since are queued again: the claim no longer holds either."""
        ...

    def settle(self, moves: Sequence[Move], *, now: datetime) -> int:
        """Apply moves whose token still holds; papers of failed, expired and skipped rows are
        released. A late `sent` also moves a row from unknown. Returns how many applied."""
        ...

    def release(
        self,
        token: str,
        *,
        now: datetime,
        without: Collection[DeliveryId] = (),
        dotless: Collection[DeliveryId] = (),
    ) -> int:
        """claimed -> queued for what this claim has not sent, without counting a try; but for the
        rows `without`, which the caller has in hand. Of the rows `dotless` the caller knows that no
        dot followed, so their mark, if it counts, is taken back: in_data -> queued."""
        ...

    def give_up(self, token: str, *, now: datetime) -> int:
        """in_data -> unknown for what this claim has marked: nobody hears the answer any more.
        Returns how many."""
        ...


class Ledger(Claiming[Claimed], Protocol):
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
        """Insert the rows that (list, subscriber, kind, local date) does not hold yet, of those who
        still read the list, the papers of the inserted ones into each person's memory, and the
        shard's mark. Returns how many rows went in; raises Conflict when another list took one of
        the papers meanwhile, and EditionCancelled."""
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

    def plan_due(self, due: Sequence[DueDelivery], *, now: datetime) -> int:
        """For each whose subscription still stands at its `due_at`: insert the row unless that
        local date has one, its papers into the person's memory, and move the clock. Returns how
        many rows went in; raises Conflict when another list took one of the papers meanwhile, and
        EditionCancelled."""
        ...

    def plan_again(
        self, list_id: ListId, rows: Sequence[tuple[EditionId, NewDelivery]], *, now: datetime
    ) -> int:
        """Insert the replacements that do not stand yet, of those who still read the list, also of
        a cancelled edition: somebody asked for them. Returns how many rows went in."""
        ...

    def cancel(self, edition: EditionId) -> int:
        """Skip every mail of the edition that has not come to its final dot; the papers are
        released, and whoever has one in hand does not get its mark. Returns how many."""
        ...

    def queue_again(self, edition: EditionId, *, since: datetime) -> int:
        """Let the mails wait again that were stopped when the edition was cancelled at `since`,
        with their papers. Raises Conflict when one of their readers was planned a mail since then.
        Returns how many."""
        ...

    def undelivered(
        self, list_id: ListId, local_date: date, *, after: DeliveryId, limit: int
    ) -> list[Undelivered]:
        """The digests of that date which failed, expired, were cancelled or are unknown, with an
        id above `after`, by id."""
        ...

    def history(self, subscriber: SubscriberId, *, limit: int) -> list[DeliveryRecord]:
        """What became of a person's mails, newest first."""
        ...

    def backlog(self, list_id: ListId, *, now: datetime) -> Backlog:
        """What the list has in hand: the rows of its living editions by state, and the due
        instants of the oldest mail that waits and of the oldest that nothing about its reader
        holds back."""
        ...

    def last_sent(self, list_id: ListId) -> datetime | None:
        """When a mail of the list's latest editions last left; None when none did. Reads every
        mail of those editions, so it is for a person who asks."""
        ...

    def missed(self, list_id: ListId, *, since: date) -> Mapping[date, int]:
        """How many digests of the list came too late to be sent, by local date, from `since` on."""
        ...

    def end_unfinished(self, *, reason: str, now: datetime) -> int:
        """Every row that is not final becomes unknown: it may have been sent. For a restore."""
        ...

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Over every edition whose digest life has not ended."""
        ...


class NoticeLedger(Claiming[ClaimedNotice], Protocol):
    """Notices. The same rules as for deliveries; claiming also passes over rows of people whose
    address is gone or suppressed (an alert or a test has an address of its own)."""

    def put(self, notice: NewNotice, *, now: datetime) -> bool:
        """Write a notice; False when one with its key stands."""
        ...

    def again(self, notice: DeliveryId, *, due_at: datetime, expires_at: datetime) -> bool:
        """Queue a notice that ended (sent, unknown, failed, expired) once more, as it was, with its
        Message-ID. False for one that still waits or is being sent."""
        ...

    def find(self, key: str) -> Notice | None: ...

    def get(self, notice: DeliveryId) -> Notice | None: ...

    def latest(self, subscriber: SubscriberId, kind: NoticeKind) -> Notice | None: ...

    def use(self, notice: DeliveryId, *, now: datetime) -> bool:
        """Note that its link was used; True for the first use only."""
        ...

    def forget_moves(self, *, before: datetime, limit: int) -> int:
        """Forget the new address in notices of a change that both ends agreed to, or that were
        dated before an instant; of those that are not on their way any more, the oldest `limit`."""
        ...

    def end_unfinished(self, *, reason: str, now: datetime) -> int:
        """Every notice that is not final becomes unknown. For a restore."""
        ...

    def totals(self, *, now: datetime) -> LedgerTotals:
        """Of the notices whose life has not ended."""
        ...
