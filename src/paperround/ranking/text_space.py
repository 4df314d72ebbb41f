"""Represent texts as bags of words and as vectors of words and themes, and compare them.

    words    w = (1 + ln count) idf^1.75, unit length
    themes   the first 50 and the first 600 principal directions of (1 + ln count) idf^2.5, unit
             length, each coordinate divided by the root of its singular value; unit length again
    likeness 0.6 words + 0.1 themes of 50 + 0.3 themes of 600, each a cosine
    idf      ln((1 + papers) / (1 + papers with the word))

Sublinear counts and idf are Salton and Buckley's (Term-Weighting Approaches, 1988), the themes
latent semantic analysis (Deerwester and others, 1990), found by subspace iteration from a fixed
start (Halko, Martinsson and Tropp, 2011). Dividing by the root of the singular value is half the
whitening of a ridge regression with one inverse for all readers. The powers, sizes and shares were
chosen on public reader libraries: see `docs/personal.md`.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from paperround.ranking.stop_words import may_join

# With several threads a matrix product sums in another order, so the last digit of a score would
# depend on the machine; and on busy cores the threads spin and take several times as long.
threadpool_limits(limits=1, user_api="blas")

Bag = Mapping[str, int]
"""The counts of a text's words."""

_WHOLE = re.compile(r"\w+")
_COMPOUND = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def bag_of(*texts: str) -> Bag:
    """Counts of the lower-case words in `texts`, without stop words.

    The parts of a compound such as `zero-shot` count too.
    """
    found = Counter(piece for text in texts for piece in _COMPOUND.findall(text.lower()))
    bag: dict[str, int] = {}
    for piece, times in found.items():
        for word in _words_of(piece):
            bag[word] = bag.get(word, 0) + times
    return bag


@lru_cache(maxsize=50_000)
def _words_of(piece: str) -> tuple[str, ...]:
    parts = piece.split("-")
    return tuple(filter(may_join, parts if len(parts) == 1 else (piece, *parts)))


def whole_words(text: str) -> frozenset[str]:
    """The lower-case words of `text` without compounds: `zero` and `shot` for `zero-shot`."""
    return frozenset(_WHOLE.findall(text.lower()))


def can_quote(word: str, whole: Set[str]) -> bool:
    """Whether a word of a bag can be quoted from the text with these whole words."""
    return word in whole or ("-" in word and all(part in whole for part in word.split("-")))


Dense = NDArray[np.float32]

WORDS_POWER, THEMES_POWER = 1.75, 2.5
BROAD, FINE = 50, 600
WORDS_SHARE, BROAD_SHARE, FINE_SHARE = 0.6, 0.1, 0.3

PAPERS_A_THEME = 8
"""The least number of papers per theme: with fewer a theme would be the noise of one paper."""

