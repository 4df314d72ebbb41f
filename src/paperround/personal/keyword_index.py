"""Index the papers of an edition, to match the interests of every reader.

A set of papers is an integer with bit n for the nth paper, so AND, OR and NOT are one operation
each. Words are looked up; only phrases, words with punctuation and scripts without spaces need a
text search, in the papers that have their words.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import takewhile
from operator import and_, or_
from typing import Any, TypeVar

from paperround.editions.model import EditionPaper
from paperround.papers.identifiers import author_key
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import QueryPlace
from paperround.papers.topics import folded, is_spaced, unfolded, whole_words
from paperround.subscribers.keywords import AllOf, AnyWords, Either, InCategory, Node, Without

Papers = int
"""A set of papers: bit n is set if the nth paper is in it."""

Value = TypeVar("Value")

_WORD = re.compile(r"\w+")
_MOST_CACHED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedPaper:
    """The searchable fields of a paper."""

    paper_id: PaperId
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def texts(self, place: QueryPlace) -> tuple[str, ...]:
        """The texts of one field; no phrase spans two of them."""
        match place:
            case QueryPlace.TITLE:
                return (self.title,)
            case QueryPlace.ABSTRACT:
                return (self.abstract,)
        return self.authors


def findable(frozen: EditionPaper, paper: Paper | None) -> IndexedPaper:
    """The searchable fields of an edition's paper, with those of the current paper if known."""
    return IndexedPaper(
        paper_id=frozen.paper_id,
        title=frozen.title,
        abstract=paper.abstract if paper is not None and paper.abstract else frozen.gist,
        authors=frozen.authors,
        categories=() if paper is None else paper.categories,
    )


@lru_cache(maxsize=4)
def keyword_index_of(papers: tuple[IndexedPaper, ...]) -> "KeywordIndex":
    """The index of these papers. Caches the last few: an edition's readers come in pages."""
    return KeywordIndex(papers)


def bits(papers: Papers) -> Iterator[int]:
    """The positions of the papers in a set, in order."""
    while papers:
        low = papers & -papers
        yield low.bit_length() - 1
        papers ^= low


class KeywordIndex:
    """Finds matching papers. Thread-safe."""

    def __init__(self, papers: Sequence[IndexedPaper]) -> None:
        self.papers = papers
        self.everything: Papers = (1 << len(papers)) - 1
        self._parts = {
            place: _FieldIndex([one.texts(place) for one in papers]) for place in QueryPlace
        }
        self._authors = _papers_by_word([map(author_key, one.authors) for one in papers])
        self._categories = _papers_by_word([with_parents(one.categories) for one in papers])
        self._cache: dict[Hashable, Any] = {}

    def cached(self, question: Hashable, answer: Callable[[], Value]) -> Value:
        """The cached value of `answer()` for a question that many readers have in common."""
        found: Value | None = self._cache.get(question)
        if found is None:
            found = answer()
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[question] = found
        return found

    def by_author(self, author: str) -> Papers:
        """The papers of an author, by full name."""
        return self._authors.get(author_key(author), 0)

    def in_category(self, name: str) -> Papers:
        """The papers of a category or a subcategory: `cs` includes `cs.LG`."""
        return self._categories.get(name.casefold(), 0)

    def fitting(self, node: Node) -> Papers:
        """The papers that match the query."""
        match node:
            case AnyWords():
                places = (node.place,) if node.place else QueryPlace
                return any_of(self._parts[place].papers_with(node) for place in places)
            case InCategory():
                return self.in_category(node.name)
            case Without():
                return self.everything & ~self.fitting(node.part)
            case Either():
                return any_of(map(self.fitting, node.parts))
            case AllOf():
                return reduce(and_, map(self.fitting, node.parts), self.everything)

    def quotes(self, node: Node, place: int) -> Iterator[str]:
        """The matches of a query in the paper at `place`, as written there."""
        match node:
            case AnyWords():
                yield from self._quoted(node, place)
            case AllOf() | Either():
                for part in node.parts:
                    if self.fitting(part) >> place & 1:
                        yield from self.quotes(part, place)

    def _quoted(self, words: AnyWords, place: int) -> Iterator[str]:
        pattern = _pattern(words)
        for part in (words.place,) if words.place else QueryPlace:
            if not pattern.search(self._parts[part].texts[place]):
                continue
            for text in map(unfolded, self.papers[place].texts(part)):
                found = pattern.search(text.text)
                if found is not None:
                    yield text.as_written(*found.span())
                    return


