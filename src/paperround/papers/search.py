"""What somebody looks for: the words they typed, read into a query that any index can answer.

    dense retrieval        papers with any of these words, those with more and rarer ones first
    "dense retrieval"      the words side by side
    retriev*               every word that starts so
    +dense  dense AND x    must be there               -sparse  NOT sparse    must not
    title:dense            in the title; also abstract: and author:
    category:cs.LG  feed:arxiv  after:2026-01-01  before:2026-02-01      only among such papers

Whatever is typed is read as something: a text is cut where it gets too long, marks without a
meaning are spaces, and nothing of it reaches a database but as a value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import count, islice, pairwise
from math import log1p

from paperround.papers.identifiers import addresses_of, page_name
from paperround.papers.model import Paper, PaperId
from paperround.papers.stems import words

LONGEST_TEXT = 2000
MOST_TERMS = 64
"""Different words and phrases of a query; more say nothing new, and each costs the index time."""
MOST_DEAR = 12
"""Phrases, beginnings and terms of one part among them: those cost an index ten times as much."""
LONGEST_PHRASE = 12
_LONGEST_WORD = 60
_SHORTEST_START = 2
_BEGINS = 4
"""Letters of a word that may be taken for the beginning of others."""

COMMON = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each either etc few for from
    further had has have having he her here hers him his how i if in into is it its itself just like
    may me might more most must my no nor not now of off on once one only onto or other our out over
    own per same shall she should since so some such than that the their them then there these they
    this those through to too toward towards under until up upon us very was we well were what when
    where whether which while who whom whose why will with within without would yet you your
    """.split()
)
"""Words that say nothing of what a paper is about."""

_PIECE = re.compile(
    r"""(?P<sign>(?<!\S)[+-])?
        (?:(?P<name>[A-Za-z]{2,9}):(?=\S))?
        (?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))""",
    re.VERBOSE,
)
_JOINTS = ("AND", "OR", "NOT")


class QueryPlace(StrEnum):
    """The part of a paper a term must stand in."""

    TITLE = "title"
    ABSTRACT = "abstract"
    AUTHOR = "author"


WEIGHTS: Mapping[QueryPlace, float] = {
    QueryPlace.TITLE: 4.0,
    QueryPlace.ABSTRACT: 1.0,
    QueryPlace.AUTHOR: 0.5,
}
"""What a term counts for in each part; docs/search.md has the figures that chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One or more folded words side by side; `starts` makes the last of them a beginning."""

    words: tuple[str, ...]
    starts: bool = False
    place: QueryPlace | None = None

    @property
    def is_plain(self) -> bool:
        """A single whole word, wherever it stands."""
        return len(self.words) == 1 and not self.starts

    @property
    def is_dear(self) -> bool:
        """Whether an index must look into each paper, or up many words, to find it."""
        return self.place is not None or not self.is_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Only among papers of this category and this feed that count from within these days."""

    category: str | None = None
    feed: str | None = None
    after: date | None = None
    before: date | None = None

    @property
    def are_set(self) -> bool:
        """Whether any paper is left out."""
        return self != Filters()

    def over(self, other: "Filters") -> "Filters":
        """These, and where they say nothing, those of `other`."""
        return Filters(
            category=self.category or other.category,
            feed=self.feed or other.feed,
            after=self.after or other.after,
            before=self.before or other.before,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A paper fits that has all `required` terms, or without such any of `optional`, and none of
    `excluded`. `times` says how often a term was said, where it was more than once, `pairs` which
    wanted words were said side by side, filler among them."""

    optional: tuple[Term, ...] = ()
    required: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    times: Mapping[Term, int] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    filters: Filters = Filters()

    @property
    def wanted(self) -> tuple[Term, ...]:
        """The terms that speak for a paper."""
        return (*self.required, *self.optional)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The best papers of an index in its own order, and what it knows of the terms.

    `papers` holds for each term in how many papers it stands, `indexed` is about how many there
    are, `total` how many fit.
    """

    best: tuple[PaperId, ...]
    total: int
    papers: Mapping[Term, int]
    indexed: int

    @property
    def upto(self) -> PaperId:
        """The newest paper that was looked at: ids are given in their order."""
        return PaperId(self.indexed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A paper that fits, with the excerpt to show: pieces of text, and whether each is a term."""

    paper: Paper
    title: tuple[tuple[str, bool], ...]
    excerpt: tuple[tuple[str, bool], ...]

    @property
    def name(self) -> str:
        """What its page is called."""
        return page_name(self.paper.identifiers, self.paper.id)

    @property
    def links(self) -> dict[str, str]:
        """Where it can be read, by kind."""
        return {**addresses_of(self.paper.identifiers), **self.paper.links}


@dataclass(slots=True)
class _QueryReader:
    """What was read so far."""

    optional: list[Term] = field(default_factory=list)
    required: list[Term] = field(default_factory=list)
    excluded: list[Term] = field(default_factory=list)
    filters: Filters = Filters()
    joint: str = ""
    said: list[str] = field(default_factory=list)
    """The wanted words in order, an empty one where something else stood between them."""


def widened(query: Query) -> Query:
    """The same, and a word that only had to be there may begin a longer one: `dense` finds
    `DenseNet`. Short words stay: too many others begin as they do."""
    may_begin = [one for one in query.optional if one.is_plain and len(one.words[0]) >= _BEGINS]
    widest = may_begin[:MOST_DEAR]
    optional = (replace(one, starts=True) if one in widest else one for one in query.optional)
    return replace(query, optional=tuple(optional))


