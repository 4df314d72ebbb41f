"""Rank papers for a query: the trending score plus a part for the match.

The match is the fit of a search (see `relevance`), relative to the best one; the papers themselves
tell how rare a word is. Its weight is large compared with a day's trend, so the best matches come
first, and trending papers among equal matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.core.reasons import freeze, join_reasons
from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.papers.identifiers import canonical
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import SearchResult, parse_query, rarity
from paperround.ranking.relevance import fit, read_for
from paperround.ranking.score import total
from paperround.ranking.trending import TrendingRanker

PART = "match"
WEIGHT = 10.0

LEAST_RARITY = 0.01
"""The least weight of a word, for one that every paper has."""

NOTHING_FOUND = SearchResult(best=(), total=0, papers={}, indexed=0)
"""No statistics of an index: they come from the papers to rank."""

VERSION = "query-2"
"""Changes when the same input would be ranked differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The match of a paper: the part of its score, and the words of the query it has."""

    part: float
    words: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The reason to show to the reader."""
        return freeze("followed.query", words=self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRanker:
    """Ranks the candidates that match `query`, and leaves out the others."""

    query: str
    trending: TrendingRanker = field(default_factory=TrendingRanker)

    @property
    def name(self) -> str:
        """Both versions, since each affects the order."""
        return f"{VERSION}+{self.trending.name}"

    def rank(
        self,
        candidates: Sequence[Candidate],
        *,
        background: Sequence[str],
        as_of: datetime,
        submitter_cap: int,
    ) -> Ranking:
        """Rank as the trending ranker does, with the part `match` first.

        Raises ValueError for a naive `as_of`."""
        ranking = self.trending.rank(
            candidates, background=background, as_of=as_of, submitter_cap=submitter_cap
        )
        found = matches(self.query, [item.paper for item in ranking.items])
        matching: list[Ranked] = []
        for item in ranking.items:
            match = found.get(item.paper.id)
            if match is not None:
                parts = {PART: match.part, **item.parts}
                reason = join_reasons(item.reason, match.reason)
                matching.append(replace(item, parts=parts, score=total(parts), reason=reason))
        matching.sort(key=lambda one: (-one.score, canonical(one.paper.identifiers), one.paper.id))
        return Ranking(ranker=self.name, as_of=ranking.as_of, items=tuple(matching))


def matches(text: str, papers: Sequence[Paper]) -> dict[PaperId, Match]:
    """The papers that match a search for `text`, with their matches."""
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
    return {
        id_: Match(part=round(WEIGHT * score / best, 4), words=words[id_])
        for id_, score in fits.items()
    }