class _FieldIndex:
    """One field of every paper: its folded text, and the papers of each word."""

    def __init__(self, texts: Sequence[tuple[str, ...]]) -> None:
        self.texts = ["\n".join(map(folded, each)) for each in texts]
        self._papers_of = _papers_by_word([set(_WORD.findall(text)) for text in self.texts])
        self._words = sorted(self._papers_of)
        self._everything = (1 << len(texts)) - 1

    def papers_with(self, words: AnyWords) -> Papers:
        tokens = _WORD.findall(words.text)
        if not tokens or not is_spaced(words.text):
            return self._search_text(self._everything, words)
        last = tokens[-1]
        if words.starts:
            at = bisect_left(self._words, last)
            endings = list(takewhile(lambda one: one.startswith(last), self._words[at:]))
        else:
            endings = [*(forms(last) if words.bends else (last,))]
        candidates = any_of(self._papers_of.get(one, 0) for one in endings)
        for token in tokens[:-1]:
            candidates &= self._papers_of.get(token, 0)
        return candidates if words.text == tokens[0] else self._search_text(candidates, words)

    def _search_text(self, candidates: Papers, words: AnyWords) -> Papers:
        pattern, texts = _pattern(words), self.texts
        # Every match contains this text, and a substring test takes a tenth of the time. Of the
        # last word, it has the shortest form without the letter that may change in another form.
        start, endings = _split_endings(words)
        required = start + min(endings, key=len, default="")[:-1]
        return any_of(
            1 << place
            for place in bits(candidates)
            if required in texts[place] and pattern.search(texts[place])
        )


def _pattern(words: AnyWords) -> re.Pattern[str]:
    if words.starts:
        return whole_words(words.text, starts=True)
    start, endings = _split_endings(words)
    return whole_words(start, endings=endings)


def _split_endings(words: AnyWords) -> tuple[str, tuple[str, ...]]:
    """The words before the last one and its forms; all words and () if it has only one form."""
    last = _WORD.findall(words.text)[-1:]
    endings = forms(last[0]) if last and words.bends and words.text.endswith(last[0]) else ()
    return (words.text.removesuffix(last[0]), endings) if len(endings) > 1 else (words.text, ())


def with_parents(categories: Sequence[str]) -> Iterator[str]:
    """The categories and their parents."""
    for category in categories:
        steps = category.casefold().split(".")
        yield from (".".join(steps[:end]) for end in range(1, len(steps) + 1))


def _papers_by_word(each: Sequence[Iterator[str] | set[str]]) -> Mapping[str, Papers]:
    papers: dict[str, Papers] = {}
    for place, words in enumerate(each):
        for word in words:
            papers[word] = papers.get(word, 0) | 1 << place
    return papers


def any_of(sets: Iterable[Papers]) -> Papers:
    """The union of the sets."""
    return reduce(or_, sets, 0)


_SHORTEST = 3
_NO_PLURAL = ("ss", "us", "is", "as", "ics")
_NOT_PLURALS = frozenset("news aids sars mars lens goods".split())
"""Words that look like a plural but are not."""
_SIBILANTS = ("s", "x", "z", "ch", "sh")


@lru_cache(maxsize=16384)
def forms(word: str) -> tuple[str, ...]:
    """A folded English word with its singular and plural; other words have one form."""
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return (word,)
    one = singular(word)
    return tuple(dict.fromkeys((word, one, _plural(one))))


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """The singular of a folded English word, by its ending."""
    if word.endswith(_NO_PLURAL) or word in _NOT_PLURALS or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > _SHORTEST else word


def _plural(word: str) -> str:
    if word.endswith("ics"):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(_SIBILANTS) else f"{word}s"
