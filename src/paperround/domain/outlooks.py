"""The papers of a day as one reader with a taste sees them, and what they get of these.

    wishes, memory ─► outlook ─► (a chooser, for many readers at a time) ─► pick ─► choice

Papers go by their places on the day's shelf, so that what is true of some of them is one number:
bit n for the nth paper.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from paperround.domain.editions import EditionPaper
from paperround.domain.finder import Papers
from paperround.domain.papers import PaperId
from paperround.domain.tastes import Taste
from paperround.domain.wishes import Sight


class Shelf:
    """The papers of an edition, then those behind it, each work once, at its better place."""

    def __init__(self, shown: Sequence[EditionPaper], behind: Sequence[EditionPaper] = ()) -> None:
        each: dict[PaperId, EditionPaper] = {}
        for paper in (*shown, *behind):
            each.setdefault(paper.paper_id, paper)
        self.papers = tuple(each.values())
        self._bits = {id_: 1 << place for place, id_ in enumerate(each)}

    def places(self, papers: Collection[PaperId]) -> Papers:
        """Those of `papers` that stand here."""
        found = 0
        for id_ in self._bits.keys() & papers if papers else ():
            found |= self._bits[id_]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one reader of taste makes of the papers on the shelf, and how many they want.

    `sent` they were sent before, `withheld` nobody is sent or they know already; `followed`,
    `wanted`, `lifted`, `muted` and `lift` are those of a sight, `floor` the least worth.
    """

    taste: Taste
    size: int
    sent: Papers = 0
    withheld: Papers = 0
    followed: Papers = 0
    wanted: Papers = 0
    lifted: Papers = 0
    muted: Papers = 0
    lift: float = 0.0
    floor: float | None = None


def outlook(
    taste: Taste,
    sight: Sight | None,
    *,
    size: int,
    floor: float | None,
    sent: Papers,
    withheld: Papers,
) -> Outlook:
    """The outlook of a reader with that taste whose wishes touch what the sight says."""
    if sight is None:
        return Outlook(taste=taste, size=size, floor=floor, sent=sent, withheld=withheld)
    return Outlook(
        taste=taste,
        size=size,
        floor=floor,
        sent=sent,
        withheld=withheld,
        followed=sight.followed,
        wanted=sight.wanted,
        lifted=sight.lifted,
        muted=sight.muted,
        lift=sight.lift,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The places of the papers that one reader gets, in the digest's order, and why.

    `worth` is what each is worth to them beyond its score and `beside` what it costs that it is
    like an earlier one, both rounded to 4 places; a reason is empty where a paper is worth no more
    to this reader than to others. Where there is none, `unseen` tells whether any was new to them,
    and `heard` whether any of those was not muted.
    """

    places: Sequence[int]
    worth: Sequence[float]
    beside: Sequence[float]
    reasons: Sequence[str]
    unseen: bool = True
    heard: bool = True


class Chooser(Protocol):
    """Chooses among the papers on one shelf for readers whose tastes it was told."""

    def picks(self, outlooks: Sequence[Outlook]) -> Sequence[Pick]:
        """What each of these readers gets. Same outlooks, same picks, whoever else asks."""
        ...
