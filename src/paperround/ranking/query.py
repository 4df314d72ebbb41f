"""Rank papers for a query: the trending score plus a part for the match.

    bm25   sum over query words of idf f (k + 1) / (f + k (1 - b + b length / mean length))
    idf    ln(1 + (N - n + 0.5) / (n + 0.5))
    match  w bm25 / best bm25

f is the frequency of the word in the paper (the title counts twice), n the number of the N papers
that have it (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; the idf that is
never below 0). Words are compared without a plural s. The weight w is large compared with a day's
trend, so the best matches come first, and trending papers among equal matches.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from paperround.core.reasons import freeze, join_reasons
from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.papers.identifiers import canonical
from paperround.papers.model import Paper, PaperId
from paperround.ranking.score import total
from paperround.ranking.stop_words import may_join, tokens
from paperround.ranking.trending import TrendingRanker

PART = "match"
WEIGHT = 10.0

_K, _B = 1.2, 0.75

VERSION = "query-1"
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
    """Ranks the candidates that have a word of `query`, and leaves out the others."""

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


def matches(query: str, papers: Sequence[Paper]) -> dict[PaperId, Match]:
    """The papers that have a word of `query`, with their matches."""
    words = [word for word in tokens(query) if word[0].isalnum()]
    # Ignore stop words unless the query has nothing else.
    wanted = {_stem(word): word for word in list(filter(may_join, words)) or words}
    bags = {paper.id: _bag(paper) for paper in papers}
    scores = _bm25(list(wanted), bags)
    best = max(scores.values(), default=0.0)
    return {
        id_: Match(
            part=round(WEIGHT * score / best, 4),
            words=tuple(word for stem, word in wanted.items() if bags[id_][stem]),
        )
        for id_, score in scores.items()
        if score > 0
    }


def _stem(word: str) -> str:
    """`word` without a plural s (Harman, How Effective Is Suffixing?, 1991)."""
    if len(word) > 4 and word.endswith("ies") and word[-4] not in "ae":
        return word[:-3] + "y"
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss"))
    return word[:-1] if is_plural else word


def _bag(paper: Paper) -> Counter[str]:
    texts = (paper.title, paper.title, paper.abstract, *paper.keywords)
    return Counter(stem for text in texts for word in tokens(text) for stem in _stems(word))


def _stems(word: str) -> tuple[str, ...]:
    """The stem of a word, and those of the parts of a compound: `shot` finds `zero-shot`."""
    if not word[0].isalnum():
        return ()
    parts = word.split("-")
    return tuple(map(_stem, parts if len(parts) == 1 else (word, *parts)))


def _bm25(stems: Sequence[str], bags: Mapping[PaperId, Counter[str]]) -> dict[PaperId, float]:
    lengths = {id_: bag.total() for id_, bag in bags.items()}
    mean = (sum(lengths.values()) / len(lengths) if lengths else 0.0) or 1.0
    known = Counter(stem for bag in bags.values() for stem in stems if bag[stem])
    rarity = {
        stem: math.log1p((len(bags) - known[stem] + 0.5) / (known[stem] + 0.5)) for stem in stems
    }
    scores = {}
    for id_, bag in bags.items():
        norm = _K * (1 - _B + _B * (lengths[id_] / mean))
        frequencies = ((rarity[stem], bag[stem]) for stem in stems)
        scores[id_] = math.fsum(idf * (n * (_K + 1) / (n + norm)) for idf, n in frequencies)
    return scores
