"""Score the papers of an edition for each reader, from their feedback on other papers.

    papers of the edition and earlier ones ─► space ─► likeness to the texts readers rated
                                                         │ profiles
                                                         ▼
                                                fits ─► odds ─► worth ─► picks ─► reasons

The space is built from the edition's papers (with its tail) and all given earlier ones. The field
is the edition's papers and the latest of the earlier ones.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.core.reasons import freeze
from paperround.papers.formatting import title_in_reason
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
from paperround.ranking.stop_words import stands_alone
from paperround.ranking.text_space import (
    Dense,
    Texts,
    TextSpace,
    bag_of,
    can_quote,
    space_and_texts,
    whole_words,
)
from paperround.ranking.topic_names import shared_topic, spaced, spell

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
        self._spaced: list[str] = []
        self.reasons: dict[tuple[int, int, str], str] = {}
        """A cache for the caller: reasons by text, paper of the field, and how the reader knows
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

    def spaced(self, place: int) -> str:
        """Title and abstract of the text at `place`, to look for phrases in."""
        return self._spaced[place]

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
        self._spaced += [spaced("\n".join(text[:2])) for text in texts.values()]
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


FIELD = 240
"""Earlier papers in the field, besides the edition's own."""

MOST_TEXTS = 50_000
"""Rated texts in memory: 7 kB each with a thousand papers."""

MOST_REASONS = 100_000
"""Cached reasons: readers who liked the same paper have them in common."""

LEAST_GAIN = 0.7
"""The least addition to a score that is a reason: the paper is twice as likely to be one of the
reader's as an average one."""


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
        self._papers = papers
        self._spaced: dict[int, str] = {}

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
        known_as: Mapping[int, str],
    ) -> list[str]:
        """The reason of each paper for a reader, from its `worth` and the most similar of their
        texts; empty if it is hardly worth more than to others, or has no topic in common with that
        text. `known_as` says how the reader knows a text: `own`, `given` or `saved`, else `liked`.
        """
        reasons = []
        for text, place, gain in zip(texts, places, worth, strict=False):
            why: str | None = ""
            relation = known_as.get(text, "liked")
            if gain >= LEAST_GAIN and text >= 0:
                why = rated.reasons.get((text, place, relation))
            reasons.append(self._reason(rated, text, place, relation) if why is None else why)
        return reasons

    def _reason(self, rated: RatedTexts, text: int, place: int, relation: str) -> str:
        # Computed on demand: most papers of a day need no reason.
        found = self._quotable.get(place)
        if found is None:
            paper = self._papers[place]
            whole = whole_words(f"{paper.title}\n{paper.abstract}")
            found = quotable_of(self._own, place, lambda word: can_quote(self._words[word], whole))
            self._quotable[place] = found
        weights = rated.shared(text, found)
        shared = {self._words[word]: weight for word, weight in weights.items()}
        why = (
            _near_topic(rated.title(text), shared)
            if rated.is_topic(text)
            else self._near_paper(rated, text, place, relation, shared)
        )
        if len(rated.reasons) < MOST_REASONS:
            rated.reasons[text, place, relation] = why
        return why

    def _near_paper(
        self,
        rated: RatedTexts,
        text: int,
        place: int,
        relation: str,
        shared: Mapping[str, float],
    ) -> str:
        paper, title = self._papers[place], rated.title(text)
        if place not in self._spaced:
            self._spaced[place] = spaced(f"{paper.title}\n{paper.abstract}")
        texts = self._spaced[place], rated.spaced(text)
        topic = shared_topic(shared, texts, (paper.title, title))
        if not topic:
            return ""
        if relation in ("given", "own") and topic == title.lower():
            return freeze("near_saved.given", title=title)
        return freeze(
            f"near_saved.to_{relation}",
            title=title_in_reason(title),
            term=spell(topic, paper.title, paper.abstract),
        )


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
            reasons = self._day.reasons(
                self._rated, texts[:count], places, worth, self._known_as(one.taste)
            )
            yield Pick(
                places=places[:count],
                worth=worth[:count],
                beside=beside[:count],
                reasons=reasons,
                unseen=unseen,
                heard=heard,
            )

    def _known_as(self, taste: Taste) -> dict[int, str]:
        """How the reader knows texts that they did not only like."""
        given: list[Name] = [*taste.given, *map(TitleOf, taste.titles)]
        places = self._place_of
        saved = {places[name]: "saved" for name in taste.saved if name in places}
        own: list[Name] = [TitleOf(one) if isinstance(one, str) else one for one in taste.own]
        known_as = {"given": given, "own": own}.items()
        return saved | {
            places[name]: relation
            for relation, names in known_as
            for name in names
            if name in places
        }


def _profile_texts(taste: Taste, place_of: Mapping[Name, int]) -> Said:
    titles = [place_of[TitleOf(title)] for title in taste.titles]
    return Said(
        liked=[*(place_of[id_] for id_ in taste.liked if id_ in place_of), *titles],
        disliked=[place_of[id_] for id_ in taste.disliked if id_ in place_of],
        topics=[place_of[topic] for topic in taste.topics],
    )


def _near_topic(topic: str, shared: Mapping[str, float]) -> str:
    """The reason of a paper near a topic, with the words of the topic that the paper has; empty if
    none of them is specific."""
    if not any(map(stands_alone, shared)):
        return ""
    words = [word for word in topic.split() if word.lower() in shared]
    return freeze("followed.near", term=" ".join(words) or topic)


def _text(paper: Paper) -> Text:
    return (paper.title, paper.abstract, *paper.keywords)
