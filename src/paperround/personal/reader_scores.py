"""Score the papers of an edition for each reader, from their feedback on other papers.

    papers of the edition and earlier ones ─► space ─► likeness to the texts readers rated
                                                         │ profiles
                                                         ▼
                                                fits ─► odds ─► worth ─► picks ─► reasons

The space is built from the edition's papers (with its tail) and all given earlier ones. The field
is the edition's papers and the latest of the earlier ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from paperround.core.reasons import freeze
from paperround.papers.formatting import title_in_reason
from paperround.papers.model import Paper
from paperround.personal.own_words import LEAST_LIKENESS, OwnWords, PairIndex, shared_phrases
from paperround.personal.rated_texts import (
    RatedTexts,
    Text,
    TextKey,
    TitleOf,
    WordWeights,
    quotable_of,
)
from paperround.personal.scores import Said, fits, log_odds, profiles
from paperround.personal.selection import (
    ALIKE_COSTS,
    Marks,
    ScoredPapers,
    in_batches,
    marks,
    pick_papers,
    with_empty_paper,
)
from paperround.personal.views import Load, PersonalView, Pick, Taste
from paperround.ranking.stop_words import may_join, stands_alone
from paperround.ranking.text_space import (
    Dense,
    bag_of,
    can_quote,
    space_and_texts,
    whole_words,
)
from paperround.ranking.topic_names import shared_topic, spaced, spell

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
        self._background = background[: self.field - len(papers)]
        self._spaced: dict[int, str] = {}

    @cached_property
    def _pairs(self) -> PairIndex:
        # Most editions have no reader with a statement, or are cached already.
        own = (f"{paper.title}\n. {paper.abstract}" for paper in self._papers)
        return PairIndex([*own, *self._background])

    def chooser(self, tastes: Sequence[Taste], load: Load) -> "TasteChooser":
        """A chooser for readers with these profiles. Loads new papers with `load` and ignores
        papers it does not return."""
        # With too many texts start over; existing choosers keep the old ones.
        papers = {id_ for one in tastes for id_ in one.papers}
        titles = {TitleOf(title) for one in tastes for title in one.titles}
        topics = {topic for one in tastes for topic in one.topics}
        statements = {OwnWords(text) for one in tastes for text in (one.focus, one.avoid) if text}
        if len(self._rated) > MOST_TEXTS:
            self._rated = RatedTexts(self._space, self._field)
        rated = self._rated
        new = sorted(id_ for id_ in papers if id_ not in rated)
        texts: dict[TextKey, Text] = {id_: _text(one) for id_, one in load(new).items()}
        texts |= {title: (title.title,) for title in sorted(titles) if title not in rated}
        rated.add(texts | {topic: (topic,) for topic in sorted(topics) if topic not in rated})
        said = sorted(one for one in statements if one not in rated)
        if said:
            rated.add_statements(said, self._pairs)
        return TasteChooser(self, rated, rated.places([*papers, *titles, *topics, *statements]))

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
        if rated.is_statement(text):
            why = self._near_focus(rated, text, place)
        elif rated.is_topic(text):
            why = _near_topic(rated.title(text), self._shared(rated, text, place))
        else:
            why = self._near_paper(rated, text, place, relation)
        if len(rated.reasons) < MOST_REASONS:
            rated.reasons[text, place, relation] = why
        return why

    def _shared(self, rated: RatedTexts, text: int, place: int) -> dict[str, float]:
        """The words of the text that the paper has, with what each adds to the likeness."""
        found = self._quotable.get(place)
        if found is None:
            paper = self._papers[place]
            whole = whole_words(f"{paper.title}\n{paper.abstract}")
            found = quotable_of(self._own, place, lambda word: can_quote(self._words[word], whole))
            self._quotable[place] = found
        shared = rated.shared(text, found)
        return {self._words[word]: weight for word, weight in shared.items()}

    def _spaced_paper(self, place: int) -> str:
        if place not in self._spaced:
            paper = self._papers[place]
            self._spaced[place] = spaced(paper.title, paper.abstract)
        return self._spaced[place]

    def _near_focus(self, rated: RatedTexts, text: int, place: int) -> str:
        if rated.likeness(text, place) < LEAST_LIKENESS:
            return ""
        paper, said = self._papers[place], rated.title(text)
        named = shared_phrases(said, self._spaced_paper(place), self._space.rarity)
        words = [spell(one, paper.title, paper.abstract) for one in named]
        return freeze("own_words.close", words=words) if words else ""

    def _near_paper(self, rated: RatedTexts, text: int, place: int, relation: str) -> str:
        if rated.is_paper(text, self.ids[place]):
            return ""
        paper, title = self._papers[place], rated.title(text)
        shared = self._shared(rated, text, place)
        texts = self._spaced_paper(place), rated.spaced(text)
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

    def __init__(self, day: TasteDay, rated: RatedTexts, place_of: Mapping[TextKey, int]) -> None:
        self._day, self._rated, self._place_of = day, rated, place_of
        self._blocks = rated.blocks()

    def _fit(self, texts: Sequence[Said]) -> Dense:
        """The fit of the whole field to each profile."""
        fit = fits(profiles(texts, len(self._blocks[0])), self._blocks)
        return fit[:, : self._day.field]

    def _odds(self, texts: Sequence[Said]) -> Dense:
        return log_odds(self._fit(texts))[:, : len(self._day.ids)]

    def _worth(self, texts: Sequence[Said], views: Sequence[PersonalView]) -> Dense:
        """The worth of the papers for each profile beyond their scores, shape (readers, papers)."""
        worth = self._odds(texts)
        self._bound_by_focus(worth, texts, views)
        self._push_down(worth, views)
        return worth

    def _bound_by_focus(
        self, worth: Dense, texts: Sequence[Said], views: Sequence[PersonalView]
    ) -> None:
        """Keep a statement from lifting papers with little likeness to it."""
        place_of = self._statements([one.taste.focus for one in views])
        if place_of:
            rows = list(place_of)
            near = self._is_near(list(place_of.values()))
            others = [
                replace(texts[row], liked=[one for one in texts[row].liked if one != place])
                for row, place in place_of.items()
            ]
            bound = np.minimum(worth[rows], self._odds(others))
            worth[rows] = np.where(near, worth[rows], bound)

    def _push_down(self, worth: Dense, views: Sequence[PersonalView]) -> None:
        """Lower papers near what a reader wants to leave out by what a statement would add, except
        those they ask for by name."""
        place_of = self._statements([one.taste.avoid for one in views])
        if place_of:
            rows, places = list(place_of), list(place_of.values())
            odds = self._odds([Said(liked=(place,)) for place in places])
            asked = marks([views[row].wanted_anyway for row in rows], len(self._day.ids))
            falls = self._is_near(places) & ~asked & (odds > 0)
            worth[rows] -= np.where(falls, odds, np.float32(0))

    def _statements(self, texts: Sequence[str]) -> dict[int, int]:
        """The place of each reader's statement by the row of the reader, without empty ones."""
        return {row: self._place_of[OwnWords(text)] for row, text in enumerate(texts) if text}

    def _is_near(self, statements: Sequence[int]) -> Marks:
        """Whether each paper is similar to each of the statements."""
        fit = self._fit([Said(liked=(place,)) for place in statements])
        near: Marks = fit[:, : len(self._day.ids)] >= LEAST_LIKENESS
        return near

    def picks(self, views: Sequence[PersonalView]) -> list[Pick]:
        """The papers of each reader. The most similar of a reader's liked texts, topics and their
        statement gives the reason of a paper."""
        picks: dict[int, Pick] = {}
        for part in in_batches(views):
            picks.update(zip(part, self._picks([views[one] for one in part]), strict=True))
        return [picks[place] for place in range(len(views))]

    def _picks(self, views: Sequence[PersonalView]) -> Iterator[Pick]:
        rated = [_profile_texts(one.taste, self._place_of) for one in views]
        found = pick_papers(self._day.scored, self._worth(rated, views), views)
        nearest = self._rated.nearest([[*one.liked, *one.topics] for one in rated], found.places)
        flags = zip(found.unseen.tolist(), found.heard.tolist(), strict=True)
        each = (found.places, found.worth, found.beside, found.following, nearest)
        columns = (one.tolist() for one in each)
        for one, (unseen, heard), places, worth, beside, following, texts in zip(
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
                following=[place for place in following if place >= 0],
                reasons=reasons,
                unseen=unseen,
                heard=heard,
            )

    def _known_as(self, taste: Taste) -> dict[int, str]:
        """How the reader knows the texts that they wrote, gave or saved."""
        given: list[TextKey] = [*taste.given, *map(TitleOf, taste.titles)]
        places = self._place_of
        saved = {places[name]: "saved" for name in taste.saved if name in places}
        own: list[TextKey] = [TitleOf(one) if isinstance(one, str) else one for one in taste.own]
        known_as = {"given": given, "own": own}.items()
        return saved | {
            places[name]: relation
            for relation, names in known_as
            for name in names
            if name in places
        }


def _profile_texts(taste: Taste, place_of: Mapping[TextKey, int]) -> Said:
    titles = [place_of[TitleOf(title)] for title in taste.titles]
    focus = [place_of[OwnWords(taste.focus)]] if taste.focus else []
    return Said(
        liked=[*(place_of[id_] for id_ in taste.liked if id_ in place_of), *titles, *focus],
        disliked=[place_of[id_] for id_ in taste.disliked if id_ in place_of],
        topics=[place_of[topic] for topic in taste.topics],
    )


def _near_topic(topic: str, shared: Mapping[str, float]) -> str:
    """The reason of a paper near a topic, without its stop words; empty if the paper lacks another
    word of it: one about video is not near “video generation”."""
    words = [word for word in topic.split() if may_join(word.lower())]
    is_near = all(word.lower() in shared for word in words)
    if not is_near or not any(stands_alone(word.lower()) for word in words):
        return ""
    return freeze("followed.near", term=" ".join(words))


def _text(paper: Paper) -> Text:
    return (paper.title, paper.abstract, *paper.keywords)
