"""The papers of a day as one reader sees them, and what they get of these.

    interests, memory ─► view ─► in the edition's order, or by a chooser for readers with a taste
                                                                          ─► pick ─► choice

Papers go by their places in the day's index, so that what is true of some of them is one number:
bit n for the nth paper.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paperround.editions.model import EditionPaper
from paperround.papers.model import Paper, PaperId
from paperround.personal.keyword_index import Papers, any_of, bits
from paperround.personal.matches import Matches

MOST_PAPERS = 200
"""How many papers of each kind a taste is made of, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What one reader said: papers liked and not, and topics as they wrote them.

    `given` are those of the liked papers that they named themselves, `titles` more such papers, of
    which nothing but the title is known.
    """

    liked: tuple[PaperId, ...] = ()
    disliked: tuple[PaperId, ...] = ()
    topics: tuple[str, ...] = ()
    given: tuple[PaperId, ...] = ()
    titles: tuple[str, ...] = ()

    @property
    def papers(self) -> tuple[PaperId, ...]:
        """Every paper the reader spoke of."""
        return self.liked + self.disliked

    def __bool__(self) -> bool:
        return bool(self.liked or self.disliked or self.topics or self.titles)


NO_TASTE = Taste()


def taste_of(
    said: Sequence[tuple[PaperId, str]],
    topics: Sequence[str] = (),
    seeds: Sequence[PaperId] = (),
    titles: Sequence[str] = (),
    unlike: Sequence[PaperId] = (),
) -> Taste:
    """The taste of somebody who said this of papers, in that order: `more`, `save` or `less`.

    Who wants less of a paper does not like it, even if they saved it. The papers they gave, known
    ones (`seeds`) and mere `titles`, are liked like any other, until they want less of one;
    `unlike` are those they gave as what they do not like.
    """
    disliked = list(dict.fromkeys((*unlike, *_papers(said, ("less",)))))
    unwanted = frozenset(disliked)
    given = tuple(paper for paper in dict.fromkeys(seeds) if paper not in unwanted)[-MOST_PAPERS:]
    liked = [paper for paper in _papers(said, ("more", "save")) if paper not in unwanted]
    others = [paper for paper in liked if paper not in set(given)]
    room = MOST_PAPERS - len(given)
    return Taste(
        liked=given + tuple(others[len(others) - min(room, len(others)) :]),
        disliked=tuple(disliked[-MOST_PAPERS:]),
        topics=tuple(topics),
        given=given,
        titles=tuple(titles)[:MOST_PAPERS],
    )


def _papers(said: Sequence[tuple[PaperId, str]], verdicts: Collection[str]) -> list[PaperId]:
    return list(dict.fromkeys(paper for paper, verdict in said if verdict in verdicts))


class PaperIndex:
    """The papers of an edition, then those behind it, each work once, at its better place. The
    first `shown` of them are the edition's."""

    def __init__(self, shown: Sequence[EditionPaper], behind: Sequence[EditionPaper] = ()) -> None:
        each: dict[PaperId, EditionPaper] = {}
        for paper in (*shown, *behind):
            each.setdefault(paper.paper_id, paper)
        self.papers = tuple(each.values())
        self.shown = len({paper.paper_id for paper in shown})
        self._bits = {id_: 1 << place for place, id_ in enumerate(each)}

    def places(self, papers: Collection[PaperId]) -> Papers:
        """Those of `papers` that are in the index."""
        return any_of(self._bits[id_] for id_ in self._bits.keys() & papers)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalView:
    """What one reader makes of the papers of an index, and how many they want.

    `sent` they were sent before, `withheld` nobody is sent or they know already; `followed`,
    `wanted`, `lifted`, `muted` and `lift` are those of a sight, `floor` the least worth. Without a
    `taste` they get papers in the edition's order.
    """

    taste: Taste = NO_TASTE
    size: int
    sent: Papers = 0
    withheld: Papers = 0
    followed: Papers = 0
    wanted: Papers = 0
    lifted: Papers = 0
    muted: Papers = 0
    lift: float = 0.0
    floor: float | None = None


def seen_by(sight: Matches | None) -> dict[str, Any]:
    """What of a view is of a sight."""
    names = ("followed", "wanted", "lifted", "muted", "lift")
    return {} if sight is None else {name: getattr(sight, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The places of the papers that one reader gets, in the digest's order, and why.

    `worth` is what each is worth to them beyond its score and `beside` what it costs that it is
    like an earlier one, both rounded to 4 places; a reason is empty where a paper is worth no more
    to this reader than to others. Where there is none, `unseen` tells whether any was new to them,
    and `heard` whether any of those was not muted.
    """

    places: Sequence[int]
    reasons: Sequence[str]
    worth: Sequence[float] = ()
    beside: Sequence[float] = ()
    unseen: bool = True
    heard: bool = True


def in_order(view: PersonalView, index: PaperIndex) -> Pick:
    """What a reader without a taste gets of the papers shown, and of those behind that they asked
    for. Papers by an author they follow come first, then those on their topics or found by their
    searches, each group in the edition's order. Papers of a category they follow are worth more by
    its lift, and `floor` is one of the sum."""
    pinned = view.followed | view.wanted
    unseen = ((1 << index.shown) - 1 | pinned) & ~(view.sent | view.withheld)
    heard = unseen & ~view.muted
    worth = {
        place: index.papers[place].score + (view.lift if view.lifted >> place & 1 else 0.0)
        for place in bits(heard)
    }
    kept = [place for place in worth if view.floor is None or worth[place] >= view.floor]
    first = [place for place in kept if view.followed >> place & 1]
    asked = [place for place in kept if (view.wanted & ~view.followed) >> place & 1]
    others = [place for place in kept if not pinned >> place & 1]
    if any(view.lifted >> place & 1 for place in others):
        others.sort(key=lambda place: -worth[place])
    best = [*first, *asked, *others][: view.size]
    return Pick(places=best, reasons=[""] * len(best), unseen=bool(unseen), heard=bool(heard))


Chooser = Callable[[Sequence[PersonalView]], Sequence[Pick]]
"""Picks among the papers of one index for readers whose tastes it was told. The same views give
the same picks, in whatever company."""

Load = Callable[[Sequence[PaperId]], Mapping[PaperId, Paper]]

TasteDay = Callable[[Sequence[Taste], Load], Chooser]
"""Makes a chooser for readers of these tastes from the papers of one edition. Papers that were not
read yet are asked of `Load`; what it does not know says nothing."""

TasteModel = Callable[[Sequence[Paper], Sequence[float], Sequence[str], int], TasteDay]
"""Makes an edition ready: the papers of its index, their scores, earlier titles and abstracts, and
how many of the first papers everybody is shown. Pure: same papers and views, same picks."""
