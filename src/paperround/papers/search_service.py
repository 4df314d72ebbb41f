"""Search papers, suggest corrections, and find similar papers."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

from paperround.db.transactions import Database, Transaction
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
    parse_query,
    rarity,
    with_prefixes,
    without_filters,
)
from paperround.papers.stems import fold_word, stem, stems, words
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex

Relevance = Callable[[Query, Sequence[Paper], SearchResult], list[PaperId]]
"""Reorders the best papers of the index, given its `SearchResult`. Pure."""

LOOKED_AT = 60
"""How many of the best papers `Relevance` reorders; the others keep the order of the index."""
FEW_RESULTS = LOOKED_AT
"""If fewer papers have all words, those with some of them are found too; if fewer have any, so are
those in which the words match as prefixes."""
MOST_BY_PREFIX = 400
DEEPEST = 1000
"""The last result you can page to."""
_MOST_UNKNOWN = 8
"""Words of one query to suggest corrections for."""
_SIMILAR = 0.78
"""How similar a correction is to the word, as `difflib` measures it: one typo in five letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """Hits from `offset` on, best first. `suggestion` is the corrected text, empty if there is
    none. `upto` is the newest paper searched: pass it with the next page, and papers that arrive
    meanwhile shift nothing."""

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
        """The text without its filters."""
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
    """The papers up to `upto` that match `text`. Never raises: a text without words finds nothing,
    and filters alone find the newest papers."""
    query = parse_query(text, filters)
    end = min(offset + limit, DEEPEST)
    with database.reading() as work:
        if query.filters.are_set and not query.wanted and not query.excluded:
            found = work[SearchIndex].newest(query.filters, limit=end, most=DEEPEST, upto=upto)
        else:
            found = work[SearchIndex].find(
                query, limit=max(end, LOOKED_AT), upto=upto, fewest=FEW_RESULTS
            )
        order, total = ordered(work, relevance, query, found), found.total
        if total < FEW_RESULTS and query.wanted:
            wide = with_prefixes(query)
            if wide != query:
                further = work[SearchIndex].find(wide, limit=MOST_BY_PREFIX, upto=found.upto).best
                order = list(dict.fromkeys((*order, *further)))
            total = len(order)
        papers = order[offset:end]
        loaded = work[PaperStore].load(papers) if papers else {}
        suggestion = _suggestion(work, text, query, found)
    marker = Marker(with_prefixes(query) if total > found.total else query)
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
    """The papers the index found, with the best ones reordered by relevance."""
    best, others = found.best[:LOOKED_AT], found.best[LOOKED_AT:]
    if len(best) < 2 or not query.wanted:
        return found.best
    loaded = work[PaperStore].load(best)
    return [*relevance(query, [loaded[one] for one in best if one in loaded], found), *others]


def _suggestion(work: Transaction, text: str, query: Query, found: SearchResult) -> str:
    """`text` with each word that no paper has replaced by the likeliest correction; empty if there
    is none."""
    plain = (term.words[0] for term in query.wanted if term.is_plain and not found.papers[term])
    better = text
    for word in islice(filter(is_guessable, plain), _MOST_UNKNOWN):
        guesses = get_close_matches(word, work[SearchIndex].words_like(word), cutoff=_SIMILAR)
        frequencies = work[SearchIndex].document_frequencies(
            [Term(words=(guess,)) for guess in guesses]
        )
        best = max(frequencies, key=frequencies.__getitem__, default=None)
        if best and frequencies[best]:
            whole = rf"(?<!\w){re.escape(word)}(?!\w)"
            better = re.sub(whole, best.words[0], better, flags=re.IGNORECASE)
    return better if better != text else ""


EXCERPT_LENGTH = 260
"""Characters of an excerpt: about three lines."""

Pieces = tuple[tuple[str, bool], ...]
"""A text in pieces, each with whether it matches the search."""

_WORD = re.compile(r"[^\W_]+")
_LEAD = 60


