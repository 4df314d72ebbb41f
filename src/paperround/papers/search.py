"""Parse search text into a query for any index.

    dense retrieval        papers with any of these words, those with more and rarer ones first
    "dense retrieval"      the words side by side
    retriev*               every word with this prefix
    +dense  dense AND x    required                    -sparse  NOT sparse    excluded
    title:dense            in the title; also abstract: and author:
    category:cs.LG  feed:arxiv  after:2026-01-01  before:2026-02-01      filters

Any text is a valid query: long texts are cut, unknown punctuation counts as space, and the text
reaches the database only as a bound value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import combinations, count, islice, pairwise
from math import log1p

from paperround.papers.identifiers import addresses_of, page_name
from paperround.papers.model import Paper, PaperId
from paperround.papers.stems import words

LONGEST_TEXT = 2000
MOST_TERMS = 64
"""Different words and phrases of a query; more add little, and each costs the index time."""
MOST_EXPENSIVE = 12
"""Phrases, prefixes and terms with a field among them: each costs an index ten times as much."""
LONGEST_PHRASE = 12
MOST_WEIGHED = 6
"""If few papers have all terms of a query, this many of the rarest decide what is found."""
LEAST_SHARE = 1 / 3
"""A paper must then have terms that weigh more than this share of them."""
_LONGEST_WORD = 60
_SHORTEST_START = 2
_SHORTEST_PREFIX = 4
"""A word of at least this many letters may also match as a prefix."""

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
"""Stop words."""

_PIECE = re.compile(
    r"""(?P<sign>(?<!\S)[+-])?
        (?:(?P<name>[A-Za-z]{2,9}):(?=\S))?
        (?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))""",
    re.VERBOSE,
)
_OPERATORS = ("AND", "OR", "NOT")


class QueryPlace(StrEnum):
    """The field of a paper that must contain a term."""

    TITLE = "title"
    ABSTRACT = "abstract"
    AUTHOR = "author"


WEIGHTS: Mapping[QueryPlace, float] = {
    QueryPlace.TITLE: 4.0,
    QueryPlace.ABSTRACT: 1.0,
    QueryPlace.AUTHOR: 0.5,
}
"""The weight of each field; docs/search.md has the measurements behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One or more adjacent folded words; with `starts`, the last one is a prefix."""

    words: tuple[str, ...]
    starts: bool = False
    place: QueryPlace | None = None

    @property
    def is_plain(self) -> bool:
        """Whether this is a single whole word, in any field."""
        return len(self.words) == 1 and not self.starts

    @property
    def is_expensive(self) -> bool:
        """Whether the index must look into each paper, or look up many words, to find it."""
        return self.place is not None or not self.is_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Limits on category, feed and the days papers count from."""

    category: str | None = None
    feed: str | None = None
    after: date | None = None
    before: date | None = None

    @property
    def are_set(self) -> bool:
        """Whether any filter is set."""
        return self != Filters()

    def over(self, other: "Filters") -> "Filters":
        """These filters, with those of `other` for the ones that are not set."""
        return Filters(
            category=self.category or other.category,
            feed=self.feed or other.feed,
            after=self.after or other.after,
            before=self.before or other.before,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A paper matches if it has all `required` terms (any of `optional` if there are none) and none
    of `excluded`. `times` counts repeated terms; `pairs` are adjacent wanted words, stop words
    included. `is_either` is true if the text contains OR: then any word is enough."""

    optional: tuple[Term, ...] = ()
    required: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    times: Mapping[Term, int] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    filters: Filters = Filters()
    is_either: bool = False

    @property
    def wanted(self) -> tuple[Term, ...]:
        """The required and optional terms."""
        return (*self.required, *self.optional)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The best papers of an index in its own order, and statistics of the terms.

    `papers` maps each term to the number of papers with it, `indexed` is the approximate number of
    papers, `total` the number of matches.
    """

    best: tuple[PaperId, ...]
    total: int
    papers: Mapping[Term, int]
    indexed: int

    @property
    def upto(self) -> PaperId:
        """The newest paper searched: ids grow in order of arrival."""
        return PaperId(self.indexed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A matching paper, with title and excerpt in pieces, each with whether it is a match."""

    paper: Paper
    title: tuple[tuple[str, bool], ...]
    excerpt: tuple[tuple[str, bool], ...]

    @property
    def name(self) -> str:
        """The name of its page."""
        return page_name(self.paper.identifiers, self.paper.id)

    @property
    def links(self) -> dict[str, str]:
        """Its addresses, by kind."""
        return {**addresses_of(self.paper.identifiers), **self.paper.links}


@dataclass(slots=True)
class _ParsedQuery:
    """The part of a query parsed so far."""

    optional: list[Term] = field(default_factory=list)
    required: list[Term] = field(default_factory=list)
    excluded: list[Term] = field(default_factory=list)
    filters: Filters = Filters()
    operator: str = ""
    is_either: bool = False
    wanted: list[str] = field(default_factory=list)
    """The wanted words in order, with "" for anything else between them."""


def with_prefixes(query: Query) -> Query:
    """The query with optional words as prefixes too: `dense` finds `DenseNet`. Short words stay
    whole: too many others begin with them."""
    may_begin = [
        one for one in query.optional if one.is_plain and len(one.words[0]) >= _SHORTEST_PREFIX
    ]
    widest = may_begin[:MOST_EXPENSIVE]
    optional = (replace(one, starts=True) if one in widest else one for one in query.optional)
    return replace(query, optional=tuple(optional))


def rarity(papers: int, indexed: int) -> float:
    """The inverse document frequency of a term in `papers` of `indexed` papers; never below 0.

    Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, (3.3).
    """
    return log1p(max(indexed - papers, 0) / (papers + 0.5))


def narrowed(weights: Mapping[Term, float]) -> Iterator[tuple[tuple[Term, ...], ...]]:
    """Yield collections of sets of terms, the strictest first; a paper must have all terms of one
    of the sets. The first is all terms, then the smallest sets that weigh more than LEAST_SHARE of
    the rarest terms."""
    if len(weights) < 2:
        return
    yield (tuple(weights),)
    rarest = sorted(weights, key=lambda term: -weights[term])[:MOST_WEIGHED]
    bar = LEAST_SHARE * sum(weights[term] for term in rarest)
    enough: list[tuple[Term, ...]] = []
    for size in range(1, len(rarest) + 1):
        for terms in combinations(rarest, size):
            is_smallest = not any(set(terms).issuperset(one) for one in enough)
            if is_smallest and sum(weights[term] for term in terms) > bar:
                enough.append(terms)
    yield tuple(enough)


def parse_query(text: str, filters: Filters = Filters()) -> Query:
    """The query of `text`, limited by `filters`. Never raises."""
    parsed = _ParsedQuery()
    for piece in _PIECE.finditer(text[:LONGEST_TEXT]):
        _parse_piece(parsed, piece)
    required, excluded = parsed.required, parsed.excluded
    optional = [one for one in parsed.optional if one not in required]
    telling = [one for one in optional if not (one.is_plain and one.words[0] in COMMON)]
    kept = telling or ([] if required else optional)
    dear = count(1)
    affordable = (
        one
        for one in dict.fromkeys((*required, *excluded, *kept))
        if not one.is_expensive or next(dear) <= MOST_EXPENSIVE
    )
    allowed = frozenset(islice(affordable, MOST_TERMS))

    def distinct(terms: Iterable[Term]) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(one for one in terms if one in allowed))

    chosen = distinct(kept)
    return Query(
        optional=chosen,
        required=distinct(required),
        excluded=distinct(excluded),
        times={one: kept.count(one) for one in chosen if kept.count(one) > 1},
        pairs=tuple(dict.fromkeys(pair for pair in pairwise(parsed.wanted) if all(pair))),
        filters=filters.over(parsed.filters),
        is_either=parsed.is_either,
    )


def without_filters(text: str) -> str:
    """`text` without its filters."""
    pieces = _PIECE.finditer(text[:LONGEST_TEXT])
    return " ".join(piece[0] for piece in pieces if _add_filter(Filters(), piece) is None)


def _parse_piece(parsed: _ParsedQuery, piece: re.Match[str]) -> None:
    name, value = (piece["name"] or "").lower(), piece["phrase"] or piece["word"] or ""
    if value in _OPERATORS and not (piece["sign"] or name or piece["phrase"]):
        parsed.wanted.append("")
        parsed.operator = value if value != "OR" else ""
        parsed.is_either = parsed.is_either or value == "OR"
        if value == "AND" and parsed.optional:  # AND requires the terms on both sides
            parsed.required.append(parsed.optional.pop())
        return
    filters = _add_filter(parsed.filters, piece)
    if filters is not None:
        parsed.filters = filters
        parsed.wanted.append("")
        return
    terms = list(_terms(name, value, is_phrase=piece["phrase"] is not None))
    if not terms:
        return
    must_not = piece["sign"] == "-" or parsed.operator == "NOT"
    must = piece["sign"] == "+" or parsed.operator == "AND"
    where = parsed.excluded if must_not else parsed.required if must else parsed.optional
    where += terms
    parsed.wanted += [""] if must_not else [word for term in terms for word in term.words]
    parsed.operator = ""


def _add_filter(filters: Filters, piece: re.Match[str]) -> Filters | None:
    """`filters` with that of a piece; None if the piece is not a filter."""
    name, value = (piece["name"] or "").lower(), piece["phrase"] or piece["word"] or ""
    printable = "".join(letter for letter in value if letter.isprintable())[:_LONGEST_WORD]
    if piece["sign"] is not None:
        return None
    with suppress(ValueError):  # invalid date
        match name:
            case "category" | "cat":
                return replace(filters, category=printable)
            case "feed":
                return replace(filters, feed=printable)
            case "after":
                return replace(filters, after=date.fromisoformat(value))
            case "before":
                return replace(filters, before=date.fromisoformat(value))
    return None


def _terms(name: str, value: str, *, is_phrase: bool) -> Iterator[Term]:
    """The terms of one piece: one for a phrase or prefix, else one per word."""
    place = next((one for one in QueryPlace if one.value == name), None)
    if name and place is None:
        yield from _terms("", name, is_phrase=False)
    found = tuple(word[:_LONGEST_WORD] for word in words(value)[:LONGEST_PHRASE])
    if not found:
        return
    starts = value.endswith("*") and len(found[-1]) >= _SHORTEST_START and not is_phrase
    if is_phrase or starts:
        yield Term(words=found, starts=starts, place=place)
        return
    yield from (Term(words=(one,), place=place) for one in found)


SHORTEST, LONGEST = 4, 30
"""Letters of a word that may be corrected."""


def title_words(titles: Iterable[str]) -> set[str]:
    """The words of titles to use as spelling suggestions."""
    known = {word for title in titles for word in words(title)}
    return {one for one in known - COMMON if is_guessable(one)}


def is_guessable(word: str) -> bool:
    """Whether `word` has letters only and a suitable length."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()
