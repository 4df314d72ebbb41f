"""Ingest: records in, papers out.

    parsed batch ─► known? ─► same fingerprint ─► unchanged
                      │  └──► changed: repair ─► merge ─► write
                      └─────► new:     repair ─► paper ─► write
    counts ─► observations          what cannot be used ─► rejects, kept

Each chunk is one transaction, done again when it loses a race; the same bytes twice change
nothing. A run that fails is stored as failed, and what it stored before stays. A file is a run of
one batch, a poll of a live feed one of as many as the source has pages.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from itertools import islice

from paperround.domain.feeds import MOST_NAMES, RunNotes
from paperround.domain.identifiers import KINDS_BY_TRUST
from paperround.domain.merge import (
    key_of,
    may_merge_by_title,
    merged,
    new_paper,
    remembered,
    remembers,
    repaired,
    together,
)
from paperround.domain.observations import Count, Observation
from paperround.domain.papers import (
    FeedId,
    Listing,
    LooseCount,
    Paper,
    PaperId,
    PaperWrite,
    ParsedBatch,
    Record,
    Reject,
)
from paperround.jobs.ports import Database, UnitOfWork
from paperround.jobs.progress import Progress, no_progress
from paperround.jobs.transactions import write

CHUNK = 1000
"""Records a transaction: large enough to batch, small enough not to hold the writer for long."""

_LONGEST_ERROR = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What one run did. `records` = `new` + `changed` + `unchanged`.

    `unseen` counts the papers that this feed had not listed before, whoever else had. `names` are
    identifiers of some papers that were new, changed and unchanged.
    """

    records: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unseen: int = 0
    observations: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    papers_total: int = 0
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def ingest(
    batch: ParsedBatch,
    *,
    database: Database,
    feed_name: str,
    feed_kind: str,
    source: str,
    captured_at: datetime,
    now: datetime,
    progress: Progress = no_progress,
) -> IngestReport:
    """Store what `batch` holds as listed by the feed; undated counts are of `captured_at`.

    `progress` hears of every chunk of records that is stored.
    """

    def begin(work: UnitOfWork) -> tuple[FeedId, int]:
        feed = work.feeds.get_or_create(feed_name, feed_kind, now=now)
        return feed.id, work.feeds.start_run(feed.id, source=source, now=now)

    feed, number = write(database, begin)
    run = Run(database, feed=feed, number=number)
    try:
        run.add(batch, captured_at=captured_at, now=now, progress=progress)
        run.finish(now=now)
    except Exception as error:
        run.fail(f"{type(error).__name__}: {error}", now=now)
        raise
    return run.report


class Run:
    """One reading of a feed that was started, until it is finished or failed."""

    def __init__(self, database: Database, *, feed: FeedId, number: int) -> None:
        self._database = database
        self._feed = feed
        self._number = number
        self._tally = Counter[str]()
        self._rejects = Counter[str]()
        self._names: dict[str, list[str]] = {"new": [], "changed": [], "unchanged": []}
        self._papers_total = 0

    @property
    def report(self) -> IngestReport:
        """What the run did so far; `papers_total` is known when it is finished."""
        tally = self._tally
        return IngestReport(
            records=tally["new"] + tally["changed"] + tally["unchanged"],
            new=tally["new"],
            changed=tally["changed"],
            unchanged=tally["unchanged"],
            unseen=tally["unseen"],
            observations=tally["observations"],
            rejects=dict(self._rejects),
            papers_total=self._papers_total,
            names={what: tuple(names) for what, names in self._names.items()},
        )

    def add(
        self,
        batch: ParsedBatch,
        *,
        captured_at: datetime,
        now: datetime,
        progress: Progress = no_progress,
    ) -> None:
        """Store one batch; undated counts are of `captured_at`."""
        for chunk in _chunks(batch.records):
            tally, decided = write(self._database, partial(self._store, chunk, captured_at, now))
            self._tally += tally
            self._note(chunk, decided)
            progress(len(chunk))
        if batch.loose_counts or batch.rejects:
            observed, rejects = write(
                self._database, partial(self._store_rest, batch, captured_at, now)
            )
            self._tally["observations"] += observed
            self._rejects.update(reject.reason for reject in rejects)

    def _note(self, records: Sequence[Record], decided: Sequence[str]) -> None:
        """Remember some names of each kind of paper."""
        for record, what in zip(records, decided, strict=True):
            names = self._names.get(what)
            if names is not None and len(names) < MOST_NAMES and record.identifiers:
                kind, value = _by_trust(record.identifiers)[0]
                names.append(f"{kind}:{value}"[:_LONGEST_NAME])

    def finish(
        self,
        *,
        now: datetime,
        state: str = "done",
        notes: RunNotes = RunNotes(),  # noqa: B008 - a frozen value
    ) -> None:
        """Close the run as `done` or `unchanged`, with what `notes` tell of it."""

        def close(work: UnitOfWork) -> int:
            self._close(work, state, None, now, notes)
            return work.papers.count()

        self._papers_total = write(self._database, close)

    def fail(
        self,
        words: str,
        *,
        now: datetime,
        notes: RunNotes = RunNotes(),  # noqa: B008 - a frozen value
    ) -> None:
        """Close the run with what it stored before, and why it ended."""
        write(self._database, lambda work: self._close(work, "failed", words, now, notes))

    def _store(
        self, records: Sequence[Record], captured_at: datetime, now: datetime, work: UnitOfWork
    ) -> tuple[Counter[str], list[str]]:
        return _Chunk(work, self._feed, captured_at, now).store(records)

    def _store_rest(
        self, batch: ParsedBatch, captured_at: datetime, now: datetime, work: UnitOfWork
    ) -> tuple[int, Sequence[Reject]]:
        """Store what belongs to no chunk: (new observations, all rejects)."""
        observed, strangers = _observe_loose(work, self._feed, batch.loose_counts, captured_at)
        rejects = (*batch.rejects, *strangers)
        work.feeds.keep_rejects(self._number, rejects, now=now)
        return observed, rejects

    def _close(
        self, work: UnitOfWork, state: str, words: str | None, now: datetime, notes: RunNotes
    ) -> None:
        work.feeds.finish_run(
            self._number,
            state=state,
            counts=_run_counts(self.report),
            error=None if words is None else words[:_LONGEST_ERROR],
            now=now,
            notes=replace(notes, names=self._names),
        )