class Marker:
    """Marks the words of one query."""

    def __init__(self, query: Query) -> None:
        wanted = query.wanted
        whole = {word for one in wanted for word in one.words[: -1 if one.starts else None]}
        self._stems = frozenset(map(stem, whole - COMMON or whole))
        self._starts = tuple(term.words[-1] for term in wanted if term.starts)

    def marked(self, text: str) -> Pieces:
        """`text` split into matching and other pieces."""
        pieces: list[tuple[str, bool]] = []
        end = 0
        for start, stop, _ in self._matches(text):
            pieces += [(text[end:start], False), (text[start:stop], True)]
            end = stop
        pieces.append((text[end:], False))
        return tuple((piece, is_found) for piece, is_found in pieces if piece)

    def excerpt(self, text: str) -> Pieces:
        """The part of `text` with the most different matches, cut at words."""
        if len(text) <= EXCERPT_LENGTH:
            return self.marked(text)
        start = self._best_start(text)
        if start:
            start = text.find(" ", start) + 1
        end = min(len(text), start + EXCERPT_LENGTH)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + EXCERPT_LENGTH // 2)
        part = text[start:end].strip()
        return self.marked(("… " if start else "") + part + (" …" if end < len(text) else ""))

    def _best_start(self, text: str) -> int:
        found = self._matches(text)

        def within(start: int) -> int:
            end = start + EXCERPT_LENGTH - _LEAD
            return len({what for place, _, what in found if start <= place < end})

        best = max((start for start, _, _ in found), key=within, default=0)
        return max(0, min(best - _LEAD, len(text) - EXCERPT_LENGTH))

    def _matches(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, stem) of each match."""
        matches = []
        for found in _WORD.finditer(text):
            folded = fold_word(found[0])
            if stem(folded) in self._stems or folded.startswith(self._starts):
                matches.append((found.start(), found.end(), stem(folded)))
        return matches


def hit_of(marker: Marker, paper: Paper) -> Hit:
    """The paper as a hit, with matches marked by `marker`."""
    text, _ = shown_text(paper)
    return Hit(paper=paper, title=marker.marked(paper.title), excerpt=marker.excerpt(text))


MOST_COMPARED = 30
MOST_SIMILAR = 5

CACHE_SIZE = 20_000
"""Papers with cached similar papers: some megabytes."""


def similar_papers(database: Database, relevance: Relevance, paper: Paper) -> list[Paper]:
    """At most five papers, the most similar first; empty if none has enough words in common."""
    used = frequent_words(paper)
    with database.reading() as work:
        frequencies = work[SearchIndex].document_frequencies(used)
        indexed = work[PaperStore].count()
        shared = [term for term in used if frequencies.get(term, 0) > 1]
        shared.sort(key=lambda term: (-used[term] * rarity(frequencies[term], indexed), term.words))
        chosen = tuple(shared[:MOST_QUERIED])
        query = Query(optional=chosen, times={term: used[term] for term in chosen})
        found = work[SearchIndex].find(query, limit=MOST_COMPARED)
        loaded = work[PaperStore].load(found.best) if found.best else {}
    papers = [loaded[one] for one in found.best if one in loaded]
    order = relevance(query, papers, found)
    similar = []
    for one in (loaded[id_] for id_ in order if id_ != paper.id):
        known = frozenset(stems(f"{one.title} {one.abstract}"))
        shared_words = sum(stem(term.words[0]) in known for term in chosen)
        if shared_words >= LEAST_SHARED and not one.withdrawn:
            similar.append(one)
    return similar[:MOST_SIMILAR]


class Neighbours:
    """A cache of similar papers: one search per paper, text, day and process.

    Stores ids only, so titles are current and papers withdrawn meanwhile are left out.
    """

    def __init__(self, database: Database, relevance: Relevance) -> None:
        self._database = database
        self._relevance = relevance
        self._ids = lru_cache(maxsize=CACHE_SIZE)(self._search)

    def of(self, paper: Paper, *, now: datetime) -> list[Paper]:
        """At most five papers, the most similar first, from a search at most a day ago."""
        ids = self._ids(paper.id, hash((paper.title, paper.abstract)), now.date())
        loaded = self._load(ids)
        # Two of them may have been joined meanwhile, or one joined with the paper itself.
        found = {loaded[one].id: loaded[one] for one in ids if one in loaded}
        return [one for one in found.values() if not one.withdrawn and one.id != paper.id]

    def _search(self, paper: PaperId, _text: int, _day: date) -> tuple[PaperId, ...]:
        """The ids to cache. The hash of the text and the day only make the entry outdated."""
        loaded = self._load([paper])
        found = similar_papers(self._database, self._relevance, loaded[paper]) if loaded else []
        return tuple(one.id for one in found)

    def _load(self, papers: Sequence[PaperId]) -> dict[PaperId, Paper]:
        with self._database.reading() as work:
            return work[PaperStore].load(papers) if papers else {}


MOST_COUNTED = 24
"""Words of a paper whose document frequency is looked up."""
MOST_QUERIED = 8
"""The most characteristic words, used to search for similar papers."""
LEAST_SHARED = 3
"""A similar paper has at least this many of them."""

_SHORTEST = 3
_OF_TITLE = 3


def frequent_words(paper: Paper) -> dict[Term, int]:
    """The words a paper uses most, with their counts; one in the title counts three times."""
    counted: dict[str, int] = defaultdict(int)
    written: dict[str, str] = {}
    for text, weight in ((paper.title, _OF_TITLE), (paper.abstract, 1)):
        for word in words(text):
            if len(word) >= _SHORTEST and word not in COMMON and not word.isdecimal():
                written.setdefault(stem(word), word)
                counted[stem(word)] += weight
    most = sorted(counted, key=lambda one: -counted[one])[:MOST_COUNTED]
    return {Term(words=(written[one],)): counted[one] for one in most}
