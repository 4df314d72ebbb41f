"""Reorder the best papers of a search by relevance.

    fit         BM25F (Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted
                fields, 2004) with the usual parameters of BM25
    pairs       the share of the query's adjacent words that are adjacent in the title too (Metzler
                and Croft, A Markov random field model for term dependencies, 2005): a query is
                often a title from memory, stop words included
    neighbours  the similarity to the best matches (Diaz, Regularizing ad hoc retrieval scores,
                2005): the cosine of their words, weighted by rarity among the best papers

Each is between 0 and 1; `Balance` has their weights. docs/search.md compares other weights, on
held-out queries too. Pure: the same query and papers give the same order on every database.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain, pairwise
from operator import mul

from paperround.papers.model import Paper, PaperId
from paperround.papers.search import COMMON, WEIGHTS, Query, QueryPlace, SearchResult, Term, rarity
from paperround.papers.stems import stem, words

SATURATION = 1.2
LENGTH = 0.75
"""The normalization by field length, from 0 (none) to 1 (full)."""
PAPERS_PER_LEADER = 12
"""One paper in this many is a leader, whose neighbours gain; ties with the last leader are
leaders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The weight of a word in the title relative to the abstract, that of the pairs relative to all
    words, and the neighbours' share of the total."""

    title: float = WEIGHTS[QueryPlace.TITLE]
    pairs: float = 1.0
    neighbours: float = 0.5


Vector = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Field:
    """The words of a field in order, and the counts of their stems."""

    words: list[str]
    counts: Counter[str]

    def count(self, term: Term) -> int:
        """The number of occurrences of the term."""
        if term.is_plain:
            return self.counts[stem(term.words[0])]
        *whole, last = term.words
        stemmed = [stem(word) for word in whole]
        return sum(
            (here.startswith(last) if term.starts else stem(here) == stem(last))
            and [stem(word) for word in self.words[place - len(whole) : place]] == stemmed
            for place, here in enumerate(self.words)
            if place >= len(whole)
        )


