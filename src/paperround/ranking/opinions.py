"""What the papers of an edition are worth to each reader, from what they said of others.

    edition's papers and earlier ones ─► space ─► likeness to what readers spoke of
                                                    │ profiles
                                                    ▼
                                           fits ─► odds ─► worth, reason, spread

The space is drawn from the edition's papers and all earlier ones that are given, the field are
the edition's papers and the latest of the earlier ones.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from paperround.domain.editions import EditionPaper
from paperround.domain.papers import Paper, PaperId
from paperround.domain.tastes import Taste
from paperround.ranking.bags import bag_of, stands_in, whole_words
from paperround.ranking.personal import fits, in_blocks, odds
from paperround.ranking.spread import spread
from paperround.ranking.taste import Said, profiles
from paperround.ranking.text_space import Bag, Dense, TextSpace, text_space

FIELD = 240
"""Earlier papers that, with an edition's own, are the field a fit is measured against."""

MOST_ROWS = 20_000
"""Texts that readers spoke of whose likeness is kept: 1.2 kB each."""

MOST_WORDS = 2
"""Words a reason quotes."""

LONGEST_TITLE = 60
"""Characters of the title of a paper that a reader gave."""

Key = TypeVar("Key")

Text = tuple[str, ...]
"""A paper's title, abstract and keywords, or a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Texts that readers spoke of, papers first, then titles of papers and topics, and how like the
    edition's papers each is, shape (texts, papers)."""

    texts: Sequence[Text]
    likeness: Dense
    papers: int
    """How many of the texts are papers, or titles of papers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """The row of every text that readers spoke of: papers, then titles, then topics."""

    papers: Mapping[PaperId, int]
    titles: Mapping[str, int]
    topics: Mapping[str, int]

    @classmethod
    def of(cls, tastes: Sequence[Taste], known: Mapping[PaperId, Paper]) -> "_Places":
        papers = dict.fromkeys(id_ for one in tastes for id_ in one.papers if id_ in known)
        titles = dict.fromkeys(title for one in tastes for title in one.titles)
        topics = dict.fromkeys(topic for one in tastes for topic in one.topics)
        return cls(
            papers=_numbered(papers, 0),
            titles=_numbered(titles, len(papers)),
            topics=_numbered(topics, len(papers) + len(titles)),
        )

    @property
    def alone(self) -> Sequence[str]:
        """Titles and topics."""
        return (*self.titles, *self.topics)

    @property
    def first_topic(self) -> int:
        return len(self.papers) + len(self.titles)

    def said(self, taste: Taste) -> Said:
        return Said(
            liked=[*self._of(taste.liked), *(self.titles[title] for title in taste.titles)],
            disliked=self._of(taste.disliked),
            topics=[self.topics[topic] for topic in taste.topics],
        )

    def given(self, taste: Taste) -> frozenset[int]:
        """The papers that the reader named themselves."""
        titles = (self.titles[title] for title in taste.titles)
        return frozenset([*self._of(taste.given), *titles])

    def _of(self, papers: Sequence[PaperId]) -> list[int]:
        return [self.papers[paper] for paper in papers if paper in self.papers]


class TasteDay:
    """The papers of one edition, ready for everybody's taste."""

    def __init__(self, papers: Sequence[Paper], background: Sequence[str]) -> None:
        self.place_of = {paper.id: place for place, paper in enumerate(papers)}
        day, before = (
            [_bag(_texts(paper)) for paper in papers],
            [bag_of(text) for text in background],
        )
        self.space: TextSpace = text_space([*day, *before])
        self._field = self.space.texts([*day, *before[:FIELD]])
        shown = self._field.at(slice(len(day)))
        self.likeness: list[list[float]] = shown.likeness(shown).tolist()
        self._rows: dict[Text, Dense] = {}
        self.quotable = [
            _quotable(paper, self.space.telling(bag))
            for paper, bag in zip(papers, day, strict=True)
        ]

    def opinions(
        self, tastes: Sequence[Taste], known: Mapping[PaperId, Paper]
    ) -> list["TasteOpinion"]:
        """An opinion for each taste. Papers that are not in `known` say nothing."""
        places = _Places.of(tastes, known)
        texts = [*(_texts(known[id_]) for id_ in places.papers), *((one,) for one in places.alone)]
        said = [places.said(taste) for taste in tastes]
        likeness, shown = self._likeness_of(texts), len(self.place_of)
        worth = odds(fits(profiles(said, len(texts)), in_blocks(likeness)))[:, :shown]
        spoken = _Spoken(texts=texts, likeness=likeness[:, :shown], papers=places.first_topic)
        rows = worth.astype(float).round(4).tolist()
        given = map(places.given, tastes)
        return [TasteOpinion(self, spoken, *each) for each in zip(said, rows, given, strict=True)]

    def _likeness_of(self, texts: Sequence[Text]) -> Dense:
        """How alike each text is to the field, shape (texts, field). Rows are kept: what one reader
        liked others did too, and a day's readers come in many pages. Threads may share them."""
        rows = {text: row for text in texts if (row := self._rows.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in rows]
        rows.update(
            zip(new, self.space.texts([*map(_bag, new)]).likeness(self._field), strict=True)
        )
        self._rows = rows if len(self._rows) > MOST_ROWS else self._rows | rows
        return np.array([rows[text] for text in texts]).reshape(len(texts), len(self._field))


class TasteOpinion:
    """What one reader's taste says of the papers of an edition."""

    def __init__(
        self,
        day: TasteDay,
        spoken: _Spoken,
        said: Said,
        worth: Sequence[float],
        given: frozenset[int],
    ) -> None:
        self._day, self._spoken, self._said, self._worth = day, spoken, said, worth
        self._given = given

    def worth(self, paper: PaperId) -> float:
        """The odds of `personal`, rounded to 4 places."""
        return self._worth[self._day.place_of[paper]]

    def spread(self, papers: Sequence[EditionPaper], size: int) -> list[EditionPaper]:
        """The best `size` of `papers`, best first, each worth less beside those like it."""
        by_place = {self._day.place_of[paper.paper_id]: paper for paper in papers}
        scores = {at: one.score + self._worth[at] for at, one in by_place.items()}
        return [by_place[place] for place in spread(scores, self._day.likeness, size)]

    def reason(self, paper: PaperId) -> str:
        """The words it shares with what of the reader's wishes it is most like."""
        place = self._day.place_of[paper]
        wished = [*self._said.liked, *self._said.topics]
        if not wished or self._worth[place] <= 0:
            return ""
        nearest = wished[int(self._spoken.likeness[wished, place].argmax())]
        words = self._shared(nearest, place)
        quoted = ", ".join(f"“{word}”" for word in words)
        if nearest in self._given:
            title = _shown(self._spoken.texts[nearest][0])
            shares = f"shares {quoted} with" if words else "like"
            return f"{shares} “{title}”, which you gave"
        if nearest < self._spoken.papers:
            return f"shares {quoted} with a paper you liked" if words else "like papers you liked"
        return f"shares {quoted} with your topics" if words else "close to your topics"

    def _shared(self, text: int, place: int) -> list[str]:
        """The words both have that add most to their likeness, as they stand in the paper."""
        ours, theirs = _bag(self._spoken.texts[text]), self._day.quotable[place]
        weights = {w: theirs[w] * (1 + math.log(ours[w])) for w in ours.keys() & theirs.keys()}
        return sorted(weights, key=lambda word: (-weights[word], word))[:MOST_WORDS]


def _numbered(keys: Iterable[Key], first: int) -> dict[Key, int]:
    return {key: number for number, key in enumerate(keys, first)}


def _quotable(paper: Paper, telling: Mapping[str, float]) -> dict[str, float]:
    """Of the telling words those that stand in title or abstract as a bag has them."""
    whole = whole_words(f"{paper.title}\n{paper.abstract}")
    return {word: weight for word, weight in telling.items() if stands_in(word, whole)}


def _shown(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE].rstrip()}…"


def _texts(paper: Paper) -> Text:
    return (paper.title, paper.abstract, *paper.keywords)


@lru_cache(maxsize=4096)
def _bag(text: Text) -> Bag:
    return bag_of(*text)
