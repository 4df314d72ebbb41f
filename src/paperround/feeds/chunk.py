"""Apply one chunk of records to the papers: decide in memory, then write in bulk.

    identifiers ─► one paper, or several that are joined, or none
    title, author, year ─► a paper whose identifiers do not differ
                           ─► new, changed, unchanged; or not announced: tried again at the end

Decisions are written when the chunk ends, and before two papers are joined, which is rare and works
on rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from paperround.db.transactions import Transaction
from paperround.papers.enrichment import WATCHED
from paperround.papers.identifiers import KINDS_BY_TRUST
from paperround.papers.merge import (
    add_fingerprint,
    earlier_text,
    has_author_and_year,
    has_fingerprint,
    joined,
    key_of,
    may_join,
    may_merge_by_title,
    merge_changes,
    merged,
    new_paper,
    newest_fingerprint,
    repaired,
    text_of,
)
from paperround.papers.model import (
    Count,
    FeedId,
    Listing,
    Observation,
    Paper,
    PaperId,
    PaperText,
    PaperWrite,
    Record,
)
from paperround.papers.references import CitedName
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.references import ReferenceStore

Pair = tuple[str, str]

UNANNOUNCED = "unannounced"
"""The decision for a replacement of a paper that was never announced here."""


class ChunkEntry:
    """A record as read; repaired and given a title key only on demand.

    `pairs` are the (kind, value) of its identifiers, the most trusted one first.
    """

    def __init__(self, raw: Record) -> None:
        self.raw = raw
        self.pairs = sort_by_trust(raw.identifiers)

    @cached_property
    def record(self) -> Record:
        """The record with repaired texts."""
        return repaired(self.raw)

    @cached_property
    def key(self) -> str:
        """The title key of the record."""
        return key_of(self.record)

    @property
    def has_title_key(self) -> bool:
        """Whether the title key may match a paper with other identifiers."""
        return bool(self.record.title) and has_author_and_year(self.record)


def sort_by_trust(found: Mapping[str, str]) -> tuple[Pair, ...]:
    """Return (kind, value) of each identifier, the most trusted one first."""
    if len(found) < 2:
        return tuple(found.items())
    return tuple((kind, found[kind]) for kind in KINDS_BY_TRUST if kind in found)


class Chunk:
    """The state of one chunk: the papers known so far and the decisions made."""

    def __init__(
        self, work: Transaction, feed: FeedId, captured_at: datetime, now: datetime
    ) -> None:
        self._work = work
        self._feed = feed
        self._captured_at = captured_at
        self._now = now
        self._known: dict[Pair, PaperId] = {}
        self._fingerprints: dict[PaperId, str] = {}
        self._papers: dict[PaperId, Paper] = {}
        self._seen: set[PaperId] = set()
        self._read: set[str] = set()
        self._created = self._joins = self._unseen = self._observed = 0
        self._reset()

    def _reset(self) -> None:
        self._writes: dict[PaperId, PaperWrite] = {}
        self._listings: dict[PaperId, date | None] = {}
        self._keys: list[tuple[PaperId, str]] = []
        self._earlier: list[PaperText] = []
        self._counts: list[tuple[PaperId, Observation]] = []
        self._references: list[tuple[PaperId, CitedName]] = []
        self._names: list[tuple[PaperId, CitedName]] = []

    def store(self, records: Sequence[Record]) -> tuple[Counter[str], list[str]]:
        """Decide about every record, then write everything at once: (counts, decisions).

        A replacement may precede the announcement of its paper, so those of unknown papers are
        retried at the end.
        """
        entries = [ChunkEntry(record) for record in records]
        self._read = {record.fingerprint for record in records}
        self._load_known(entries)
        decided = [self._apply(entry) for entry in entries]
        for index, entry in enumerate(entries):
            if decided[index] == UNANNOUNCED:
                decided[index] = self._apply(entry)
        self._flush()
        tally = Counter(decided)
        tally["unseen"], tally["observations"] = self._unseen, self._observed
        return tally, decided

    def _apply(self, entry: ChunkEntry) -> str:
        decision, paper = self._decide(entry)
        if paper is not None and entry.raw.counts:
            counts = dated(entry.raw.counts, self._captured_at)
            self._counts += [(paper, seen) for seen in counts]
        if paper is not None:
            self._references += [(paper, cited) for cited in entry.raw.references]
            self._names += [(paper, name) for name in entry.raw.known_as]
        return decision

    def _load_known(self, entries: Sequence[ChunkEntry]) -> None:
        """Load what is known of these records; titles are repaired only where needed."""
        papers = self._work[PaperStore]
        self._known = papers.find({pair for one in entries for pair in one.pairs})
        self._fingerprints = papers.fingerprints(self._feed, set(self._known.values()))
        found = [(one, self._find_all(one)) for one in entries]
        news = [  # unknown by identifier, or different from what the feed last listed
            (one, ids)
            for one, ids in found
            if not ids or newest_fingerprint(self._fingerprints.get(ids[0])) != one.raw.fingerprint
        ]
        titled = papers.find({("title_key", one.key) for one, _ in news})
        self._known |= titled
        needed = {paper for _, ids in news for paper in ids} | set(titled.values())
        needed |= {paper for _, ids in found if len(ids) > 1 for paper in ids}
        self._papers = papers.load(needed, for_update=True)
        if self._papers:  # another process may have listed them for this feed before the lock
            self._fingerprints |= papers.fingerprints(self._feed, self._papers)
        self._seen = set(self._fingerprints)

    def _flush(self) -> Mapping[PaperId, PaperId]:
        """Store the decisions; return the real id of every provisional one."""
        papers = self._work[PaperStore]
        real = papers.save(list(self._writes.values()), now=self._now)
        listed = {
            real.get(id_, id_): Listing(
                paper_id=real.get(id_, id_),
                fingerprint=self._fingerprints[id_],
                listed_on=listed_on,
            )
            for id_, listed_on in self._listings.items()
        }
        papers.list_papers(self._feed, list(listed.values()), now=self._now)
        papers.also_called([(real.get(paper, paper), key) for paper, key in self._keys])
        earlier = [
            replace(one, paper_id=real.get(one.paper_id, one.paper_id)) for one in self._earlier
        ]
        papers.keep_earlier(earlier, now=self._now)
        counts = [(real.get(paper, paper), seen) for paper, seen in self._counts]
        self._observed += papers.observe(self._feed, counts)
        cited = self._work[ReferenceStore]
        cites = [(real.get(paper, paper), name) for paper, name in self._references]
        cited.add(cites, since=self._now - WATCHED)
        cited.also_known_as((real.get(paper, paper), name) for paper, name in self._names)
        self._unseen += len(listed.keys() - self._seen)
        self._seen |= listed.keys()
        return real

    def _decide(self, entry: ChunkEntry) -> tuple[str, PaperId | None]:
        """Decide about one record and queue its write: (`new` | `changed` | `unchanged`, paper), or
        (`unannounced`, None) for a replacement of an unknown paper."""
        joins = self._joins
        paper_id = self._find_by_identifier(entry) or self._find_by_title(entry)
        if paper_id is None:
            if not entry.raw.announces:
                return UNANNOUNCED, None
            self._created += 1
            paper_id = PaperId(-self._created)
            change = new_paper(paper_id, entry.record, entry.key, self._now, feed=self._feed)
            self._queue_write(change, entry.raw)
            return "new", paper_id
        if not self._is_changed(paper_id, entry.raw):
            return ("unchanged" if joins == self._joins else "changed"), paper_id
        namesake = self._find_by_title(entry) if entry.has_title_key else None
        if namesake is not None and namesake != paper_id:
            paper_id = self._join(paper_id, namesake)
        is_changed = self._update(paper_id, entry) or joins != self._joins
        return ("changed" if is_changed else "unchanged"), paper_id

    def _update(self, paper_id: PaperId, entry: ChunkEntry) -> bool:
        """Update the paper from the record; return whether it changed."""
        own_ids = {
            kind: value
            for kind, value in entry.pairs
            if self._known.get((kind, value), paper_id) == paper_id
        }
        record = replace(entry.record, identifiers=own_ids)
        old = self._load_paper(paper_id)
        same_feed = paper_id in self._fingerprints
        change = merged(old, record, same_feed=same_feed, now=self._now, feed=self._feed)
        self._earlier += filter(None, [earlier_text(old, record)])
        if change is None:
            self._queue_listing(paper_id, entry.raw)
        else:
            self._queue_write(change, entry.raw)
        key = ("title_key", entry.key)
        if entry.has_title_key and key not in self._known:  # keep every title it had
            self._known[key] = paper_id
            self._keys.append((paper_id, entry.key))
        return change is not None

    def _queue_write(self, change: PaperWrite, raw: Record) -> None:
        """Queue the write, combined with an earlier one to the same paper."""
        paper = change.paper
        before = self._writes.get(paper.id)
        if before is not None and change.text_changed:
            self._earlier += filter(None, [text_of(before)])
        self._writes[paper.id] = change if before is None else merge_changes(before, change)
        self._papers[paper.id] = paper
        for pair in paper.identifiers.items():
            self._known.setdefault(pair, paper.id)  # of two with one title key, the first keeps it
        self._queue_listing(paper.id, raw)

    def _queue_listing(self, paper_id: PaperId, raw: Record) -> None:
        known = self._fingerprints.get(paper_id)
        self._fingerprints[paper_id] = add_fingerprint(known, raw.fingerprint)
        self._listings[paper_id] = raw.listed_on

    def _find_all(self, entry: ChunkEntry) -> list[PaperId]:
        """Return the papers with an identifier of the record, the most trusted one first."""
        known = self._known
        found = [known[pair] for pair in entry.pairs if pair in known]
        return found if len(found) < 2 else list(dict.fromkeys(found))

    def _find_by_title(self, entry: ChunkEntry) -> PaperId | None:
        """Return the paper with the same title, first author and year."""
        found = self._known.get(("title_key", entry.key))
        if found is None or not may_merge_by_title(entry.record, self._load_paper(found)):
            return None
        return found

    def _is_changed(self, paper_id: PaperId, record: Record) -> bool:
        """Return whether the record is new to this feed.

        A record that withdraws a paper, or reverts that, may be identical to an earlier one. But a
        file may hold both, and must change nothing when it is read again.
        """
        known = self._fingerprints.get(paper_id)
        if not has_fingerprint(known, record.fingerprint):
            return True
        if newest_fingerprint(known) in self._read:
            return False
        return record.withdrawn != self._load_paper(paper_id).withdrawn

    def _load_paper(self, paper_id: PaperId) -> Paper:
        if paper_id not in self._papers:
            self._papers |= self._work[PaperStore].load([paper_id], for_update=True)
        return self._papers[paper_id]

    def _find_by_identifier(self, entry: ChunkEntry) -> PaperId | None:
        """Return the paper of the most trusted identifier, joined with the other papers the record
        names; None when no identifier is known.

        Each join may give papers other ids, so they are looked up again afterwards.
        """
        skipped = 0  # papers that must stay apart
        while len(found := self._find_all(entry)) > skipped + 1:
            joins = self._joins
            self._join(found[0], found[skipped + 1])
            skipped += self._joins == joins
        return found[0] if found else None

    def _join(self, one: PaperId, other: PaperId) -> PaperId:
        """Join two papers and return the id kept; return `one` when they must stay apart."""
        if not may_join(self._load_paper(one), self._load_paper(other)):
            return one
        real = self._flush()
        self._reset()
        self._known = {pair: real.get(id_, id_) for pair, id_ in self._known.items()}
        self._fingerprints = {real.get(id_, id_): it for id_, it in self._fingerprints.items()}
        papers = {real.get(id_, id_): paper for id_, paper in self._papers.items()}
        self._papers = {id_: replace(paper, id=id_) for id_, paper in papers.items()}
        change = joined(*(self._papers[real.get(id_, id_)] for id_ in (one, other)))
        self._work[PaperStore].join(change, now=self._now)
        self._joins += 1
        kept, gone = change.paper.id, change.gone
        self._papers[kept] = change.paper
        self._known = {pair: kept if id_ == gone else id_ for pair, id_ in self._known.items()}
        del self._papers[gone]
        self._fingerprints.pop(gone, None)
        self._fingerprints |= self._work[PaperStore].fingerprints(self._feed, [kept])
        if gone in self._seen:
            self._seen.add(kept)
        return kept


def dated(counts: Sequence[Count], captured_at: datetime) -> list[Observation]:
    """Return counts as observations; undated ones were captured at `captured_at`."""
    return [
        Observation(
            signal=count.signal, captured_at=count.captured_at or captured_at, value=count.value
        )
        for count in counts
    ]
