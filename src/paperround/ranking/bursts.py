"""Find bursts: words and phrases that are suddenly frequent.

With a background the strength of a term is the square root of its Poisson deviance,

    sqrt(2 (d ln(d / e) - (d - e))),   e = n (b + 1/2) / (B + 1),

for d of today's n papers and b of B earlier ones (the signed root of the likelihood ratio
statistic of McCullagh and Nelder, Generalized Linear Models, 1989, section 2.3). Read it as a
number of standard deviations. Without a background the strength of a phrase is ln(d) ln(n / d):
0 if one paper or every paper has it, largest in between. Single words are then left out and the
common words of a phrase discounted, because we do not know which are usual. A term of more than
half the papers is no burst.

The second paper on a topic is less news than the first. So that one topic cannot fill a page, a
burst counts strength / sqrt(1 + k) for a paper if k papers with stronger topics have it too.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from paperround.ranking.stop_words import may_join, stands_alone, tokens
from paperround.ranking.weights import Weights

Term = tuple[str, ...]

_MOST_TOPICS = 3
_FRAGMENT_SHARE = 0.7
_SINGLE_MENTION = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """`term` occurs in `papers` of the day's `cohort` papers and in `earlier` of `background`
    earlier papers; `background` is 0 if there were too few."""

    term: str
    papers: int
    cohort: int
    earlier: int
    background: int
    strength: float


def find_bursts(
    documents: Sequence[Sequence[str]], background: Sequence[str], weights: Weights
) -> dict[Term, Burst]:
    """The bursts among terms of one to three words of `documents` (see `paper_tokens`).

    `weights` has the least papers of a term, size of the background, multiple of the usual share
    and strength of a burst.
    """
    # A phrase is no more frequent than its words, so extend only frequent terms.
    singles = Counter(chain.from_iterable(map(set, documents)))
    words = {word for word, n in singles.items() if n >= weights.least_papers and may_join(word)}
    pairs = _at_least(
        weights.least_papers,
        ({pair for pair in pairwise(document) if words.issuperset(pair)} for document in documents),
    )
    triples = _at_least(
        weights.least_papers,
        (
            {run for run in _triples(document) if run[:2] in pairs and run[1:] in pairs}
            for document in documents
        ),
    )
    alone: dict[Term, int] = {(w,): singles[w] for w in words if stands_alone(w)}
    specific = {term: n for term, n in pairs.items() if any(map(stands_alone, term))}
    counts = _without_fragments({**alone, **specific, **triples})
    known = len(background) if len(background) >= weights.least_background else 0
    earlier = _count_earlier(counts, background) if known else Counter[Term]()
    found = {}
    for term, papers in counts.items():
        burst = _burst(term, papers, len(documents), earlier[term], known)
        if _is_burst(burst, weights):
            found[term] = burst
    return found


def _is_burst(burst: Burst, weights: Weights) -> bool:
    if burst.strength <= 0 or 2 * burst.papers > burst.cohort:
        return False
    if not burst.background:
        return True
    usual = (burst.earlier + 0.5) / (burst.background + 1)
    often = burst.papers / burst.cohort >= weights.least_burst * usual
    return often and burst.strength >= weights.least_strength


def topics_of(document: Sequence[str], bursts: Mapping[Term, Burst]) -> tuple[Burst, ...]:
    """The strongest bursts in the document, at most three without common words.

    A term that occurs once has half its strength: it may be mentioned in passing.
    """
    present = Counter(chain(zip(document), pairwise(document), _triples(document)))
    found = [
        burst if present[term] > 1 else replace(burst, strength=burst.strength * _SINGLE_MENTION)
        for term, burst in ((term, bursts[term]) for term in present.keys() & bursts.keys())
    ]
    chosen: list[Burst] = []
    for burst in sorted(found, key=_strongest_first):
        words = {word for other in chosen for word in other.term.split()}
        if len(chosen) < _MOST_TOPICS and words.isdisjoint(burst.term.split()):
            chosen.append(burst)
    return tuple(chosen)


def _strongest_first(burst: Burst) -> tuple[float, str]:
    return -burst.strength, burst.term


def discount_shared(topics: Sequence[tuple[Burst, ...]]) -> list[tuple[Burst, ...]]:
    """The topics of each document with discounted strengths, strongest first.

    A burst is discounted by the documents with stronger topics that have it; equal documents keep
    their order.
    """
    used: Counter[str] = Counter()
    discounted: list[tuple[Burst, ...]] = [()] * len(topics)
    totals = [math.fsum(burst.strength for burst in bursts) for bursts in topics]
    for position in sorted(range(len(topics)), key=lambda position: -totals[position]):
        left = [
            replace(b, strength=b.strength / math.sqrt(1 + used[b.term])) for b in topics[position]
        ]
        discounted[position] = tuple(sorted(left, key=_strongest_first))
        used.update(burst.term for burst in left)
    return discounted


def _burst(term: Term, papers: int, cohort: int, earlier: int, background: int) -> Burst:
    if background:
        usual = cohort * (earlier + 0.5) / (background + 1)
        deviance = papers * math.log(papers / usual) - (papers - usual)
        strength = math.sqrt(2 * deviance) if papers > usual else 0.0
    else:
        # The share of a phrase's words that could name a topic alone; 0 for a single word.
        specific = sum(map(stands_alone, term)) / len(term) if len(term) > 1 else 0.0
        strength = math.log(papers) * math.log(cohort / papers) * specific
    return Burst(
        term=" ".join(term),
        papers=papers,
        cohort=cohort,
        earlier=earlier,
        background=background,
        strength=strength,
    )


def _without_fragments(counts: Mapping[Term, int]) -> dict[Term, int]:
    """Drop terms that occur mostly within a longer one: `deep neural` of `deep neural networks`."""
    fragments = {
        part
        for term, n in counts.items()
        for part in (term[:-1], term[1:])
        if part in counts and n >= _FRAGMENT_SHARE * counts[part]
    }
    return {term: n for term, n in counts.items() if term not in fragments}


def _triples(document: Sequence[str]) -> Iterable[Term]:
    return zip(document, document[1:], document[2:], strict=False)


def _at_least(least: float, terms: Iterable[Set[Term]]) -> dict[Term, int]:
    counts = Counter(chain.from_iterable(terms))
    return {term: n for term, n in counts.items() if n >= least}


def _count_earlier(terms: Iterable[Term], background: Sequence[str]) -> Counter[Term]:
    """The number of background texts with each of `terms`."""
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
