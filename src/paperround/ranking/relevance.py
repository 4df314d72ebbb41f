"""The final order of the best papers an index found: how well each fits, and its neighbours.

    fit         BM25F (Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted
                fields, 2004): a term counts by field, in proportion to how long the field is, and
                the more of it there is the less the next one adds. With the usual numbers of BM25
    pairs       the share of the query's neighbouring words that are neighbours in the title too
                (Metzler and Croft, A Markov random field model for term dependencies, 2005): a
                query is often a title as somebody remembers it, filler included
    neighbours  papers that share much with those that fit best are likely to be about the same
                (Diaz, Regularizing ad hoc retrieval scores, 2005): cosine of their words, each
                weighted by how few of the best papers have it

Each is of 0 to 1, and `Balance` says what it counts for. docs/search.md has the figures of other
balances, also of queries that had no say in the choice. Pure: the same query and papers give the
same order on every database.
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
"""How much the length of a field matters, from 0 (not at all) to 1 (in full proportion)."""
FOLLOWERS = 12
"""One paper in so many, of those that fit best, has a say in what its neighbours are worth; and
each that fits as well as the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a word of the title counts for where one of the abstract counts 1, what the pairs do
    where all words count 1, and the neighbours' share of the whole."""

    title: float = WEIGHTS[QueryPlace.TITLE]
    pairs: float = 1.0
    neighbours: float = 0.5


Vector = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Field:
    """The words of a field of a paper in order, and how often each stem stands among them."""

    words: list[str]
    counts: Counter[str]

    def count(self, term: Term) -> int:
        """How often the term stands here."""
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
    """Papers as they were read for a query: all that an order needs to know of them.

    `tells` says how much each term tells; `amounts` has for each paper, term by term, how much of
    it the title has, and how much all else."""

    papers: Sequence[PaperId]
    tells: Sequence[float]
    amounts: Sequence[Sequence[tuple[float, float]]]
    pairs: Sequence[float]
    vectors: Sequence[Vector]


def by_relevance(query: Query, papers: Sequence[Paper], found: SearchResult) -> list[PaperId]:
    """The ids of `papers`, best first; equally good ones as the index had them."""
    return in_order(read_for(query, papers, found), Balance())


def in_order(read: Read, balance: Balance) -> list[PaperId]:
    """The ids of the papers that were read, best first."""
    alone = _shares([_fit(read.tells, amounts, balance.title) for amounts in read.amounts])
    both = zip(alone, read.pairs, strict=True)
    fits = _shares([words + balance.pairs * pairs for words, pairs in both])
    near = _shares(_nearness(read.vectors, fits))
    own, shared = 1 - balance.neighbours, balance.neighbours
    scores = [own * fit + shared * close for fit, close in zip(fits, near, strict=True)]
    order = sorted(range(len(scores)), key=lambda place: (-round(scores[place], 9), place))
    return [read.papers[place] for place in order]


def read_for(query: Query, papers: Sequence[Paper], found: SearchResult) -> Read:
    """What an order of `papers` needs to know of them."""
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
    # For each paper the share of the query's pairs that stand in its title.
    said = {(stem(first), stem(second)) for first, second in query.pairs}
    titles = (set(pairwise(map(stem, fields[QueryPlace.TITLE].words))) for fields in read)
    # Of length 1: logarithmic counts, times how rare a stem is among these papers.
    bags = [_bag(fields) for fields in read]
    known = Counter(chain.from_iterable(bags))
    telling = {
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
        pairs=[len(said & title) / max(len(said), 1) for title in titles],
        vectors=[_unit(bag, telling) for bag in bags],
    )


def _field(text: str) -> _Field:
    found = words(text)
    counts: Counter[str] = Counter()
    for word, times in Counter(found).items():
        counts[stem(word)] += times
    return _Field(found, counts)


def _shares(values: Sequence[float]) -> list[float]:
    """Each as a share of the greatest."""
    most = max(values, default=0.0)
    return [value / most if most > 0 else 0.0 for value in values]


def _fit(
    tells: Sequence[float], amounts: Sequence[tuple[float, float]], title_counts: float
) -> float:
    """The sum of what each term tells, times how much of it there is, below `SATURATION` + 1."""
    much = (title_counts * title + other for title, other in amounts)
    parts = (one * (SATURATION + 1) / (one + SATURATION) for one in much)
    return math.fsum(map(mul, tells, parts))


def _amounts(
    terms: Sequence[Term], fields: _Fields, lengths: Mapping[QueryPlace, float]
) -> list[tuple[float, float]]:
    """How much of each term the title has, and how much abstract and authors have."""
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
            math.fsum(WEIGHTS[one] * much for one, much in each.items() if one != QueryPlace.TITLE),
        )
        for each in found
    ]


def _bag(fields: _Fields) -> Mapping[str, int]:
    """The stems of a paper and how often it has each; those of its title count twice more."""
    bag = Counter(fields[QueryPlace.ABSTRACT].counts)
    for one, times in fields[QueryPlace.TITLE].counts.items():
        bag[one] += 2 * times
    return bag


_COMMON_STEMS = frozenset(map(stem, COMMON))


def _nearness(vectors: Sequence[Vector], fits: Sequence[float]) -> list[float]:
    """For each paper what its neighbours among the leaders are worth.

    The sum of its cosines with them, each times how well that one fits, is one product with the
    sum of their vectors. A leader is its own neighbour: else the best would lose by what it lends.
    """
    least = min(nlargest(math.ceil(len(fits) / FOLLOWERS), fits), default=0.0)
    leaders = [place for place, fit in enumerate(fits) if fit >= least]
    pull: dict[str, float] = defaultdict(float)
    for one in leaders:
        for word, value in vectors[one].items():
            pull[word] += fits[one] * value
    alone = {one: fits[one] for one in leaders if not vectors[one]}
    return [
        alone.get(place)
        or math.fsum([value * pull[word] for word, value in mine.items() if word in pull])
        for place, mine in enumerate(vectors)
    ]


def _unit(bag: Mapping[str, int], telling: Mapping[str, float]) -> Vector:
    vector = {
        one: telling[one] if times == 1 else (1 + math.log(times)) * telling[one]
        for one, times in bag.items()
        if one in telling
    }
    length = math.hypot(*vector.values())
    return {one: value / length for one, value in vector.items()} if length else {}
