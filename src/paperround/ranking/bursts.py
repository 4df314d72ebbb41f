"""Which words and phrases are suddenly everywhere, compared with what is usual.

With a background the strength of a term is the square root of its Poisson deviance,

    sqrt(2 (d ln(d / e) - (d - e))),   e = n (b + 1/2) / (B + 1),

for d of today's n papers and b of B earlier ones (the signed root of the likelihood ratio
statistic of McCullagh and Nelder, Generalized Linear Models, 1989, section 2.3). It reads like
a number of standard deviations. Without a background nothing is known to be unusual; then a
phrase is worth ln(d) ln(n / d): nothing when one paper has it, nothing when all have it, most
half-way between. Single words are left out there and the common words of a phrase discounted,
for nothing tells which of them are usual. A term of more than half the papers tells none apart.

The second paper on a topic is less news than the first. So that one topic cannot fill a page, a
burst is worth its strength / sqrt(1 + k) to a paper when k papers with stronger topics have it too.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from paperround.ranking.stop_words import may_join, stands_alone, tokens

Term = tuple[str, ...]

_MOST_TOPICS = 3
_MOSTLY = 0.7
_IN_PASSING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """`term` stands in `papers` of `cohort` papers of the day.

    `earlier` of `background` earlier papers had it; `background` is 0 when none were consulted.
    """

    term: str
    papers: int
    cohort: int
    earlier: int
    background: int
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which on a term counts: papers, earlier papers at all, times its usual share, and
    standard deviations above it."""

    papers: float
    background: float
    times: float
    strength: float


def find_bursts(
    documents: Sequence[Sequence[str]], background: Sequence[str], least: Thresholds
) -> dict[Term, Burst]:
    """The bursting terms of `documents` (words in order, see `words.paper_tokens`)."""
    # Terms of one to three words in at least `least` documents, with how many.
    # A phrase is no more frequent than its words, so each length is sought only where the shorter
    # ones were frequent enough.
    singles = Counter(chain.from_iterable(map(set, documents)))
    words = {word for word, n in singles.items() if n >= least.papers and may_join(word)}
    pairs = _at_least(
        least.papers,
        ({pair for pair in pairwise(document) if words.issuperset(pair)} for document in documents),
    )
    triples = _at_least(
        least.papers,
        (
            {run for run in _triples(document) if run[:2] in pairs and run[1:] in pairs}
            for document in documents
        ),
    )
    alone: dict[Term, int] = {(w,): singles[w] for w in words if stands_alone(w)}
    telling = ((term, n) for term, n in pairs.items() if any(map(stands_alone, term)))
    counts = _without_fragments({**alone, **dict(telling), **triples})
    known = len(background) if len(background) >= least.background else 0
    earlier = _count_earlier(counts, background) if known else Counter[Term]()
    found = {}
    for term, papers in counts.items():
        burst = _burst(term, papers, len(documents), earlier[term], known)
        if _is_burst(burst, least):
            found[term] = burst
    return found


def _is_burst(burst: Burst, least: Thresholds) -> bool:
    if burst.strength <= 0 or 2 * burst.papers > burst.cohort:
        return False
    if not burst.background:
        return True
    usual = (burst.earlier + 0.5) / (burst.background + 1)
    often = burst.papers / burst.cohort >= least.times * usual
    return often and burst.strength >= least.strength


def topics_of(document: Sequence[str], bursts: Mapping[Term, Burst]) -> tuple[Burst, ...]:
    """The strongest bursts the document belongs to, at most three that share no word.

    A term the document names once is only half as strong there: it may be said in passing.
    """
    # Every run of one, two and three neighbouring words.
    present = Counter(chain(zip(document), pairwise(document), _triples(document)))
    mine = [
        burst if present[term] > 1 else replace(burst, strength=burst.strength * _IN_PASSING)
        for term, burst in ((term, bursts[term]) for term in present.keys() & bursts.keys())
    ]
    chosen: list[Burst] = []
    for burst in sorted(mine, key=_strongest_first):
        words = {word for other in chosen for word in other.term.split()}
        if len(chosen) < _MOST_TOPICS and words.isdisjoint(burst.term.split()):
            chosen.append(burst)
    return tuple(chosen)


def _strongest_first(burst: Burst) -> tuple[float, str]:
    return -burst.strength, burst.term


def share_out(topics: Sequence[tuple[Burst, ...]]) -> list[tuple[Burst, ...]]:
    """The topics of each document with the strength that is left for it, strongest first.

    Documents with the strongest topics are served first, equal ones in the order given.
    """
    served: Counter[str] = Counter()
    shared: list[tuple[Burst, ...]] = [()] * len(topics)
    totals = [math.fsum(burst.strength for burst in mine) for mine in topics]
    for position in sorted(range(len(topics)), key=lambda position: -totals[position]):
        left = [
            replace(b, strength=b.strength / math.sqrt(1 + served[b.term]))
            for b in topics[position]
        ]
        shared[position] = tuple(sorted(left, key=_strongest_first))
        served.update(burst.term for burst in left)
    return shared


def _burst(term: Term, papers: int, cohort: int, earlier: int, background: int) -> Burst:
    if background:
        usual = cohort * (earlier + 0.5) / (background + 1)
        deviance = papers * math.log(papers / usual) - (papers - usual)
        strength = math.sqrt(2 * deviance) if papers > usual else 0.0
    else:
        # The share of a phrase's words that could name a topic alone; 0 for a single word.
        telling = sum(map(stands_alone, term)) / len(term) if len(term) > 1 else 0.0
        strength = math.log(papers) * math.log(cohort / papers) * telling
    return Burst(
        term=" ".join(term),
        papers=papers,
        cohort=cohort,
        earlier=earlier,
        background=background,
        strength=strength,
    )


def _without_fragments(counts: Mapping[Term, int]) -> dict[Term, int]:
    """Drop terms that mostly occur within a longer one: `deep neural` of `deep neural networks`."""
    fragments = {
        part
        for term, n in counts.items()
        for part in (term[:-1], term[1:])
        if part in counts and n >= _MOSTLY * counts[part]
    }
    return {term: n for term, n in counts.items() if term not in fragments}


def _triples(document: Sequence[str]) -> Iterable[Term]:
    return zip(document, document[1:], document[2:], strict=False)


def _at_least(least: float, terms: Iterable[Set[Term]]) -> dict[Term, int]:
    counts = Counter(chain.from_iterable(terms))
    return {term: n for term, n in counts.items() if n >= least}


def _count_earlier(terms: Iterable[Term], background: Sequence[str]) -> Counter[Term]:
    """In how many of the background texts each of `terms` stands."""
    wanted = frozenset(terms)
    words = frozenset(term[0] for term in wanted if len(term) == 1)
    alone: Counter[str] = Counter()
    counts: Counter[Term] = Counter()
    for text in background:
        document = tokens(text)
        alone.update(words.intersection(document))
        counts.update(wanted.intersection(pairwise(document)))
        counts.update(wanted.intersection(_triples(document)))
    counts.update({(word,): n for word, n in alone.items()})
    return counts