_ROUNDS, _SPARE = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts in a space. `words` has shape (texts, words), `themes` (texts, themes); their lengths
    include the shares of the likeness, so a likeness is a sum of two products."""

    words: sparse.csr_array
    themes: Dense

    def __len__(self) -> int:
        return int(self.words.shape[0])

    def at(self, places: Sequence[int] | NDArray[np.intp] | slice) -> "Texts":
        """The texts at these positions, in this order."""
        return Texts(words=self.words[places], themes=self.themes[places])

    def likeness(self, others: "Texts") -> Dense:
        """The similarity of each text to each of `others`, shape (texts, others): 1 for the same
        text, about 0 for unrelated ones.

        Computed in double precision: the last digit of a matrix product depends on its number of
        rows, and a reader's scores must not depend on other readers.
        """
        by_words = (self.words @ others.words.T).toarray()
        by_themes = self.themes.astype(np.float64) @ others.themes.T.astype(np.float64)
        return np.asarray(by_words + by_themes, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSpace:
    """The vocabulary of a set of papers, with idf and themes.

    `idf` has one number per word; `themes` maps weighted words to coordinates, shape (words, fine).
    """

    place_of: Mapping[str, int]
    idf: NDArray[np.float64]
    highest_idf: float
    themes: Dense

    def rarity(self, word: str) -> float:
        """The idf of a word; that of an unknown one is the highest."""
        place = self.place_of.get(word)
        return self.highest_idf if place is None else float(self.idf[place])

    def texts(self, bags: Sequence[Bag], power: float | None = None) -> Texts:
        """The texts of `bags` in this space; unknown words are left out. `power` is the power of
        idf, by default that of papers."""
        known = [[word for word in bag if word in self.place_of] for bag in bags]
        places = np.array(
            [self.place_of[word] for words in known for word in words], dtype=np.int32
        )
        counts = [bag[word] for words, bag in zip(known, bags, strict=True) for word in words]
        ends = np.cumsum([0, *map(len, known)])
        parts = (np.array(counts, dtype=np.float32), places, ends)
        return self.placed(sparse.csr_array(parts, shape=(len(bags), len(self.place_of))), power)

    def placed(self, counts: sparse.csr_array, power: float | None = None) -> Texts:
        """The texts with these word counts, shape (texts, words)."""
        of_words, of_themes = (WORDS_POWER, THEMES_POWER) if power is None else (power, power)
        words = _unit_rows(_weighted(counts, self.idf, of_words))
        fine = (_unit_rows(_weighted(counts, self.idf, of_themes)) @ self.themes).astype("f4")
        themes = []
        for rows, share in ((fine[:, :BROAD], BROAD_SHARE), (fine, FINE_SHARE)):
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
            scaled = rows * (share**0.5 / np.where(lengths > 0, lengths, 1))
            themes.append(np.asarray(scaled, dtype=np.float32))
        return Texts(
            words=sparse.csr_array(words * np.float32(WORDS_SHARE**0.5)), themes=np.hstack(themes)
        )


def text_space(bags: Sequence[Bag]) -> TextSpace:
    """The space of these texts. The same bags in the same order give the same space."""
    return space_and_texts(bags, 0)[0]


def space_and_texts(bags: Sequence[Bag], first: int) -> tuple[TextSpace, Texts]:
    """The space of these texts, and the `first` texts in it."""
    place_of, counts = word_counts(bags)
    holders = np.bincount(counts.indices, minlength=len(place_of))
    idf = np.log((1 + len(bags)) / (1 + holders))
    weighted = _unit_rows(_weighted(counts, idf, THEMES_POWER))
    space = TextSpace(
        place_of=place_of,
        idf=idf,
        highest_idf=math.log(1 + len(bags)),
        themes=_themes(weighted),
    )
    return space, space.placed(counts[:first])


def word_counts(bags: Sequence[Bag]) -> tuple[dict[str, int], sparse.csr_array]:
    """The column of each word, and the counts, shape (texts, words)."""
    place_of: defaultdict[str, int] = defaultdict(count().__next__)
    sizes = [len(bag) for bag in bags]
    places = np.fromiter(map(place_of.__getitem__, chain.from_iterable(bags)), np.int32, sum(sizes))
    times = chain.from_iterable(bag.values() for bag in bags)
    ends = np.cumsum([0, *sizes], dtype=np.int32)  # scikit-learn needs 32-bit indices
    parts = (np.fromiter(times, np.float32, sum(sizes)), places, ends)
    return dict(place_of), sparse.csr_array(parts, shape=(len(bags), len(place_of)))


def _weighted(counts: sparse.csr_array, idf: NDArray[np.float64], power: float) -> sparse.csr_array:
    weights = (1 + np.log(counts.data)) * (idf**power).astype(np.float32)[counts.indices]
    return sparse.csr_array((weights, counts.indices, counts.indptr), shape=counts.shape)


def _unit_rows(rows: sparse.csr_array) -> sparse.csr_array:
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    lengths[lengths == 0] = 1
    parts = (rows.data / np.repeat(lengths, np.diff(rows.indptr)), rows.indices, rows.indptr)
    return sparse.csr_array(parts, shape=rows.shape, dtype=np.float32)


def _themes(rows: sparse.csr_array) -> Dense:
    """The principal directions of `rows`, divided by the roots of their singular values."""
    size = min(FINE, min(rows.shape) // PAPERS_A_THEME)
    start = np.random.default_rng(0).standard_normal((rows.shape[1], size + _SPARE))
    basis = start.astype(np.float32)
    for _ in range(_ROUNDS if size else 0):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    _, strengths, turns = np.linalg.svd(rows @ basis, full_matrices=False)
    kept = strengths[:size] > 0
    directions = (basis @ turns[:size].T)[:, kept]
    return np.asarray(directions / np.sqrt(strengths[:size][kept]), dtype=np.float32)
