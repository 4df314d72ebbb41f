"""One chunk of an ingest: what its records do to the papers, decided in memory, written at once.

    identifiers ─► one paper, or several that are joined, or none
    title, author, year ─► a paper that no identifier tells apart
                           ─► new, changed, unchanged; or not announced: looked at again at the end

What is decided is written when the chunk ends, and before two papers are joined: joining is rare,
and works on rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from paperround.db.transactions import Transaction
from paperround.papers.duplicates import joined, may_join
from paperround.papers.identifiers import KINDS_BY_TRUST
from paperround.papers.merge import (
    earlier_text,
    is_named,
    key_of,
    last_of,
    may_merge_by_title,
    merged,
    new_paper,
    remembered,
    remembers,
    repaired,
    text_of,
    together,
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
from paperround.papers.store.papers import PaperStore

Pair = tuple[str, str]

UNANNOUNCED = "unannounced"
"""What is decided of a replacement of a paper that nobody announced here."""


class ChunkEntry:
    """A record as it was read; repaired, and with its title key, only when somebody asks.

    `pairs` are the (kind, value) of its identifiers, the most trusted one first.
    """

    def __init__(self, raw: Record) -> None:
        self.raw = raw
        self.pairs = by_trust(raw.identifiers)

    @cached_property
    def record(self) -> Record:
        """The record with readable texts."""
        return repaired(self.raw)

    @cached_property
    def key(self) -> str:
        """Its title key."""
        return key_of(self.record)

    @property
    def names_a_work(self) -> bool:
        """Whether its title key may lead to a paper that has other identifiers."""
        return bool(self.record.title) and is_named(self.record)


def by_trust(found: Mapping[str, str]) -> tuple[Pair, ...]:
    """(kind, value) of each identifier, the most trusted one first."""
    if len(found) < 2:
        return tuple(found.items())
    return tuple((kind, found[kind]) for kind in KINDS_BY_TRUST if kind in found)


class Chunk:
    """The state one chunk needs: which papers are known, and what has been decided so far."""

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
        self._forget()

    def _forget(self) -> None:
        self._writes: dict[PaperId, PaperWrite] = {}
        self._listings: dict[PaperId, date | None] = {}
        self._keys: list[tuple[PaperId, str]] = []
        self._earlier: list[PaperText] = []
        self._counts: list[tuple[PaperId, Observation]] = []

    def store(self, records: Sequence[Record]) -> tuple[Counter[str], list[str]]:
        """Decide about every record, then write everything at once: (counts, each decision).

        A replacement may stand before the announcement of its paper, so those of papers that
        nobody knows have a second try when all else is decided.
        """
        entries = [ChunkEntry(record) for record in records]
        self._read = {record.fingerprint for record in records}
        self._look_up(entries)
        decided = [self._take(entry) for entry in entries]
        for place, entry in enumerate(entries):
            if decided[place] == UNANNOUNCED:
                decided[place] = self._take(entry)
        self._write()
        tally = Counter(decided)
        tally["unseen"], tally["observations"] = self._unseen, self._observed
        return tally, decided

    def _take(self, entry: ChunkEntry) -> str:
        what, paper = self._decide(entry)
        if paper is not None and entry.raw.counts:
            counts = dated(entry.raw.counts, self._captured_at)
            self._counts += [(paper, seen) for seen in counts]
        return what

    # --- reading and writing -------------------------------------------------------------------

    def _look_up(self, entries: Sequence[ChunkEntry]) -> None:
        """Load what is known of these records; titles are repaired only where that matters."""
        papers = self._work[PaperStore]
        self._known = papers.find({pair for one in entries for pair in one.pairs})
        self._fingerprints = papers.fingerprints(self._feed, set(self._known.values()))
        found = [(one, self._all_of(one)) for one in entries]
        news = [  # of no paper that is known by its ids, or not what the feed said of it last
            (one, ids)
            for one, ids in found
            if not ids or last_of(self._fingerprints.get(ids[0])) != one.raw.fingerprint
        ]
        titled = papers.find({("title_key", one.key) for one, _ in news})
        self._known |= titled
        needed = {paper for _, ids in news for paper in ids} | set(titled.values())
        needed |= {paper for _, ids in found if len(ids) > 1 for paper in ids}
        self._papers = papers.load(needed, for_update=True)
        if self._papers:  # whoever held them until now may have listed them for this feed
            self._fingerprints |= papers.fingerprints(self._feed, self._papers)
        self._seen = set(self._fingerprints)

    def _write(self) -> Mapping[PaperId, PaperId]:
        """Store what was decided; returns the real id of every provisional one."""
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
        self._unseen += len(listed.keys() - self._seen)
        self._seen |= listed.keys()
        return real

    # --- deciding ------------------------------------------------------------------------------

    def _decide(self, entry: ChunkEntry) -> tuple[str, PaperId | None]:
        """(`new` | `changed` | `unchanged`, paper) for one record, remembering the write; and
        (`unannounced`, None) for a replacement of a paper that nobody announced here."""
        joins = self._joins
        paper_id = self._named(entry) or self._by_title(entry)
        if paper_id is None:
            if not entry.raw.announces:
                return UNANNOUNCED, None
            self._created += 1
            paper_id = PaperId(-self._created)
            change = new_paper(
                paper_id, entry.raw, entry.record, entry.key, self._now, feed=self._feed
            )
            self._remember(change, entry.raw)
            return "new", paper_id
        if not self._is_changed(paper_id, entry.raw):
            return ("unchanged" if joins == self._joins else "changed"), paper_id
        namesake = self._by_title(entry) if entry.names_a_work else None
        if namesake is not None and namesake != paper_id:
            paper_id = self._join(paper_id, namesake)
        is_changed = self._update(paper_id, entry) or joins != self._joins
        return ("changed" if is_changed else "unchanged"), paper_id

    def _update(self, paper_id: PaperId, entry: ChunkEntry) -> bool:
        """Bring the paper up to the record; whether that changed it."""
        free = {
            kind: value
            for kind, value in entry.pairs
            if self._known.get((kind, value), paper_id) == paper_id
        }
        record = replace(entry.record, identifiers=free)
        old = self._paper(paper_id)
        same_feed = paper_id in self._fingerprints
        change = merged(old, entry.raw, record, same_feed=same_feed, now=self._now, feed=self._feed)
        self._earlier += filter(None, [earlier_text(old, entry.raw, record)])
        if change is None:
            self._list(paper_id, entry.raw)
        else:
            self._remember(change, entry.raw)
        key = ("title_key", entry.key)
        if entry.names_a_work and key not in self._known:  # found by every title it had
            self._known[key] = paper_id
            self._keys.append((paper_id, entry.key))
        return change is not None

    def _remember(self, change: PaperWrite, raw: Record) -> None:
        """Keep the write; a second one to the same paper adds up with the first."""
        paper = change.paper
        before = self._writes.get(paper.id)
        if before is not None and change.text_changed:
            self._earlier += filter(None, [text_of(before)])
        self._writes[paper.id] = change if before is None else together(before, change)
        self._papers[paper.id] = paper
        for pair in paper.identifiers.items():
            self._known.setdefault(pair, paper.id)  # of two with one title key, the first keeps it
        self._list(paper.id, raw)

    def _list(self, paper_id: PaperId, raw: Record) -> None:
        known = self._fingerprints.get(paper_id)
        self._fingerprints[paper_id] = remembered(known, raw.fingerprint)
        self._listings[paper_id] = raw.listed_on

    def _all_of(self, entry: ChunkEntry) -> list[PaperId]:
        """The papers that the record's identifiers name, that of the most trusted one first."""
        known = self._known
        found = [known[pair] for pair in entry.pairs if pair in known]
        return found if len(found) < 2 else list(dict.fromkeys(found))

    def _by_title(self, entry: ChunkEntry) -> PaperId | None:
        """The paper that has the title, first author and year of the record."""
        found = self._known.get(("title_key", entry.key))
        if found is None or not may_merge_by_title(entry.record, self._paper(found)):
            return None
        return found

    def _is_changed(self, paper_id: PaperId, record: Record) -> bool:
        """Whether this feed has not read the record before. One that withdraws a paper, or takes
        that back, may be word for word what the feed said earlier; but a file may also hold both,
        and is to change nothing when it is read again."""
        known = self._fingerprints.get(paper_id)
        if not remembers(known, record.fingerprint):
            return True
        if last_of(known) in self._read:
            return False
        return record.withdrawn != self._paper(paper_id).withdrawn

    def _paper(self, paper_id: PaperId) -> Paper:
        if paper_id not in self._papers:
            self._papers |= self._work[PaperStore].load([paper_id], for_update=True)
        return self._papers[paper_id]

    # --- joining -------------------------------------------------------------------------------

    def _named(self, entry: ChunkEntry) -> PaperId | None:
        """The paper of the record's most trusted identifier, with all others that may be the same
        work; None when its identifiers name no paper.

        Each join may give papers other ids, so they are looked up again after it.
        """
        apart = 0
        while len(found := self._all_of(entry)) > apart + 1:
            joins = self._joins
            self._join(found[0], found[apart + 1])
            apart += self._joins == joins
        return found[0] if found else None

    def _join(self, one: PaperId, other: PaperId) -> PaperId:
        """The two as one, unless they must stay apart: then the first."""
        if not may_join(self._paper(one), self._paper(other)):
            return one
        real = self._write()
        self._forget()
        self._rename(real)
        change = joined(*(self._papers[real.get(id_, id_)] for id_ in (one, other)))
        self._work[PaperStore].join(change, now=self._now)
        self._joins += 1
        kept, gone = change.paper.id, change.gone
        self._papers[kept] = change.paper
        # What was known of the one paper is known of the other.
        self._known = {pair: kept if id_ == gone else id_ for pair, id_ in self._known.items()}
        del self._papers[gone]
        self._fingerprints.pop(gone, None)
        self._fingerprints |= self._work[PaperStore].fingerprints(self._feed, [kept])
        if gone in self._seen:
            self._seen.add(kept)
        return kept

    def _rename(self, real: Mapping[PaperId, PaperId]) -> None:
        """Papers that were provisional until now go by their real ids."""
        if not real:
            return
        self._known = {pair: real.get(id_, id_) for pair, id_ in self._known.items()}
        self._fingerprints = {real.get(id_, id_): it for id_, it in self._fingerprints.items()}
        papers = {real.get(id_, id_): paper for id_, paper in self._papers.items()}
        self._papers = {
            id_: paper if paper.id == id_ else replace(paper, id=id_)
            for id_, paper in papers.items()
        }


def dated(counts: Sequence[Count], captured_at: datetime) -> list[Observation]:
    """Counts as observations; those without a date were seen at `captured_at`."""
    return [
        Observation(
            signal=count.signal, captured_at=count.captured_at or captured_at, value=count.value
        )
        for count in counts
    ]
