"""Rank papers and preview their digest for `paperround try`, without a database.

file or services ─► records ─► merged like ingest ─► ranked ─► digest view
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from paperround.core.errors import PaperroundError
from paperround.core.interfaces import Advance, no_progress
from paperround.core.reasons import freeze, join_reasons
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import KeyRing
from paperround.delivery.model import Identity
from paperround.delivery.system_mail import sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import new_subscriber_digest
from paperround.digests.model import DigestView
from paperround.digests.publish import draft, unsaved_edition
from paperround.editions.lists import MANUAL_CUT, ListId, MailingList, Window
from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.feeds.chunk import ChunkEntry, dated
from paperround.feeds.fetcher import wait
from paperround.feeds.model import MOST_PAGES, FeedState, NewFeed, PollProgress
from paperround.feeds.sources.base import Source
from paperround.http.model import HttpClient
from paperround.papers.identifiers import canonical
from paperround.papers.merge import may_merge_by_title, merged, new_paper
from paperround.papers.model import Observation, Paper, PaperId, ParsedBatch, Record
from paperround.papers.search import SearchResult, parse_query, rarity
from paperround.ranking.rank import ListRanking
from paperround.ranking.relevance import fit, read_for
from paperround.ranking.score import total
from paperround.ranking.trending import TrendingRanker

NAME = "try"
_NO_SECRET = Identity(keys=KeyRing((b"links of a trial belong to nobody",)), domain="example.org")
"""Signs the links of the digest, which are invalid: no row belongs to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSet:
    """One batch of papers, and the time of its undated counts."""

    batch: ParsedBatch
    captured_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The papers fetched, and the errors of feeds by name."""

    readings: tuple[PaperSet, ...]
    failed: Mapping[str, str]


def fetch(
    feeds: Sequence[NewFeed],
    *,
    client: HttpClient,
    sources: Mapping[str, Source[Any]],
    now: datetime,
    pause: Callable[[float], None] = wait,
    progress: Advance = no_progress,
) -> Fetched:
    """Read `feeds` from the start. A feed that fails keeps the pages read before its error."""
    readings: list[PaperSet] = []
    failed: dict[str, str] = {}
    for feed in feeds:
        try:
            for reading in _pages(feed, client, sources[feed.kind], now, pause):
                readings.append(reading)
                progress(1)
        except PaperroundError as error:
            failed[feed.name] = str(error)
    return Fetched(readings=tuple(readings), failed=failed)


def _pages(
    feed: NewFeed,
    client: HttpClient,
    source: Source[Any],
    now: datetime,
    pause: Callable[[float], None],
) -> Iterator[PaperSet]:
    progress = PollProgress()
    for _ in range(MOST_PAGES):
        state = FeedState(url=feed.url, settings=feed.settings, progress=progress)
        request = source.plan(state, now)
        page = client.get(request)
        batch = source.parse(page)
        yield PaperSet(batch=batch, captured_at=page.fetched_at)
        if batch.next is None:
            return
        progress = PollProgress(cursor=batch.next)
        pause(request.interval_seconds)


def candidates_of(readings: Iterable[PaperSet], *, now: datetime) -> list[Candidate]:
    """Merge the papers of `readings`; return each once, with all its counts."""
    known = _KnownPapers(now)
    for reading in readings:
        for record in reading.batch.records:
            known.add(record, reading.captured_at)
    return [
        Candidate(paper=paper, observations=tuple(known.counts[id_]))
        for id_, paper in known.papers.items()
    ]


@dataclass(slots=True)
class _KnownPapers:
    """The papers read so far, their identifiers and their counts."""

    now: datetime
    papers: dict[PaperId, Paper] = field(default_factory=dict)
    by_identifier: dict[tuple[str, str], PaperId] = field(default_factory=dict)
    counts: dict[PaperId, list[Observation]] = field(default_factory=dict)

    def add(self, raw: Record, captured_at: datetime) -> None:
        entry = ChunkEntry(raw)
        known = self._find(entry)
        if known is None:
            number = PaperId(len(self.papers) + 1)
            paper = new_paper(number, entry.record, entry.key, self.now).paper
        else:
            paper = self._merge(known, entry.record)
        self.papers[paper.id] = paper
        for pair in paper.identifiers.items():
            self.by_identifier.setdefault(pair, paper.id)
        self.counts.setdefault(paper.id, []).extend(dated(raw.counts, captured_at))

    def _find(self, entry: ChunkEntry) -> PaperId | None:
        for pair in entry.pairs:
            if pair in self.by_identifier:
                return self.by_identifier[pair]
        same_title = self.by_identifier.get(("title_key", entry.key))
        if same_title and may_merge_by_title(entry.record, self.papers[same_title]):
            return same_title
        return None

    def _merge(self, known: PaperId, record: Record) -> Paper:
        free = {
            kind: value
            for kind, value in record.identifiers.items()
            if self.by_identifier.get((kind, value), known) == known
        }
        new, old = replace(record, identifiers=free), self.papers[known]
        change = merged(old, new, same_feed=False, now=self.now)
        return old if change is None else change.paper


# A query: the trending score plus a part for the match.
#
# The match is the fit of a search (see `ranking.relevance`), relative to the best one; the papers
# themselves tell how rare a word is. Its weight is large compared with a day's trend, so the best
# matches come first, and trending papers among equal matches.

PART = "match"
WEIGHT = 10.0

LEAST_RARITY = 0.01
"""The least weight of a word, for one that every paper has."""

NOTHING_FOUND = SearchResult(best=(), total=0, papers={}, indexed=0)
"""No statistics of an index: they come from the papers to rank."""

VERSION = "query-2"
"""Changes when the same input would be ranked differently."""


def rank_for(query: str, candidates: Sequence[Candidate], *, now: datetime) -> Ranking:
    """Rank the candidates, of any age, that match `query`, and leave out the others."""
    ranking = TrendingRanker().rank(candidates, background=(), as_of=now, submitter_cap=0)
    found = matches(query, [item.paper for item in ranking.items])
    matching: list[Ranked] = []
    for item in ranking.items:
        if item.paper.id in found:
            fit_part, words = found[item.paper.id]
            parts = {PART: fit_part, **item.parts}
            reason = join_reasons(item.reason, freeze("followed.query", words=words))
            matching.append(replace(item, parts=parts, score=total(parts), reason=reason))
    matching.sort(key=lambda one: (-one.score, canonical(one.paper.identifiers), one.paper.id))
    return replace(ranking, ranker=f"{VERSION}+{ranking.ranker}", items=tuple(matching))


def matches(text: str, papers: Sequence[Paper]) -> dict[PaperId, tuple[float, tuple[str, ...]]]:
    """Return the papers that match a search for `text`: the part of the score, and the words of
    the query that each has."""
    query = parse_query(text)
    terms = (*query.wanted, *query.excluded)
    read = read_for(replace(query, required=(), optional=terms), papers, NOTHING_FOUND)
    holders = [sum(map(any, column)) for column in zip(*read.amounts, strict=True)]
    tells = [max(rarity(papers_with, len(papers)), LEAST_RARITY) for papers_with in holders]
    fits: dict[PaperId, float] = {}
    words: dict[PaperId, tuple[str, ...]] = {}
    for id_, amounts in zip(read.papers, read.amounts, strict=True):
        found = {term for term, amount in zip(terms, amounts, strict=True) if any(amount)}
        if found and found.issuperset(query.required) and found.isdisjoint(query.excluded):
            fits[id_] = fit(tells, amounts)
            words[id_] = tuple(" ".join(term.words) for term in query.wanted if term in found)
    best = max(fits.values(), default=0.0)
    return {id_: (round(WEIGHT * score / best, 4), words[id_]) for id_, score in fits.items()}


def digest_view(
    ranking: Ranking,
    *,
    title: str,
    limit: int,
    sender_identity: SenderIdentity,
    now: datetime,
) -> DigestView:
    """Return the digest of the first `limit` papers; its personal links are invalid."""
    mailing_list = MailingList(id=ListId(0), name=NAME, title=title, size=limit, edition_size=limit)
    ranked = ListRanking(
        mailing_list=mailing_list,
        day=now.date(),
        window=Window(now, now),
        ranking=ranking,
        papers_known=len(ranking.items),
    )
    edition = unsaved_edition(draft(ranked, MANUAL_CUT, now), NAME)
    sample = sample_notice(_NO_SECRET, SystemMailKind.TEST, now=now)
    view = new_subscriber_digest(
        edition, mailing_list, sample, sender_identity, _NO_SECRET.keys
    ).view
    papers = []
    for one in view.papers:  # without a site, link to the authors' page, if any
        shown = (one.links[name] for name in ("abstract", "project", "code") if name in one.links)
        papers.append(replace(one, page_url=next(shown, "")))
    return replace(view, papers=tuple(papers), links=replace(view.links, feedback=""))
