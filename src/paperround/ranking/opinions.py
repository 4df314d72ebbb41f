"""What the papers of an edition are worth to each reader, from what they said of others.

    edition's papers and earlier ones ─► space ─► likeness to what readers spoke of
                                                    │ profiles
                                                    ▼
                                           fits ─► odds ─► worth, best, spread, why

The space is drawn from the edition's papers and all earlier ones that are given, the field are
the edition's papers and the latest of the earlier ones. The papers behind those that the edition
shows count as its own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from paperround.domain.editions import EditionPaper
from paperround.domain.gist import shortened
from paperround.domain.papers import Paper, PaperId
from paperround.domain.tastes import Taste, Why
from paperround.ranking.bags import as_written, bag_of, stands_in, whole_words
from paperround.ranking.personal import fits, odds
from paperround.ranking.spoken import Name, SpokenTexts, Text, TitleOf, Weights, quotable_of
from paperround.ranking.spread import ALIKE_COSTS, SHORTLIST, spread
from paperround.ranking.taste import Said, profiles
from paperround.ranking.text_space import Dense, Texts, text_space

FIELD = 240
"""Earlier papers that, with an edition's own, are the field a fit is measured against."""

MOST_TEXTS = 50_000
"""Texts that readers spoke of that are kept ready: 5 kB each, where there are a thousand papers."""

MOST_REASONS = 100_000
"""Reasons that are kept: readers who liked the same paper have them in common."""

MOST_WORDS = 2
"""Words a reason quotes."""

LONGEST_TITLE = 60
"""Characters of the title of a paper that a reader gave."""

Load = Callable[[Sequence[PaperId]], Mapping[PaperId, Paper]]
Costs = NDArray[np.float64]
Places = NDArray[np.intp]


class TasteDay:
    """The papers of one edition, ready for everybody's taste.

    Threads may share its opinions, but ask for them one after another.
    """

    def __init__(
        self, papers: Sequence[Paper], scores: Sequence[float], background: Sequence[str]
    ) -> None:
        self.ids = [paper.id for paper in papers]
        self.place_of = {id_: place for place, id_ in enumerate(self.ids)}
        self.scores = np.array(scores, dtype=np.float32)
        day, before = [_bag(paper) for paper in papers], [bag_of(text) for text in background]
        self._space = text_space([*day, *before])
        self._words = tuple(self._space.place_of)
        self._field = self._space.texts([*day, *before[:FIELD]])
        shown = self._field.at(slice(len(day)))
        self.costs: Costs = (ALIKE_COSTS * shown.likeness(shown)).astype(float).round(4)
        self._quotable = [
            self._quotable_of(paper, shown, place) for place, paper in enumerate(papers)
        ]
        self._spoken = SpokenTexts(self._space, self._field)
        self._written = [f"{paper.title}\n{paper.abstract}" for paper in papers]

    def _quotable_of(self, paper: Paper, shown: Texts, place: int) -> Weights:
        """The weights of those telling words that stand in title or abstract as a bag has them."""
        whole = whole_words(f"{paper.title}\n{paper.abstract}")
        return quotable_of(shown.words[[place]], lambda word: stands_in(self._words[word], whole))

    def opinions(self, tastes: Sequence[Taste], load: Load) -> list["TasteOpinion"]:
        """An opinion for each taste. Papers that were not read yet are asked of `load`; what it
        does not know says nothing."""
        if not tastes:
            return []
        spoken, place_of = self._spoken_of(tastes, load)
        said = [_said(one, place_of) for one in tastes]
        given = [_given(one, place_of) for one in tastes]
        blocks = spoken.blocks()
        fit = fits(profiles(said, len(blocks[0])), blocks)[:, : len(self._field)]
        worth = odds(fit)[:, : len(self.ids)]
        return [TasteOpinion(self, spoken, *each) for each in zip(said, worth, given, strict=True)]

    def _spoken_of(
        self, tastes: Sequence[Taste], load: Load
    ) -> tuple[SpokenTexts, Mapping[Name, int]]:
        """The texts that are spoken of, read if they were not yet, and their places. Where there
        are too many, all start anew: who holds the old ones keeps them."""
        papers = {id_ for one in tastes for id_ in one.papers}
        titles = {TitleOf(title) for one in tastes for title in one.titles}
        topics = {topic for one in tastes for topic in one.topics}
        if len(self._spoken) > MOST_TEXTS:
            self._spoken = SpokenTexts(self._space, self._field)
        spoken = self._spoken
        new = sorted(id_ for id_ in papers if id_ not in spoken)
        texts: dict[Name, Text] = {id_: _text(one) for id_, one in load(new).items()}
        texts |= {title: (title.title,) for title in sorted(titles) if title not in spoken}
        spoken.add(texts | {topic: (topic,) for topic in sorted(topics) if topic not in spoken})
        return spoken, spoken.places([*papers, *titles, *topics])

    def reason(self, spoken: SpokenTexts, text: int, place: int, *, given: bool) -> str:
        """Why the paper at `place` is there for a reader who spoke of the text, or gave it."""
        known = spoken.reasons.get((text, place, given))
        if known is None:
            words = spoken.shared(text, self._quotable[place], MOST_WORDS)
            said = [as_written(self._words[word], self._written[place]) for word in words]
            quoted = ", ".join(f"“{one}”" for one in said)
            known = (
                _like_given(quoted, spoken.title(text))
                if given
                else _in_words(quoted, is_topic=spoken.is_topic(text))
            )
            if len(spoken.reasons) < MOST_REASONS:
                spoken.reasons[text, place, given] = known
        return known


