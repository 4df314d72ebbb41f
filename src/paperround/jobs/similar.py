"""Papers like another one, found by the words that tell most of it."""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from paperround.domain.papers import Paper, PaperId
from paperround.domain.search import COMMON, Query, Term, rarity
from paperround.domain.stems import stem, stems, words
from paperround.jobs.ports import Relevance
from paperround.store.unit_of_work import Database

LOOKED_AT = 30
SHOWN = 5

LASTING = timedelta(days=1)
"""How long a paper's neighbours are kept: new papers come every day."""
MOST_KEPT = 20_000
"""Papers whose neighbours are kept, some megabytes; of more, those found last."""


def similar_papers(database: Database, relevance: Relevance, paper: Paper) -> list[Paper]:
    """At most five, the most similar first; none where nothing shares enough with it."""
    with database.reading() as work:
        spread = work.search.spread(telling_words(paper))
        query = query_like(paper, spread, work.papers.count())
        found = work.search.find(query, limit=LOOKED_AT)
        loaded = work.papers.load(found.best) if found.best else {}
    papers = [loaded[one] for one in found.best if one in loaded]
    order = relevance(query, papers, found)
    alike = (loaded[one] for one in order if one != paper.id)
    return [one for one in alike if not one.withdrawn and is_alike(query, one)][:SHOWN]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Ids of neighbours, the texts they were found for, and when."""

    text: int
    found_at: datetime
    papers: tuple[PaperId, ...]


class Neighbours:
    """Similar papers, looked for once a day and process for each paper that is asked for.

    Only ids are kept: what a neighbour is called is read anew, and one that was withdrawn since is
    left out. A paper whose own text changed is looked for again at once. Safe to share between
    threads.
    """

    def __init__(
        self, database: Database, relevance: Relevance, *, most_kept: int = MOST_KEPT
    ) -> None:
        self._database = database
        self._relevance = relevance
        self._most_kept = most_kept
        self._lock = Lock()
        self._kept: OrderedDict[PaperId, _Kept] = OrderedDict()

    def of(self, paper: Paper, *, now: datetime) -> list[Paper]:
        """At most five, the most similar first, as they were found at most a day ago."""
        text = hash((paper.title, paper.abstract))
        with self._lock:
            kept = self._kept.get(paper.id)
        if kept is None or kept.text != text or not timedelta() <= now - kept.found_at < LASTING:
            similar = similar_papers(self._database, self._relevance, paper)
            self._keep(paper.id, _Kept(text, now, tuple(one.id for one in similar)))
            return similar
        return self._still(kept.papers, paper.id)

    def _keep(self, paper: PaperId, kept: _Kept) -> None:
        with self._lock:
            self._kept[paper] = kept
            self._kept.move_to_end(paper)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)

    def _still(self, papers: tuple[PaperId, ...], paper: PaperId) -> list[Paper]:
        """Those that still stand, each once: two may have become one, or one with the paper."""
        if not papers:
            return []
        with self._database.reading() as work:
            loaded = work.papers.load(papers)
        found = {loaded[one].id: loaded[one] for one in papers if one in loaded}
        return [one for one in found.values() if not one.withdrawn and one.id != paper]


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