class _Entry:
    """A record as it was read; repaired, and with its title key, only when somebody asks.

    `pairs` are the (kind, value) of its identifiers, the most trusted one first.
    """

    def __init__(self, raw: Record) -> None:
        self.raw = raw
        self.pairs = _by_trust(raw.identifiers)

    @cached_property
    def record(self) -> Record:
        return repaired(self.raw)

    @cached_property
    def key(self) -> str:
        return key_of(self.record)


def _by_trust(found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if len(found) < 2:
        return tuple(found.items())
    return tuple((kind, found[kind]) for kind in KINDS_BY_TRUST if kind in found)


class _Chunk:
    """The state one chunk needs: which papers are known, and what has been decided so far."""

    def __init__(
        self, work: UnitOfWork, feed: FeedId, captured_at: datetime, now: datetime
    ) -> None:
        self._work = work
        self._feed = feed
        self._captured_at = captured_at
        self._now = now
        self._known: dict[tuple[str, str], PaperId] = {}
        self._fingerprints: dict[PaperId, str] = {}
        self._papers: dict[PaperId, Paper] = {}
        self._writes: dict[PaperId, PaperWrite] = {}
        self._listings: dict[PaperId, Listing] = {}
        self._counts: list[tuple[PaperId, Observation]] = []

    def store(self, records: Sequence[Record]) -> tuple[Counter[str], list[str]]:
        """Decide about every record, then write everything at once: (counts, each decision)."""
        entries = [_Entry(record) for record in records]
        self._look_up(entries)
        seen = set(self._fingerprints)
        decided = list[str]()
        for entry in entries:
            what, paper = self._decide(entry)
            decided.append(what)
            if paper is None:
                continue
            self._counts += [(paper, seen) for seen in _dated(entry.raw.counts, self._captured_at)]
        tally = Counter(decided)
        tally["unseen"] = len(self._listings.keys() - seen)
        tally["observations"] = self._write()
        return tally, decided

    def _write(self) -> int:
        """Store what was decided; returns how many observations were new."""
        papers = self._work.papers
        real = papers.save(list(self._writes.values()), now=self._now)
        listings = [_with_id(listing, real) for listing in self._listings.values()]
        papers.list_papers(self._feed, listings, now=self._now)
        counts = [(real.get(paper, paper), seen) for paper, seen in self._counts]
        return papers.observe(self._feed, counts)

    def _look_up(self, entries: Sequence[_Entry]) -> None:
        """Load what is known of these records; titles are repaired only where ids say nothing."""
        papers = self._work.papers
        self._known = papers.find({pair for one in entries for pair in one.pairs})
        strangers = [one for one in entries if self._by_identifier(one) is None]
        keys = {("title_key", one.key) for one in strangers}
        self._known |= papers.find(keys)
        self._fingerprints = papers.fingerprints(self._feed, set(self._known.values()))
        found = ((self._by_identifier(one), one.raw) for one in entries)
        changed = {paper for paper, raw in found if paper and self._is_changed(paper, raw)}
        by_title = {self._known[key] for key in keys if key in self._known}
        self._papers = papers.load(changed | by_title, for_update=True)
        if self._papers:  # whoever held them until now may have listed them for this feed
            self._fingerprints |= papers.fingerprints(self._feed, self._papers)

    def _decide(self, entry: _Entry) -> tuple[str, PaperId | None]:
        """(`new` | `changed` | `unchanged`, paper) for one record, remembering the write; and
        (`unannounced`, None) for a replacement of a paper that nobody announced here."""
        paper_id = self._by_identifier(entry)
        if paper_id is None:
            paper_id = self._by_title(entry)
        if paper_id is None:
            return self._create(entry) if entry.raw.announces else ("unannounced", None)
        if not self._is_changed(paper_id, entry.raw):
            return "unchanged", paper_id
        return self._update(paper_id, entry)

    def _create(self, entry: _Entry) -> tuple[str, PaperId]:
        provisional = PaperId(-1 - len(self._writes))
        change = new_paper(provisional, entry.raw, entry.record, entry.key, self._now)
        self._remember(change, entry.raw)
        return "new", provisional

    def _update(self, paper_id: PaperId, entry: _Entry) -> tuple[str, PaperId]:
        if paper_id not in self._papers:
            self._papers |= self._work.papers.load([paper_id], for_update=True)
        free = {
            kind: value
            for kind, value in entry.pairs
            if self._known.get((kind, value), paper_id) == paper_id
        }
        record = replace(entry.record, identifiers=free)
        old = self._papers[paper_id]
        same_feed = paper_id in self._fingerprints
        change = merged(old, entry.raw, record, same_feed=same_feed, now=self._now)
        if change is None:
            self._list(paper_id, entry.raw)
            return "unchanged", paper_id
        self._remember(change, entry.raw)
        return "changed", paper_id

    def _remember(self, change: PaperWrite, raw: Record) -> None:
        """Keep the write; a second one to the same paper adds up with the first."""
        paper = change.paper
        before = self._writes.get(paper.id)
        self._writes[paper.id] = change if before is None else together(before, change)
        self._papers[paper.id] = paper
        for pair in paper.identifiers.items():
            self._known.setdefault(pair, paper.id)  # of two with one title key, the first keeps it
        self._list(paper.id, raw)

    def _list(self, paper_id: PaperId, raw: Record) -> None:
        fingerprints = remembered(self._fingerprints.get(paper_id), raw.fingerprint)
        self._fingerprints[paper_id] = fingerprints
        self._listings[paper_id] = Listing(
            paper_id=paper_id, fingerprint=fingerprints, listed_on=raw.listed_on
        )

    def _by_identifier(self, entry: _Entry) -> PaperId | None:
        return next((self._known[pair] for pair in entry.pairs if pair in self._known), None)

    def _by_title(self, entry: _Entry) -> PaperId | None:
        found = self._known.get(("title_key", entry.key))
        if found is None or not may_merge_by_title(entry.record, self._papers[found]):
            return None
        return found

    def _is_changed(self, paper_id: PaperId, record: Record) -> bool:
        return not remembers(self._fingerprints.get(paper_id), record.fingerprint)


def _observe_loose(
    work: UnitOfWork, feed: FeedId, loose: Sequence[LooseCount], captured_at: datetime
) -> tuple[int, list[Reject]]:
    """Store counts that came without papers; those of an unknown paper become rejects."""
    known = work.papers.find({(one.kind, one.value) for one in loose})
    counts: list[tuple[PaperId, Observation]] = []
    strangers: list[Reject] = []
    for one in loose:
        paper = known.get((one.kind, one.value))
        if paper is None:
            strangers.append(_stranger(one))
        else:
            counts += [(paper, seen) for seen in _dated(one.counts, captured_at)]
    return work.papers.observe(feed, counts), strangers


def _stranger(one: LooseCount) -> Reject:
    return Reject(
        reason="unknown-paper",
        detail=f"no paper has the {one.kind} id {one.value}: ingest the papers first",
        position=one.position,
        excerpt=f"{one.kind}:{one.value}",
    )


def _dated(counts: Sequence[Count], captured_at: datetime) -> list[Observation]:
    return [
        Observation(
            signal=count.signal, captured_at=count.captured_at or captured_at, value=count.value
        )
        for count in counts
    ]


def _with_id(listing: Listing, real: Mapping[PaperId, PaperId]) -> Listing:
    return Listing(
        paper_id=real.get(listing.paper_id, listing.paper_id),
        fingerprint=listing.fingerprint,
        listed_on=listing.listed_on,
    )


def _run_counts(report: IngestReport) -> dict[str, int]:
    return {
        "records": report.records,
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "unseen": report.unseen,
        "observations": report.observations,
        "rejects": sum(report.rejects.values()),
    }


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    source = iter(records)
    while chunk := tuple(islice(source, CHUNK)):
        yield chunk
