"""Finding papers: a page of what fits, and what may have been meant where a word fits nothing."""

import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock

from paperround.db.transactions import Database, Transaction
from paperround.papers.excerpts import Marker
from paperround.papers.formatting import shown_text
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import (
    COMMON,
    Filters,
    Hit,
    Query,
    SearchResult,
    Term,
    is_guessable,
    nearest,
    parse_query,
    rarity,
    widened,
    without_filters,
)
from paperround.papers.stems import stem, stems, words
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex

Relevance = Callable[[Query, Sequence[Paper], SearchResult], list[PaperId]]
"""Orders the best papers of the index; `SearchResult` is what the index said. Pure."""


LOOKED_AT = 60
"""How many of the best are put in order by `Relevance`; the others stay as the index has them."""
FEW = 200
"""Where fewer papers fit, those follow that have words which only begin as the ones asked for."""
DEEPEST = 1000
"""No page goes further: who has not found it among so many needs other words."""
_MOST_GUESSES = 8
_MOST_UNKNOWN = 8
"""Words of one query that guesses are made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Hits from `offset` on, best first. `suggestion` is what may have been meant, empty when
    there is nothing to suggest; `is_last` whether no page follows. `upto` is the newest paper that
    was looked at: who asks for the next page with it meets no shift by papers that came since."""

    text: str
    query: Query
    hits: tuple[Hit, ...]
    total: int
    offset: int
    suggestion: str
    is_last: bool
    upto: PaperId

    @property
    def unfiltered(self) -> str:
        """The text without the filters it names."""
        return without_filters(self.text)


def search(
    database: Database,
    relevance: Relevance,
    text: str,
    *,
    filters: Filters = Filters(),  # noqa: B008 - a frozen value
    limit: int,
    offset: int = 0,
    upto: PaperId | None = None,
) -> SearchPage:
    """The papers that fit `text`, of those up to `upto`. No text raises: what says nothing finds
    nothing, and filters alone find what came last."""
    query = parse_query(text, filters)
    end = min(offset + limit, DEEPEST)
    with database.reading() as work:
        # Where only filters were named, the newest papers fit best.
        if query.filters.are_set and not query.wanted and not query.excluded:
            found = work[SearchIndex].newest(query.filters, limit=end, most=DEEPEST, upto=upto)
        else:
            found = work[SearchIndex].find(query, limit=max(end, LOOKED_AT, FEW), upto=upto)
        order, total = ordered(work, relevance, query, found), found.total
        if total < FEW and query.wanted:
            # What else there is where words may also begin longer ones, in the order of the index.
            wide = widened(query)
            if wide != query:
                further = work[SearchIndex].find(wide, limit=2 * FEW, upto=found.upto).best
                order = list(dict.fromkeys((*order, *further)))
            total = len(order)
        papers = order[offset:end]
        loaded = work[PaperStore].load(papers) if papers else {}
        suggestion = _suggestion(work, text, query, found)
    marker = Marker(widened(query) if total > found.total else query)
    return SearchPage(
        text=text,
        query=query,
        hits=tuple(hit_of(marker, loaded[one]) for one in papers if one in loaded),
        total=total,
        offset=offset,
        suggestion=suggestion,
        is_last=end >= min(total, DEEPEST),
        upto=found.upto,
    )


def ordered(
    work: Transaction, relevance: Relevance, query: Query, found: SearchResult
) -> Sequence[PaperId]:
    """What the index found, its best in their final order."""
    best, others = found.best[:LOOKED_AT], found.best[LOOKED_AT:]
    if len(best) < 2 or not query.wanted:
        return found.best
    loaded = work[PaperStore].load(best)
    return [*relevance(query, [loaded[one] for one in best if one in loaded], found), *others]


def hit_of(marker: Marker, paper: Paper) -> Hit:
    """A paper as it is shown among others, with the words marked that `marker` looks for."""
    text, _ = shown_text(paper)
    return Hit(paper=paper, title=marker.marked(paper.title), excerpt=marker.excerpt(text))


def _suggestion(work: Transaction, text: str, query: Query, found: SearchResult) -> str:
    """`text` with each word that no paper has replaced by the likeliest one; empty without."""
    plain = (term.words[0] for term in query.wanted if term.is_plain and not found.papers[term])
    better = text
    for word in islice(filter(is_guessable, plain), _MOST_UNKNOWN):
        # The commonest of the words that are nearest to it.
        guesses = nearest(word, work[SearchIndex].words_like(word))[:_MOST_GUESSES]
        spread = work[SearchIndex].spread([Term(words=(guess,)) for guess in guesses])
        best = max(spread, key=lambda term: (spread[term], term.words), default=None)
        if best and spread[best]:
            whole = rf"(?<!\w){re.escape(word)}(?!\w)"
            better = re.sub(whole, best.words[0], better, flags=re.IGNORECASE)
    return better if better != text else ""


MOST_COMPARED = 30
SHOWN = 5

LASTING = timedelta(days=1)
"""How long a paper's neighbours are kept: new papers come every day."""
MOST_KEPT = 20_000
"""Papers whose neighbours are kept, some megabytes; of more, those found last."""


def similar_papers(database: Database, relevance: Relevance, paper: Paper) -> list[Paper]:
    """At most five, the most similar first; none where nothing shares enough with it."""
    used = telling_words(paper)
    with database.reading() as work:
        spread, indexed = work[SearchIndex].spread(used), work[PaperStore].count()
        shared = [term for term in used if spread.get(term, 0) > 1]
        shared.sort(key=lambda term: (-used[term] * rarity(spread[term], indexed), term.words))
        chosen = tuple(shared[:MOST_TOLD])
        query = Query(optional=chosen, times={term: used[term] for term in chosen})
        found = work[SearchIndex].find(query, limit=MOST_COMPARED)
        loaded = work[PaperStore].load(found.best) if found.best else {}
    papers = [loaded[one] for one in found.best if one in loaded]
    order = relevance(query, papers, found)
    similar = []
    for one in (loaded[id_] for id_ in order if id_ != paper.id):
        known = frozenset(stems(f"{one.title} {one.abstract}"))
        if not one.withdrawn and sum(stem(term.words[0]) in known for term in chosen) >= SHARED:
            similar.append(one)
    return similar[:SHOWN]


@dataclass(frozen=True, slots=True)
class _CachedNeighbours:
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

    def __init__(self, database: Database, relevance: Relevance) -> None:
        self._database = database
        self._relevance = relevance
        self._lock = Lock()
        self._kept: OrderedDict[PaperId, _CachedNeighbours] = OrderedDict()

    def of(self, paper: Paper, *, now: datetime) -> list[Paper]:
        """At most five, the most similar first, as they were found at most a day ago."""
        text = hash((paper.title, paper.abstract))
        with self._lock:
            kept = self._kept.get(paper.id)
        if kept is None or kept.text != text or not timedelta() <= now - kept.found_at < LASTING:
            similar = similar_papers(self._database, self._relevance, paper)
            with self._lock:
                self._kept[paper.id] = _CachedNeighbours(
                    text, now, tuple(one.id for one in similar)
                )
                self._kept.move_to_end(paper.id)
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
            return similar
        if not kept.papers:
            return []
        with self._database.reading() as work:
            loaded = work[PaperStore].load(kept.papers)
        # Those that still stand, each once: two may have become one, or one with the paper.
        found = {loaded[one].id: loaded[one] for one in kept.papers if one in loaded}
        return [one for one in found.values() if not one.withdrawn and one.id != paper.id]


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
