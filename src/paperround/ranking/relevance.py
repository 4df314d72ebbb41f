"""The final order of the best papers an index found: how well each fits, and its neighbours.

    fit         BM25F (Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted
                fields, 2004): a term counts by field, in proportion to how long the field is, and
                the more of it there is the less the next one adds
    neighbours  papers that share much with those that fit best are likely to be about the same
                (Diaz, Regularizing ad hoc retrieval scores, 2005): cosine of their words, each
                weighted by how few of the best papers have it

Both are of 0 to 1, and `LEANING` says how much the second counts. docs/search.md has the figures
that chose each number. Pure: the same query and papers give the same order on every database.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from paperround.domain.papers import Paper, PaperId
from paperround.domain.search import COMMON, WEIGHTS, Found, Place, Query, Term, rarity
from paperround.domain.stems import stem, words

SATURATION = 3.0
LENGTHS = {Place.TITLE: 0.6, Place.ABSTRACT: 0.6, Place.AUTHOR: 0.5}
"""How much the length of a field matters, from 0 (not at all) to 1 (in full proportion)."""
LEANING = 0.3
LEADERS = 5
"""How many of those that fit best have a say in what their neighbours are worth."""

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
        ends = (self._begins(place, last, starts=term.starts) for place in range(len(self.words)))
        return sum(
            found and place >= len(whole) and self._stems(place - len(whole), place) == stemmed
            for place, found in enumerate(ends)
        )

    def _begins(self, place: int, word: str, *, starts: bool) -> bool:
        here = self.words[place]
        return here.startswith(word) if starts else stem(here) == stem(word)

    def _stems(self, first: int, end: int) -> list[str]:
        return [stem(word) for word in self.words[first:end]]


_Fields = Mapping[Place, _Field]


def by_relevance(query: Query, papers: Sequence[Paper], found: Found) -> list[PaperId]:
    """The ids of `papers`, best first; equally good ones as the index had them."""
    read = [_fields(paper) for paper in papers]
    fits = _shares(_fits(query, read, found))
    near = _shares(_nearness([_bag(fields) for fields in read], fits))
    scores = [(1 - LEANING) * fit + LEANING * close for fit, close in zip(fits, near, strict=True)]
    order = sorted(range(len(papers)), key=lambda place: (-round(scores[place], 9), place))
    return [papers[place].id for place in order]


def _fields(paper: Paper) -> _Fields:
    return {
        Place.TITLE: _field(paper.title),
        Place.ABSTRACT: _field(paper.abstract),
        Place.AUTHOR: _field(" ".join(paper.authors)),
    }


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


def _fits(query: Query, read: Sequence[_Fields], found: Found) -> list[float]:
    lengths = {
        place: math.fsum(len(fields[place].words) for fields in read) / len(read) if read else 0.0
        for place in Place
    }
    worth = {
        term: query.times.get(term, 1) * rarity(found.papers.get(term, 0), found.indexed)
        for term in query.wanted
    }
    return [
        math.fsum(tells * _amount(term, fields, lengths) for term, tells in worth.items())
        for fields in read
    ]


def _amount(term: Term, fields: _Fields, lengths: Mapping[Place, float]) -> float:
    """How much of the term a paper has, below `SATURATION` + 1."""
    much = math.fsum(
        WEIGHTS[place] * fields[place].count(term) / _norm(place, fields[place], lengths[place])
        for place in Place
        if term.place in (None, place)
    )
    return much * (SATURATION + 1) / (much + SATURATION)


def _norm(place: Place, field: _Field, mean: float) -> float:
    share = LENGTHS[place]
    return 1 - share + share * len(field.words) / mean if mean else 1.0


def _bag(fields: _Fields) -> Mapping[str, int]:
    """The stems of a paper and how often it has each; those of its title count twice more."""
    bag = Counter(fields[Place.ABSTRACT].counts)
    for one, times in fields[Place.TITLE].counts.items():
        bag[one] += 2 * times
    return bag


_COMMON_STEMS = frozenset(map(stem, COMMON))


def _nearness(bags: Sequence[Mapping[str, int]], fits: Sequence[float]) -> list[float]:
    """For each paper what its neighbours among the leaders are worth, itself left out.

    The sum of its cosines with them, each times how well that one fits, is one product with the
    sum of their vectors.
    """
    vectors = _vectors(bags)
    leaders = sorted(range(len(fits)), key=lambda place: (-fits[place], place))[:LEADERS]
    pull: dict[str, float] = defaultdict(float)
    for one in leaders:
        for word, value in vectors[one].items():
            pull[word] += fits[one] * value
    own = dict.fromkeys(range(len(fits)), 0.0) | {one: fits[one] for one in leaders}
    return [
        max(math.fsum([value * pull[word] for word, value in mine.items() if word in pull]), 0.0)
        - (own[place] if mine else 0.0)
        for place, mine in enumerate(vectors)
    ]


def _vectors(bags: Sequence[Mapping[str, int]]) -> list[Vector]:
    """Of length 1: logarithmic counts, times how rare a stem is among these papers."""
    known = Counter(chain.from_iterable(bags))
    telling = {
        one: math.log((len(bags) + 1) / papers)
        for one, papers in known.items()
        if papers > 1 and one not in _COMMON_STEMS
    }
    return [_unit(bag, telling) for bag in bags]


def _unit(bag: Mapping[str, int], telling: Mapping[str, float]) -> Vector:
    vector = {
        one: telling[one] if times == 1 else (1 + math.log(times)) * telling[one]
        for one, times in bag.items()
        if one in telling
    }
    length = math.hypot(*vector.values())
    return {one: value / length for one, value in vector.items()} if length else {}
