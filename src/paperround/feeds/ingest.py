"""Store parsed batches: records become papers.

    parsed batch ─► known? ─► same fingerprint ─► unchanged
                      │  └──► changed: repair ─► join ─► merge ─► write
                      └─────► new:     repair ─► paper ─► write
    counts ─► observations          unusable entries ─► rejects

Each chunk is one transaction, retried when it loses a race; reading the same bytes twice changes
nothing. A run that fails is stored as failed and keeps what it stored before. Reading a file is a
run with one batch; polling a live feed is a run with a batch per page.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.core.interfaces import Advance, no_progress
from paperround.db.transactions import Database, Transaction, write
from paperround.feeds.chunk import Chunk, dated
from paperround.feeds.model import MOST_NAMES, FeedHealth
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.identifiers import canonical
from paperround.papers.model import (
    FeedId,
    Observation,
    PaperId,
    ParsedBatch,
    Record,
    Reject,
    Show,
)
from paperround.papers.store.papers import PaperStore

CHUNK = 2000
"""Records per transaction: large enough for bulk writes, small enough to hold SQLite's single write
lock for little more than a tenth of a second."""

_LONGEST_ERROR = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """The result of one run. `records` = `new` + `changed` + `unchanged`.

    `unseen` counts the papers this feed had not listed before, even if other feeds had.
    """

    records: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unseen: int = 0
    observations: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    papers_total: int = 0


def ingest(
    batch: ParsedBatch,
    *,
    database: Database,
    feed_name: str,
    feed_kind: str,
    source: str,
    captured_at: datetime,
    now: datetime,
    show: Show | None = None,
    progress: Advance = no_progress,
    by: str | None = None,
) -> IngestReport:
    """Store `batch` as listed by the feed and return the report; undated counts get `captured_at`.

    `show` replaces that of the records, of papers read before, too. `progress` is called with the
    number of records after every stored chunk. An import by an operator, `by`, is audited.
    """

    def begin(work: Transaction) -> tuple[FeedId, int]:
        feed = work[FeedStore].get_or_create(feed_name, feed_kind, now=now)
        run = work[FeedStore].start_run(feed.id, source=source, now=now)
        if show is not None:
            work[FeedStore].forget_fingerprints(feed.id)
        if by is not None:
            details = {"run": run, "records": len(batch.records)}
            action = AuditedAction(
                actor=by, action="upload papers", target=feed_name, details=details
            )
            work[AuditStore].note(action, now=now)
        return feed.id, run

    feed, number = write(database, begin)
    run = IngestRun(database, feed=feed, number=number)
    try:
        run.add(shown_as(batch, show), captured_at=captured_at, now=now, progress=progress)
        run.finish(now=now)
    except Exception as error:
        run.finish(now=now, state="failed", error=f"{type(error).__name__}: {error}")
        raise
    return run.report


def shown_as(batch: ParsedBatch, show: Show | None) -> ParsedBatch:
    """Return the batch with `show` set on every record; None keeps that of the records."""
    if show is None:
        return batch
    return replace(batch, records=tuple(replace(one, show=show) for one in batch.records))


class IngestRun:
    """One run of a feed, from its start until it is finished or failed.

    With a `lease`, storing raises LeaseLost once the feed was changed or leased to another process.
    """

    def __init__(
        self, database: Database, *, feed: FeedId, number: int, lease: int | None = None
    ) -> None:
        self._database = database
        self._feed = feed
        self._number = number
        self._lease = lease
        self._tally = Counter[str]()
        self._rejects = Counter[str]()
        self._names: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
        self._papers_total = 0

    @property
    def _counts(self) -> dict[str, int]:
        tally = self._tally
        counts = {kind: tally[kind] for kind in (*self._names, "unseen", "observations")}
        return {"records": sum(tally[kind] for kind in self._names), **counts}

    @property
    def report(self) -> IngestReport:
        """The result so far; `papers_total` is set when the run is finished."""
        return IngestReport(
            **self._counts,
            rejects=dict(self._rejects),
            papers_total=self._papers_total,
        )

    def add(
        self,
        batch: ParsedBatch,
        *,
        captured_at: datetime,
        now: datetime,
        progress: Advance = no_progress,
    ) -> None:
        """Store one batch; undated counts get `captured_at`."""
        for start in range(0, len(batch.records), CHUNK):
            chunk = batch.records[start : start + CHUNK]
            tally, decided = write(
                self._database, partial(self._store_records, chunk, captured_at, now)
            )
            self._tally += tally
            for record, decision in zip(chunk, decided, strict=True):
                names = self._names.get(decision)
                if names is not None and len(names) < MOST_NAMES and record.identifiers:
                    names.append(canonical(record.identifiers)[:_LONGEST_NAME])
            progress(len(chunk))
        if batch.loose_counts or batch.rejects:
            observed, rejects = write(
                self._database, partial(self._store_counts_and_rejects, batch, captured_at, now)
            )
            self._tally["observations"] += observed
            self._rejects.update(reject.reason for reject in rejects)

    def finish(
        self,
        *,
        now: datetime,
        state: str = "done",
        error: str | None = None,
        counts: Mapping[str, int] | None = None,
        health: FeedHealth | None = None,
    ) -> None:
        """Close the run as `done`, `unchanged`, `put-off` or `failed`, with the counts so far and
        those of the poll, the `error` that ended it, and the feed's `health`."""

        def close(work: Transaction) -> int:
            work[FeedStore].finish_run(
                self._number,
                state=state,
                counts={**self._counts, "rejects": self._rejects.total(), **(counts or {})},
                names=self._names,
                health=health,
                error=None if error is None else error[:_LONGEST_ERROR],
                now=now,
            )
            return work[PaperStore].count()

        self._papers_total = write(self._database, close)

    def _store_records(
        self, records: Sequence[Record], captured_at: datetime, now: datetime, work: Transaction
    ) -> tuple[Counter[str], list[str]]:
        self._require_lease(work)
        return Chunk(work, self._feed, captured_at, now).store(records)

    def _store_counts_and_rejects(
        self, batch: ParsedBatch, captured_at: datetime, now: datetime, work: Transaction
    ) -> tuple[int, Sequence[Reject]]:
        """Store loose counts and rejects, including unknown papers: (new counts, all rejects)."""
        self._require_lease(work)
        known = work[PaperStore].find({(one.kind, one.value) for one in batch.loose_counts})
        counts: list[tuple[PaperId, Observation]] = []
        rejects = list(batch.rejects)
        for one in batch.loose_counts:
            paper = known.get((one.kind, one.value))
            if paper is not None:
                counts += [(paper, seen) for seen in dated(one.counts, captured_at)]
                continue
            rejects.append(
                Reject(
                    reason="unknown-paper",
                    detail=f"no paper has the {one.kind} id {one.value}: ingest the papers first",
                    position=one.position,
                    excerpt=f"{one.kind}:{one.value}",
                )
            )
        observed = work[PaperStore].observe(self._feed, counts)
        work[FeedStore].keep_rejects(self._number, rejects, now=now)
        return observed, rejects

    def _require_lease(self, work: Transaction) -> None:
        if self._lease is not None:
            work[FeedStore].require_lease(self._feed, self._lease)