_Fields = Mapping[QueryPlace, _Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The features of papers for a query.

    `tells` is the weight (idf) of each term; `amounts` has per paper and term its weighted
    frequency in the title and in the other fields."""

    papers: Sequence[PaperId]
    tells: Sequence[float]
    amounts: Sequence[Sequence[tuple[float, float]]]
    pairs: Sequence[float]
    vectors: Sequence[Vector]


def by_relevance(query: Query, papers: Sequence[Paper], found: SearchResult) -> list[PaperId]:
    """The ids of `papers`, best first; ties keep the order of the index."""
    return in_order(read_for(query, papers, found), Balance())


def in_order(read: Read, balance: Balance) -> list[PaperId]:
    """The ids of the papers, best first."""
    alone = _shares([fit(read.tells, amounts, balance.title) for amounts in read.amounts])
    both = zip(alone, read.pairs, strict=True)
    fits = _shares([words + balance.pairs * pairs for words, pairs in both])
    near = _shares(_nearness(read.vectors, fits))
    own, shared = 1 - balance.neighbours, balance.neighbours
    scores = [own * fit + shared * close for fit, close in zip(fits, near, strict=True)]
    order = sorted(range(len(scores)), key=lambda place: (-round(scores[place], 9), place))
    return [read.papers[place] for place in order]


def read_for(query: Query, papers: Sequence[Paper], found: SearchResult) -> Read:
    """Compute the features of `papers` for a query."""
    read = [
        {
            QueryPlace.TITLE: _field(paper.title),
            QueryPlace.ABSTRACT: _field(paper.abstract),
            QueryPlace.AUTHOR: _field(" ".join(paper.authors)),
        }
        for paper in papers
    ]
    lengths = {
        place: math.fsum(len(fields[place].words) for fields in read) / len(read) if read else 0.0
        for place in QueryPlace
    }
    query_pairs = {(stem(first), stem(second)) for first, second in query.pairs}
    titles = (set(pairwise(map(stem, fields[QueryPlace.TITLE].words))) for fields in read)
    bags = [_bag(fields) for fields in read]
    known = Counter(chain.from_iterable(bags))
    idf = {
        one: math.log((len(bags) + 1) / papers)
        for one, papers in known.items()
        if papers > 1 and one not in _COMMON_STEMS
    }
    return Read(
        papers=[paper.id for paper in papers],
        tells=[
            query.times.get(term, 1) * rarity(found.papers.get(term, 0), found.indexed)
            for term in query.wanted
        ],
        amounts=[_amounts(query.wanted, fields, lengths) for fields in read],
        pairs=[len(query_pairs & title) / max(len(query_pairs), 1) for title in titles],
        vectors=[_unit_vector(bag, idf) for bag in bags],
    )


def _field(text: str) -> _Field:
    found = words(text)
    counts: Counter[str] = Counter()
    for word, times in Counter(found).items():
        counts[stem(word)] += times
    return _Field(found, counts)


def _shares(values: Sequence[float]) -> list[float]:
    """Each value divided by the largest."""
    most = max(values, default=0.0)
    return [value / most if most > 0 else 0.0 for value in values]


def fit(
    tells: Sequence[float],
    amounts: Sequence[tuple[float, float]],
    title_counts: float = WEIGHTS[QueryPlace.TITLE],
) -> float:
    """The BM25F score: the sum of idf times saturated frequency, below `SATURATION` + 1."""
    frequencies = (title_counts * title + other for title, other in amounts)
    parts = (one * (SATURATION + 1) / (one + SATURATION) for one in frequencies)
    return math.fsum(map(mul, tells, parts))


def _amounts(
    terms: Sequence[Term], fields: _Fields, lengths: Mapping[QueryPlace, float]
) -> list[tuple[float, float]]:
    """The frequency of each term in the title, and in abstract and authors, by field length."""
    norms = {
        place: 1 - LENGTH + LENGTH * len(field.words) / mean if (mean := lengths[place]) else 1.0
        for place, field in fields.items()
    }
    found = [
        {
            place: field.count(term) / norms[place]
            for place, field in fields.items()
            if term.place in (None, place)
        }
        for term in terms
    ]
    return [
        (
            each.get(QueryPlace.TITLE, 0.0),
            math.fsum(
                WEIGHTS[place] * value for place, value in each.items() if place != QueryPlace.TITLE
            ),
        )
        for each in found
    ]


def _bag(fields: _Fields) -> Mapping[str, int]:
    """The counts of a paper's stems; those of its title count twice more."""
    bag = Counter(fields[QueryPlace.ABSTRACT].counts)
    for one, times in fields[QueryPlace.TITLE].counts.items():
        bag[one] += 2 * times
    return bag


_COMMON_STEMS = frozenset(map(stem, COMMON))


def _nearness(vectors: Sequence[Vector], fits: Sequence[float]) -> list[float]:
    """The similarity of each paper to the leaders.

    The sum of its cosines with them, weighted by their fit, is one product with the weighted sum of
    their vectors. A leader is its own neighbour, or the best paper would be at a disadvantage.
    """
    least = min(nlargest(math.ceil(len(fits) / PAPERS_PER_LEADER), fits), default=0.0)
    leaders = [place for place, fit in enumerate(fits) if fit >= least]
    pull: dict[str, float] = defaultdict(float)
    for one in leaders:
        for word, value in vectors[one].items():
            pull[word] += fits[one] * value
    alone = {one: fits[one] for one in leaders if not vectors[one]}
    return [
        alone.get(place)
        or math.fsum([value * pull[word] for word, value in vector.items() if word in pull])
        for place, vector in enumerate(vectors)
    ]


def _unit_vector(bag: Mapping[str, int], idf: Mapping[str, float]) -> Vector:
    vector = {
        one: idf[one] if times == 1 else (1 + math.log(times)) * idf[one]
        for one, times in bag.items()
        if one in idf
    }
    length = math.hypot(*vector.values())
    return {one: value / length for one, value in vector.items()} if length else {}