class TasteOpinion:
    """What one reader's taste says of the papers of an edition."""

    def __init__(
        self,
        day: TasteDay,
        spoken: SpokenTexts,
        said: Said,
        worth: Dense,
        given: frozenset[int],
    ) -> None:
        self._day, self._spoken, self._said, self._worth = day, spoken, said, worth
        self._given = given

    def worth(self, paper: PaperId) -> float:
        """The odds of `personal`, rounded to 4 places."""
        return round(float(self._worth[self._day.place_of[paper]]), 4)

    def best(self, count: int) -> list[PaperId]:
        """The `count` papers whose score and worth add up to most, best first; all if fewer."""
        losses, ids = -(self._worth + self._day.scores), self._day.ids
        first = np.arange(len(ids))
        if count < len(ids):
            first = np.sort(np.argpartition(losses, count)[:count])
        return [ids[place] for place in first[np.argsort(losses[first], kind="stable")].tolist()]

    def spread(
        self, papers: Sequence[EditionPaper], size: int, taken: Sequence[EditionPaper] = ()
    ) -> list[EditionPaper]:
        """The best `size` of `papers`, best first, each worth less beside those like it, also
        beside those that were `taken` before."""
        if not papers or size < 1:
            return []
        places, before = self._places(papers), self._places(taken)
        costs = self._day.costs
        scores = np.array([paper.score for paper in papers]) + self._rounded(places)
        beside = costs[np.ix_(before, places)].max(axis=0, initial=0) if taken else 0 * scores
        first = np.argsort(beside - scores, kind="stable")[: SHORTLIST * size]
        among = costs[np.ix_(places[first], places[first])].tolist()
        chosen = spread(scores[first].tolist(), among, size, beside[first].tolist())
        return [papers[first[one]] for one in chosen]

    def explain(self, papers: Sequence[EditionPaper]) -> list[Why]:
        """`personal` is the odds, `spread` what likeness to an earlier paper of the digest costs;
        the reason names words that a paper shares with what of the reader's wishes it is most
        like."""
        places = self._places(papers)
        worth = self._rounded(places)
        beside = np.tril(self._day.costs[np.ix_(places, places)], -1).max(axis=1, initial=0)
        each = zip(self._reasons(places, worth), worth.tolist(), beside.tolist(), strict=True)
        return [Why(reason=why, parts=_parts(gain, cost)) for why, gain, cost in each]

    def _reasons(self, places: Places, worth: NDArray[np.float64]) -> list[str]:
        wished = np.array([*self._said.liked, *self._said.topics], dtype=np.intp)
        if not len(wished):
            return [""] * len(places)
        nearest = self._spoken.nearest(wished, places)
        why = partial(self._day.reason, self._spoken)
        each = zip(nearest, places.tolist(), worth.tolist(), strict=True)
        return [
            why(text, place, given=text in self._given) if gain > 0 else ""
            for text, place, gain in each
        ]

    def _places(self, papers: Sequence[EditionPaper]) -> Places:
        place_of = self._day.place_of
        return np.array([place_of[paper.paper_id] for paper in papers], dtype=np.intp)

    def _rounded(self, places: Places) -> NDArray[np.float64]:
        return self._worth[places].astype(float).round(4)


def _parts(personal: float, cost: float) -> dict[str, float]:
    return {name: part for name, part in (("personal", personal), ("spread", -cost)) if part}


def _said(taste: Taste, place_of: Mapping[Name, int]) -> Said:
    titles = [place_of[TitleOf(title)] for title in taste.titles]
    return Said(
        liked=[*(place_of[id_] for id_ in taste.liked if id_ in place_of), *titles],
        disliked=[place_of[id_] for id_ in taste.disliked if id_ in place_of],
        topics=[place_of[topic] for topic in taste.topics],
    )


def _given(taste: Taste, place_of: Mapping[Name, int]) -> frozenset[int]:
    """The papers that the reader named themselves."""
    names: list[Name] = [*taste.given, *map(TitleOf, taste.titles)]
    return frozenset(place_of[name] for name in names if name in place_of)


def _in_words(quoted: str, *, is_topic: bool) -> str:
    if is_topic:
        return f"shares {quoted} with your topics" if quoted else "close to your topics"
    return f"shares {quoted} with a paper you liked" if quoted else "like papers you liked"


def _like_given(quoted: str, title: str) -> str:
    shown = shortened(title, LONGEST_TITLE)
    return (
        f"shares {quoted} with “{shown}”, which you gave"
        if quoted
        else f"like “{shown}”, which you gave"
    )


def _text(paper: Paper) -> Text:
    return (paper.title, paper.abstract, *paper.keywords)


def _bag(paper: Paper) -> Mapping[str, int]:
    return bag_of(*_text(paper))
