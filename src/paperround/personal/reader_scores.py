"""Score the papers of an edition for each reader, from their feedback on other papers.

    papers of the edition and earlier ones ─► space ─► likeness to the texts readers rated
                                                         │ profiles
                                                         ▼
                                                fits ─► odds ─► worth ─► picks ─► reasons

The space is built from the edition's papers (with its tail) and all given earlier ones. The field
is the edition's papers and the latest of the earlier ones.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.core.reasons import freeze
from paperround.papers.gist import shortened
from paperround.papers.model import Paper
from paperround.personal.scores import BLOCK, Blocks, Said, fits, log_odds, profiles
from paperround.personal.selection import (
    ALIKE_COSTS,
    ScoredPapers,
    in_batches,
    pick_papers,
    with_empty_paper,
)
from paperround.personal.views import Load, PersonalView, Pick, Taste
from paperround.ranking.text_space import (
    Dense,
    Texts,
    TextSpace,
    as_written,
    bag_of,
    can_quote,
    space_and_texts,
    whole_words,
)

Places = NDArray[np.intp]

Text = tuple[str, ...]
"""A paper's title, abstract and keywords, or a topic."""


@dataclass(frozen=True, slots=True, order=True)
class TitleOf:
    """A paper known only by its title."""

    title: str


Name = int | str | TitleOf
"""The key of a text: the id of a paper, its title, or the topic itself."""

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
        self._place_of: dict[Name, int] = {}
        self._names: list[Name] = []
        self._titles: list[str] = []
        self.reasons: dict[tuple[int, int, bool], str] = {}
        """A cache for the caller: reasons by text, paper of the field, and whether the reader gave
        the text."""
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
        """The places of the known texts."""
        place_of = self._place_of
        return {name: place_of[name] for name in names if name in place_of}

    def add(self, texts: Mapping[Name, Text]) -> None:
        """Add new texts."""
        if not texts:
            return
        added = self._space.texts([bag_of(*text) for text in texts.values()])
        added.words.sort_indices()
        start, end = len(self._names), len(self._names) + len(texts)
        if end > self._cube.shape[1]:
            # Grow into a copy: others may still read the smaller array.
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

    def shared(self, text: int, quotable: WordWeights, count: int) -> list[int]:
        """The `count` words of `quotable` (a paper's) that add most to its likeness to a text, as
        places in the space; fewer if they have fewer in common."""
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


def quotable_of(words: sparse.csr_array, row: int, may_quote: Callable[[int], bool]) -> WordWeights:
    """The words of a row that may be quoted."""
    held = slice(words.indptr[row], words.indptr[row + 1])
    theirs = words.indices[held]
    order = theirs.argsort()
    kept = order[[may_quote(word) for word in theirs[order].tolist()]]
    return WordWeights(words=theirs[kept], weights=words.data[held][kept])


FIELD = 240
"""Earlier papers in the field, besides the edition's own."""

MOST_TEXTS = 50_000
"""Rated texts in memory: 5 kB each with a thousand papers."""

MOST_REASONS = 100_000
"""Cached reasons: readers who liked the same paper have them in common."""

MOST_WORDS = 2
"""Words quoted in a reason."""

LONGEST_TITLE = 60
"""Characters of a given paper's title in a reason."""


