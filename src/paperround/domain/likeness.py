"""What a paper is about, in the words an index can be asked for."""

from collections import defaultdict
from collections.abc import Mapping

from paperround.domain.papers import Paper
from paperround.domain.search import COMMON, Query, Term, rarity
from paperround.domain.stems import stem, stems, words

MOST_ASKED = 24
"""Words of a paper whose number of papers is asked for."""
MOST_TOLD = 8
"""Words that similar papers are looked for by: those that tell most."""
SHARED = 3
"""So many of them a paper must have to be called similar."""

_SHORTEST = 3
_OF_TITLE = 3


def telling_words(paper: Paper) -> dict[Term, int]:
    """The words a paper uses most, with how often; one in the title counts three times."""
    counted: dict[str, int] = defaultdict(int)
    written: dict[str, str] = {}
    for text, weight in ((paper.title, _OF_TITLE), (paper.abstract, 1)):
        for word in words(text):
            if len(word) >= _SHORTEST and word not in COMMON and not word.isdecimal():
                written.setdefault(stem(word), word)
                counted[stem(word)] += weight
    most = sorted(counted, key=lambda one: -counted[one])[:MOST_ASKED]
    return {Term(words=(written[one],)): counted[one] for one in most}


def query_like(paper: Paper, spread: Mapping[Term, int], indexed: int) -> Query:
    """What finds papers like this one, given in how many papers each of its words stands."""
    used = telling_words(paper)
    shared = [term for term in used if spread.get(term, 0) > 1]
    shared.sort(key=lambda term: (-used[term] * rarity(spread[term], indexed), term.words))
    chosen = tuple(shared[:MOST_TOLD])
    return Query(optional=chosen, times={term: used[term] for term in chosen})


def is_alike(query: Query, paper: Paper) -> bool:
    """Whether a paper has enough of the words that were looked for."""
    known = frozenset(stems(f"{paper.title} {paper.abstract}"))
    return sum(stem(term.words[0]) in known for term in query.optional) >= SHARED