def rarity(papers: int, indexed: int) -> float:
    """How much a term tells that stands in `papers` of `indexed` papers; never below 0.

    Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, (3.3).
    """
    return log1p(max(indexed - papers, 0) / (papers + 0.5))


def parse_query(text: str, filters: Filters = Filters()) -> Query:
    """The query that `text` says, among the papers of `filters`. Never raises."""
    reading = _QueryReader()
    for piece in _PIECE.finditer(text[:LONGEST_TEXT]):
        _take(reading, piece)
    required, excluded = reading.required, reading.excluded
    optional = [one for one in reading.optional if one not in required]
    telling = [one for one in optional if not (one.is_plain and one.words[0] in COMMON)]
    kept = telling or ([] if required else optional)
    dear = count(1)
    affordable = (
        one
        for one in dict.fromkeys((*required, *excluded, *kept))
        if not one.is_dear or next(dear) <= MOST_DEAR
    )
    asked = frozenset(islice(affordable, MOST_TERMS))  # as many as an index can be asked at once

    def each(terms: Iterable[Term]) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(one for one in terms if one in asked))

    chosen = each(kept)
    return Query(
        optional=chosen,
        required=each(required),
        excluded=each(excluded),
        times={one: kept.count(one) for one in chosen if kept.count(one) > 1},
        pairs=tuple(dict.fromkeys(pair for pair in pairwise(reading.said) if all(pair))),
        filters=filters.over(reading.filters),
    )


def without_filters(text: str) -> str:
    """`text` as it was typed, but for its filters."""
    pieces = _PIECE.finditer(text[:LONGEST_TEXT])
    return " ".join(piece[0] for piece in pieces if _filtered(Filters(), piece) is None)


def _take(reading: _QueryReader, piece: re.Match[str]) -> None:
    name, said = (piece["name"] or "").lower(), piece["phrase"] or piece["word"] or ""
    if said in _JOINTS and not (piece["sign"] or name or piece["phrase"]):
        reading.said.append("")
        reading.joint = said if said != "OR" else ""
        if said == "AND" and reading.optional:  # what stands before it is a must, as what comes
            reading.required.append(reading.optional.pop())
        return
    found = _filtered(reading.filters, piece)
    if found is not None:
        reading.filters = found
        reading.said.append("")
        return
    terms = list(_terms(name, said, is_phrase=piece["phrase"] is not None))
    if not terms:
        return
    must_not = piece["sign"] == "-" or reading.joint == "NOT"
    must = piece["sign"] == "+" or reading.joint == "AND"
    where = reading.excluded if must_not else reading.required if must else reading.optional
    where += terms
    reading.said += [""] if must_not else [word for term in terms for word in term.words]
    reading.joint = ""


def _filtered(filters: Filters, piece: re.Match[str]) -> Filters | None:
    """`filters` with the one that a piece says; None when it is no filter."""
    name, said = (piece["name"] or "").lower(), piece["phrase"] or piece["word"] or ""
    printable = "".join(letter for letter in said if letter.isprintable())[:_LONGEST_WORD]
    if piece["sign"] is not None:
        return None
    with suppress(ValueError):  # of a date
        match name:
            case "category" | "cat":
                return replace(filters, category=printable)
            case "feed":
                return replace(filters, feed=printable)
            case "after":
                return replace(filters, after=date.fromisoformat(said))
            case "before":
                return replace(filters, before=date.fromisoformat(said))
    return None


def _terms(name: str, said: str, *, is_phrase: bool) -> Iterator[Term]:
    """The terms of one piece: a phrase is one, and so is a compound such as `zero-shot`."""
    place = next((one for one in QueryPlace if one.value == name), None)
    if name and place is None:
        yield from _terms("", name, is_phrase=False)
    found = tuple(word[:_LONGEST_WORD] for word in words(said)[:LONGEST_PHRASE])
    if not found:
        return
    starts = said.endswith("*") and len(found[-1]) >= _SHORTEST_START and not is_phrase
    if is_phrase or starts:
        yield Term(words=found, starts=starts, place=place)
        return
    yield from (Term(words=(one,), place=place) for one in found)


SHORTEST, LONGEST = 4, 30
"""Letters of a word that is worth a guess."""


_LONG = 7
"""From this length on a word may have two slips."""


def title_words(titles: Iterable[str]) -> set[str]:
    """The words of titles that spelling help should know."""
    known: set[str] = set()
    known.update(*map(words, titles))
    return {one for one in known - COMMON if is_guessable(one)}


def is_guessable(word: str) -> bool:
    """Whether `word` is made of letters alone, and of enough of them."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def nearest(word: str, known: Sequence[str]) -> list[str]:
    """Those of `known` that are the fewest slips away from `word`, none that are too many."""
    most = 2 if len(word) >= _LONG else 1
    slips = {one: distance(word, one, most) for one in known if one != word}
    least = min(slips.values(), default=most + 1)
    return sorted(one for one, far in slips.items() if far == least <= most)


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour to make
    `other` of `one`; `most + 1` where it is more than `most`.

    The restricted distance of Damerau and Levenshtein, by Wagner and Fischer's table of 1974.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        older, before, row = before, row, [number]
        for place, theirs in enumerate(other, start=1):
            cost = min(before[place], row[-1]) + 1
            cost = min(cost, before[place - 1] + (letter != theirs))
            is_swap = letter == other[place - 2] and one[number - 2] == theirs
            if number > 1 and place > 1 and is_swap:
                cost = min(cost, older[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