class TasteDay:
    """The papers of one edition, prepared for all profiles.

    Call `chooser` from one thread at a time; threads may share its results.
    """

    def __init__(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int | None = None,
    ) -> None:
        self.ids = [paper.id for paper in papers]
        day = [bag_of(*_text(paper)) for paper in papers]
        before = [bag_of(text) for text in background]
        field = min(len(day) + FIELD, len(day) + len(before))
        self._space, self._field = space_and_texts([*day, *before], field)
        self._words = tuple(self._space.place_of)
        self.field = len(self._field)
        own = self._field.at(slice(len(day)))
        costs = (ALIKE_COSTS * own.likeness(own)).astype(float).round(4)
        self.scored = ScoredPapers(
            scores=np.array(scores, dtype=float),
            costs=with_empty_paper(costs),
            shown=len(papers) if shown is None else shown,
        )
        self._own = own.words
        self._quotable: dict[int, WordWeights] = {}
        self._rated = RatedTexts(self._space, self._field)
        self._written = [f"{paper.title}\n{paper.abstract}" for paper in papers]
        self._quoted: dict[tuple[int, int], str] = {}

    def chooser(self, tastes: Sequence[Taste], load: Load) -> "TasteChooser":
        """A chooser for readers with these profiles. Loads new papers with `load` and ignores
        papers it does not return."""
        # With too many texts start over; existing choosers keep the old ones.
        papers = {id_ for one in tastes for id_ in one.papers}
        titles = {TitleOf(title) for one in tastes for title in one.titles}
        topics = {topic for one in tastes for topic in one.topics}
        if len(self._rated) > MOST_TEXTS:
            self._rated = RatedTexts(self._space, self._field)
        rated = self._rated
        new = sorted(id_ for id_ in papers if id_ not in rated)
        texts: dict[Name, Text] = {id_: _text(one) for id_, one in load(new).items()}
        texts |= {title: (title.title,) for title in sorted(titles) if title not in rated}
        rated.add(texts | {topic: (topic,) for topic in sorted(topics) if topic not in rated})
        return TasteChooser(self, rated, rated.places([*papers, *titles, *topics]))

    def reasons(
        self,
        rated: RatedTexts,
        texts: Sequence[int],
        places: Sequence[int],
        worth: Sequence[float],
        given: Collection[int],
    ) -> list[str]:
        """The reason of each paper for a reader, from its `worth` and the most similar of their
        texts; empty if it is worth no more than to others. `given` are texts the reader gave."""
        reasons = []
        for text, place, gain in zip(texts, places, worth, strict=False):
            why: str | None = ""
            if gain > 0 and text >= 0:
                why = rated.reasons.get((text, place, text in given))
            reasons.append(self._reason(rated, text, place, text in given) if why is None else why)
        return reasons

    def _reason(self, rated: RatedTexts, text: int, place: int, given: bool) -> str:
        # Computed on demand: most papers of a day need no reason.
        found = self._quotable.get(place)
        if found is None:
            whole = whole_words(self._written[place])
            found = quotable_of(self._own, place, lambda word: can_quote(self._words[word], whole))
            self._quotable[place] = found
        words = rated.shared(text, found, MOST_WORDS)
        is_topic = rated.is_topic(text)
        quotes = [
            as_written(self._words[word], rated.title(text))
            if is_topic  # quote the reader's own spelling
            else self._as_written(word, place)
            for word in words
        ]
        why = (
            _frozen("near_saved.given", quotes, title=shortened(rated.title(text), LONGEST_TITLE))
            if given
            else _frozen("followed.topics" if is_topic else "near_saved.liked", quotes)
        )
        if len(rated.reasons) < MOST_REASONS:
            rated.reasons[text, place, given] = why
        return why

    def _as_written(self, word: int, place: int) -> str:
        """A word as the paper at `place` writes it; cached, since a paper's reasons quote the same
        few words."""
        written = self._quoted.get((word, place))
        if written is None:
            written = as_written(self._words[word], self._written[place])
            self._quoted[word, place] = written
        return written


class TasteChooser:
    """Chooses papers for readers who rated these texts."""

    def __init__(self, day: TasteDay, rated: RatedTexts, place_of: Mapping[Name, int]) -> None:
        self._day, self._rated, self._place_of = day, rated, place_of
        self._blocks = rated.blocks()

    def _worth(self, texts: Sequence[Said]) -> Dense:
        """The worth of the papers for each profile beyond their scores, shape (readers, papers)."""
        fit = fits(profiles(texts, len(self._blocks[0])), self._blocks)
        return log_odds(fit[:, : self._day.field])[:, : len(self._day.ids)]

    def picks(self, views: Sequence[PersonalView]) -> list[Pick]:
        """The papers of each reader. The most similar of a reader's liked texts and topics gives
        the reason of a paper."""
        picks: dict[int, Pick] = {}
        for part in in_batches(views):
            picks.update(zip(part, self._picks([views[one] for one in part]), strict=True))
        return [picks[place] for place in range(len(views))]

    def _picks(self, views: Sequence[PersonalView]) -> Iterator[Pick]:
        rated = [_profile_texts(one.taste, self._place_of) for one in views]
        found = pick_papers(self._day.scored, self._worth(rated), views)
        nearest = self._rated.nearest([[*one.liked, *one.topics] for one in rated], found.places)
        flags = zip(found.unseen.tolist(), found.heard.tolist(), strict=True)
        columns = (one.tolist() for one in (found.places, found.worth, found.beside, nearest))
        for one, (unseen, heard), places, worth, beside, texts in zip(
            views, flags, *columns, strict=True
        ):
            count = len(places) - places.count(-1)
            names: list[Name] = [*one.taste.given, *map(TitleOf, one.taste.titles)]
            given = frozenset(self._place_of[name] for name in names if name in self._place_of)
            reasons = self._day.reasons(self._rated, texts[:count], places, worth, given)
            yield Pick(
                places=places[:count],
                worth=worth[:count],
                beside=beside[:count],
                reasons=reasons,
                unseen=unseen,
                heard=heard,
            )


def _profile_texts(taste: Taste, place_of: Mapping[Name, int]) -> Said:
    titles = [place_of[TitleOf(title)] for title in taste.titles]
    return Said(
        liked=[*(place_of[id_] for id_ in taste.liked if id_ in place_of), *titles],
        disliked=[place_of[id_] for id_ in taste.disliked if id_ in place_of],
        topics=[place_of[topic] for topic in taste.topics],
    )


def _frozen(code: str, words: Sequence[str], **params: str) -> str:
    """The reason, with the words both texts have in common, if any."""
    if not words:
        return freeze(code, **params)
    return freeze(f"{code}_words", words=words, **params)


def _text(paper: Paper) -> Text:
    return (paper.title, paper.abstract, *paper.keywords)
