"""Read the statement that a reader writes about their work, and find papers similar to it.

A statement is a text like a paper's, but short: every word occurs once, and many only introduce the
writer. So rarity matters less, introductory words do not count, and adjacent pairs of words that an
abstract has as well count too.

    likeness = that of words and themes · the share of its words that papers have
               + 0.2 · that of pairs
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from paperround.personal.keyword_index import forms, singular
from paperround.ranking.stop_words import may_join, tokens
from paperround.ranking.text_space import Bag, Dense, Texts, TextSpace, bag_of
from paperround.ranking.topic_names import LONGEST, is_topic, spaced

POWER = 1.0
"""The power of idf in a statement's words and themes. A paper repeats its subject, so its rare
words are significant; a rare word of a statement is often chance."""

PAIRS_SHARE = 0.2

LEAST_LIKENESS = 0.08
"""A paper with less likeness to a statement is not lifted, lowered or explained by it."""

MOST_NAMED = 2
"""The most phrases that a reason names."""

LEAST_MENTIONS = 3
"""The least mentions of a single word that make it a topic of a paper."""

_WORD_OR_MARK = re.compile(r"[^\W_]+|[^\w\s]|_")

_NOUNS = (
    "group|lab|laboratory|team|company|start-?up|institute|department|thesis|dissertation|phd|job"
    "|work|research|field|area|focus|interest|topic|theme|subject|testbed|student|colleague"
)
_WRITER = re.compile(
    rf"\b(?:my|our|whose)(?:\s+(?:own|main|new|current))?(?:\s+(?:{_NOUNS})s?)+\b"
    r"|\b(?:topics|subjects|themes|fields|areas)\s+(?:are|include|of)\b"
    r"|\b(?:topics?|papers?|anything|everything|something|news|articles?)\s+(?:about|on)\b"
    r"|\b(?:working|building|reading|writing)\s+(?:about|in|on|with)\b"
    r"|\b(?:an?|as|am)\s+(?P<kept>(?:\w+\s+){0,2}?)"
    r"(?:scientist|engineer|student|developer|practitioner)s?\b",
    re.IGNORECASE,
)
"""Phrases about the writer, or that introduce a subject: `my group`, `working on`, `papers about`.
`as a speech engineer` leaves `speech`."""

_PROSE = frozenset(
    """
    actually alternatives am anyone anything aren ask asks aspects avoid bored broadly build
    builds built care cares center centre chiefly concerned curious currently daily days
    developing develops doctoral doesn don enjoy enough especially everything exclude explore
    exploring fan fascinated focus focused focuses follow following generally happens hear hello
    help helps hope idea ideas ignore interest interested interesting interests investigate
    investigating isn keen know lately learns like likes ll look looking looks lot love main
    mainly makes making matter matters mean means moment mostly moves nothing nowadays ones ours
    particularly people phd please postdoc predominantly primarily professor read really
    research researcher researchers researching skip something sort spend studying stuff tell
    thanks themselves thing things think thinking thinks tired topics towards trains trying
    understand ve want wanted wants whatever wish wonder worked worker workers write yours
    """.split()
)
"""Words around a subject that are not part of it, besides the stop words of papers."""


@dataclass(frozen=True, slots=True, order=True)
class OwnWords:
    """The key of a statement: what a reader wrote about their work, or about what to leave out."""

    text: str


def statement_bag(text: str) -> Bag:
    """The counts of the words about a subject."""
    return {word: times for word, times in bag_of(_subject(text)).items() if word not in _PROSE}


def _subject(text: str) -> str:
    """The text without what it says about the writer."""
    return _WRITER.sub(lambda found: f" . {found['kept'] or ''}. ", text)


class PairIndex:
    """The pairs of adjacent words in the papers of a field, each word in the singular. Sorted by
    pair, they take 12 bytes each."""

    def __init__(self, texts: Sequence[str]) -> None:
        number: defaultdict[str, int] = defaultdict(count().__next__)
        codes, places = list[int](), list[int]()
        for place, text in enumerate(texts):
            here = {_code(number[one], number[two]) for one, two in _pairs(text)}
            codes += here
            places += [place] * len(here)
        self._number = dict(number)
        self._papers = len(texts)
        pairs = np.array(codes, dtype=np.int64)
        order = np.argsort(pairs, kind="stable")
        self._pairs = pairs[order]
        self._places = np.array(places, dtype=np.int32)[order]

    def likeness(self, statement: str) -> Dense:
        """The likeness of each paper to a statement by pairs: the sum of the weights of the pairs
        it has, divided by the norm of the weights of all pairs."""
        row, whole = np.zeros(self._papers, dtype=np.float64), 0.0
        for pair in dict.fromkeys(_pairs(_subject(statement))):
            held = self._places_of(pair)
            weight = math.log((1 + self._papers) / (1 + len(held)))
            row[held] += weight
            whole += weight**2
        return np.asarray(row / (math.sqrt(whole) or 1), dtype=np.float32)

    def _places_of(self, pair: tuple[str, str]) -> NDArray[np.int32]:
        one, two = map(self._number.get, pair)
        if one is None or two is None:
            return self._places[:0]
        code = _code(one, two)
        start, end = self._pairs.searchsorted([code, code + 1])
        return self._places[start:end]


def _code(one: int, two: int) -> int:
    return one << 32 | two


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for one, two in pairwise(_WORD_OR_MARK.findall(text.lower().replace("-", " "))):
        if _says(one) and _says(two):
            yield singular(one), singular(two)


@lru_cache(maxsize=50_000)
def _says(word: str) -> bool:
    return word[0].isalnum() and may_join(word) and word not in _PROSE


def likeness_of(
    statements: Sequence[str], space: TextSpace, field: Texts, pairs: PairIndex
) -> Dense:
    """The likeness of each statement to the papers of a field, shape (statements, papers)."""
    by_words = likeness_by_words([statement_bag(one) for one in statements], space, field)
    by_pairs = np.vstack([pairs.likeness(one) for one in statements])
    return np.asarray(by_words + np.float32(PAIRS_SHARE) * by_pairs, dtype=np.float32)


def likeness_by_words(bags: Sequence[Bag], space: TextSpace, field: Texts) -> Dense:
    """The same by words and themes alone, without pairs."""
    known = np.array([_known_share(bag, space) for bag in bags], dtype=np.float32)
    return space.texts(bags, power=POWER).likeness(field) * known[:, None]


def _known_share(bag: Bag, space: TextSpace) -> float:
    """The length of a statement without words that no paper has, divided by its whole length. So a
    statement about another subject is near no paper, even if one of its words is known."""
    rarity = [space.rarity(word) for word in bag]
    known = [one for one, word in zip(rarity, bag, strict=True) if word in space.place_of]
    return math.sqrt(sum(one**2 for one in known) / (sum(one**2 for one in rarity) or 1))


def shared_phrases(statement: str, paper: str, weight: Callable[[str], float]) -> list[str]:
    """The phrases of a statement that a paper, as `spaced` text, has in the singular or plural: the
    heaviest first, none with a word of another."""
    found = {
        run: sum(map(weight, run))
        for run, text in _phrases(statement)
        if text in paper and (len(run) > 1 or paper.count(text) >= LEAST_MENTIONS)
    }
    best: list[str] = []
    taken: set[str] = set()
    for run in sorted(found, key=lambda one: (-found[one], one)):
        words = {form for word in run for form in forms(word)}
        if not words & taken:
            best.append(" ".join(run))
            taken |= words
    return best[:MOST_NAMED]


@lru_cache(maxsize=512)
def _phrases(statement: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The phrases of a statement that name a topic, with the last word in the singular and the
    plural, and each as `spaced` text. Cached, because a digest has a dozen papers to explain."""
    words = tokens(_subject(statement))
    runs = (
        (*words[start : end - 1], last)
        for start in range(len(words))
        for end in range(start + 1, min(start + LONGEST, len(words)) + 1)
        if all(map(_says, words[start:end]))
        for last in forms(words[end - 1])
    )
    return tuple((run, spaced(" ".join(run))) for run in dict.fromkeys(runs) if is_topic(run))
