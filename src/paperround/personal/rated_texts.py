"""Keep the texts that readers rated or wrote, and their likeness to the papers of an edition."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.papers.model import PaperId
from paperround.personal.own_words import OwnWords, PairIndex, likeness_of
from paperround.personal.scores import BLOCK, Blocks
from paperround.ranking.text_space import Dense, Texts, TextSpace, bag_of
from paperround.ranking.topic_names import spaced

Places = NDArray[np.intp]

Text = tuple[str, ...]
"""A paper's title, abstract and keywords, a topic, or a statement."""


@dataclass(frozen=True, slots=True, order=True)
class TitleOf:
    """A paper known only by its title."""

    title: str


TextKey = int | str | TitleOf | OwnWords
"""The key of a text: the id of a paper, its title, the statement, or the topic itself."""

_FIRST_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWeights:
    """Words by their positions in the space, ascending, and their weights in a text."""

    words: NDArray[np.int32]
    weights: Dense


class RatedTexts:
    """Texts that readers rated, and their likeness to every paper of a field.

    block of the field   ┌ row per text ┐ ┌ ... ┐
                         │              │ │     │   rows are only appended
                         └──────────────┘ └─────┘

    Readers have texts in common and come in pages, so each text is tokenized once. The blocks of
    likeness fit the cache of a processor.
    """

    def __init__(self, space: TextSpace, field: Texts) -> None:
        self._space, self._field = space, field
        self._parts = max(1, math.ceil(len(field) / BLOCK))
        self._width = math.ceil(len(field) / self._parts)
        self._cube = np.zeros((self._parts, _FIRST_ROWS, self._width), dtype=np.float32)
        self._place_of: dict[TextKey, int] = {}
        self._names: list[TextKey] = []
        self._titles: list[str] = []
        self._spaced: list[str] = []
        self.reasons: dict[tuple[int, int, str], str] = {}
        """A cache for the caller: reasons by text, paper of the field, and how the reader knows
        the text."""
        self._rows: dict[int, tuple[sparse.csr_array, int]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: TextKey) -> bool:
        return name in self._place_of

    def is_paper(self, place: int, paper: PaperId) -> bool:
        """Whether the text at `place` is that of this paper."""
        return self._names[place] == paper

    def is_topic(self, place: int) -> bool:
        """Whether the text at `place` is a topic."""
        return isinstance(self._names[place], str)

    def is_statement(self, place: int) -> bool:
        """Whether the text at `place` is a statement."""
        return isinstance(self._names[place], OwnWords)

    def title(self, place: int) -> str:
        """The title of the paper at `place`, or the whole statement."""
        return self._titles[place]

    def spaced(self, place: int) -> str:
        """Title and abstract of the text at `place`, to look for phrases in."""
        return self._spaced[place]

    def places(self, names: Iterable[TextKey]) -> dict[TextKey, int]:
        """The places of the known texts."""
        place_of = self._place_of
        return {name: place_of[name] for name in names if name in place_of}

    def add(self, texts: Mapping[TextKey, Text]) -> None:
        """Add new texts."""
        if not texts:
            return
        added = self._space.texts([bag_of(*text) for text in texts.values()])
        added.words.sort_indices()
        start = len(self)
        self._append(texts, added.likeness(self._field))
        self._rows.update((start + row, (added.words, row)) for row in range(len(texts)))

    def add_statements(self, statements: Sequence[OwnWords], pairs: PairIndex) -> None:
        """Add new statements; `pairs` are those of the field."""
        if statements:
            texts = [one.text for one in statements]
            likeness = likeness_of(texts, self._space, self._field, pairs)
            self._append({one: (one.text,) for one in statements}, likeness)

    def _append(self, texts: Mapping[TextKey, Text], likeness: Dense) -> None:
        start, end = len(self._names), len(self._names) + len(texts)
        if end > self._cube.shape[1]:
            # Grow into a copy: others may still read the smaller array.
            parts, held, width = self._cube.shape
            larger = np.zeros((parts, max(end, held + held // 2), width), dtype=np.float32)
            larger[:, :held] = self._cube
            self._cube = larger
        for part in range(self._parts):
            block = likeness[:, part * self._width : (part + 1) * self._width]
            self._cube[part, start:end, : block.shape[1]] = block
        self._names += texts
        self._titles += [text[0] for text in texts.values()]
        self._spaced += [spaced(*text[:2]) for text in texts.values()]
        self._place_of.update(zip(texts, range(start, end), strict=True))

    def likeness(self, text: int, paper: int) -> float:
        """The likeness of the text to a paper of the field."""
        part, column = divmod(paper, self._width)
        return float(self._cube[part, text, column])

    def blocks(self) -> Blocks:
        """The likeness of the texts to the field, in blocks. The last may end with zero columns."""
        return tuple(self._cube[:, : len(self._names)])

    def nearest(self, texts: Sequence[Sequence[int]], papers: Places) -> Places:
        """The text most like each paper, among the reader's `texts`; the first of equals, -1 for a
        reader without texts. `papers` has a row of places in the field per reader."""
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

    def shared(self, text: int, quotable: WordWeights) -> dict[int, float]:
        """Those words of `quotable` (a paper's) that the text has too, as places in the space, with
        what each adds to the likeness."""
        words, row = self._rows[text]
        held = slice(words.indptr[row], words.indptr[row + 1])
        ours = words.indices[held]
        if not len(ours):
            return {}
        at = ours.searchsorted(quotable.words)
        both = np.flatnonzero(ours.take(at, mode="clip") == quotable.words)
        weights = words.data[held][at[both]] * quotable.weights[both]
        return dict(zip(quotable.words[both].tolist(), weights.tolist(), strict=True))


def quotable_of(words: sparse.csr_array, row: int, may_quote: Callable[[int], bool]) -> WordWeights:
    """The words of a row that may be quoted."""
    held = slice(words.indptr[row], words.indptr[row + 1])
    theirs = words.indices[held]
    order = theirs.argsort()
    kept = order[[may_quote(word) for word in theirs[order].tolist()]]
    return WordWeights(words=theirs[kept], weights=words.data[held][kept])
