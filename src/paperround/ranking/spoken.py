"""The texts that readers spoke of, and how alike each is to every paper of a field.

    block of the field   ┌ a row a text ┐ ┌ ... ┐
                         │              │ │     │   rows are added and never changed
                         └──────────────┘ └─────┘

What one reader liked others did too, and a day's readers come in many pages: a text is cut into
words once. The likeness lies in blocks of papers that fit the cache of a processor.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.ranking.bags import bag_of
from paperround.ranking.personal import BLOCK, Blocks
from paperround.ranking.text_space import Dense, Texts, TextSpace

Places = NDArray[np.intp]

Text = tuple[str, ...]
"""A paper's title, abstract and keywords, or a topic."""


@dataclass(frozen=True, slots=True, order=True)
class TitleOf:
    """A paper that nothing but its title is known of."""

    title: str


Name = int | str | TitleOf
"""What a text is known by: the id of a paper, its title, or the topic itself."""

_FIRST_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Words by their places in the space, rising, and what each weighs in a text."""

    words: NDArray[np.int32]
    weights: Dense


class SpokenTexts:
    """Texts in the order in which they were first asked for, and their likeness to a field."""

    def __init__(self, space: TextSpace, field: Texts) -> None:
        self._space, self._field = space, field
        self._parts = max(1, math.ceil(len(field) / BLOCK))
        self._width = math.ceil(len(field) / self._parts)
        self._cube = np.zeros((self._parts, _FIRST_ROWS, self._width), dtype=np.float32)
        self._place_of: dict[Name, int] = {}
        self._names: list[Name] = []
        self._titles: list[str] = []
        self.reasons: dict[tuple[int, int, bool], str] = {}
        """What was said of a text here and a paper of the field, and whether the reader gave the
        text; whoever asks keeps it."""
        self._rows: list[tuple[sparse.csr_array, int]] = []

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: Name) -> bool:
        return name in self._place_of

    def is_topic(self, place: int) -> bool:
        """Whether the text at `place` is a topic."""
        return isinstance(self._names[place], str)

    def title(self, place: int) -> str:
        """The title of the paper at `place`."""
        return self._titles[place]

    def places(self, names: Iterable[Name]) -> dict[Name, int]:
        """The places of those texts that are there."""
        place_of = self._place_of
        return {name: place_of[name] for name in names if name in place_of}

    def add(self, texts: Mapping[Name, Text]) -> None:
        """Add texts that are not there yet."""
        if not texts:
            return
        added = self._space.texts([bag_of(*text) for text in texts.values()])
        added.words.sort_indices()
        start, end = len(self._names), len(self._names) + len(texts)
        if end > self._cube.shape[1]:
            # Room for more. Who holds the smaller cube goes on reading it.
            parts, held, width = self._cube.shape
            larger = np.zeros((parts, max(end, held + held // 2), width), dtype=np.float32)
            larger[:, :held] = self._cube
            self._cube = larger
        likeness = added.likeness(self._field)
        for part in range(self._parts):
            block = likeness[:, part * self._width : (part + 1) * self._width]
            self._cube[part, start:end, : block.shape[1]] = block
        self._names += texts
        self._titles += [text[0] for text in texts.values()]
        self._rows += [(added.words, row) for row in range(len(texts))]
        self._place_of.update(zip(texts, range(start, end), strict=True))

    def blocks(self) -> Blocks:
        """The likeness of the texts to the field, block by block. The last may end in columns of
        zeros."""
        return tuple(self._cube[:, : len(self._names)])

    def nearest(self, texts: Sequence[Sequence[int]], papers: Places) -> Places:
        """For each reader, a row of `papers` each, and each of these, places in the field: the one
        of the reader's `texts` that it is most like, the first of equals; -1 for who has none."""
        order = sorted(range(len(texts)), key=lambda reader: -len(texts[reader]))
        sizes = [len(texts[reader]) for reader in order]
        parts, columns = np.divmod(papers[order], self._width)
        alike = np.full(papers.shape, -np.inf, dtype=np.float32)
        found = np.full(papers.shape, -1, dtype=np.intp)
        readers = len(order)
        for turn in range(max(sizes, default=0)):
            while sizes[readers - 1] <= turn:
                readers -= 1
            text = np.array([texts[reader][turn] for reader in order[:readers]], dtype=np.intp)
            these = self._cube[parts[:readers], text[:, None], columns[:readers]]
            nearer = these > alike[:readers]
            np.copyto(alike[:readers], these, where=nearer)
            np.copyto(found[:readers], text[:, None], where=nearer)
        nearest = np.empty_like(found)
        nearest[order] = found
        return nearest

    def shared(self, text: int, quotable: Weights, count: int) -> list[int]:
        """The `count` words of `quotable`, as places in the space, that add most to the likeness of
        a text to the paper they are of; fewer if they have fewer in common."""
        words, row = self._rows[text]
        held = slice(words.indptr[row], words.indptr[row + 1])
        ours = words.indices[held]
        if not len(ours):
            return []
        at = ours.searchsorted(quotable.words)
        both = np.flatnonzero(ours.take(at, mode="clip") == quotable.words)
        weights = words.data[held][at[both]] * quotable.weights[both]
        found: list[int] = quotable.words[
            both[np.argsort(-weights, kind="stable")[:count]]
        ].tolist()
        return found


def quotable_of(words: sparse.csr_array, row: int, may_quote: Callable[[int], bool]) -> Weights:
    """Those words of the text in that row that may be quoted."""
    held = slice(words.indptr[row], words.indptr[row + 1])
    theirs = words.indices[held]
    order = theirs.argsort()
    kept = order[[may_quote(word) for word in theirs[order].tolist()]]
    return Weights(words=theirs[kept], weights=words.data[held][kept])
