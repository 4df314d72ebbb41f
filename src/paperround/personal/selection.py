"""Select the papers of many readers at once.

    worth, scores ─► the best of the edition's tail ─┐
    shown by the edition ────────────────────────────┼► followed ─► wanted ─► others
    pinned by the reader's preferences ──────────────┘     each diversified, best first

A row is a reader and a column a paper, later one of the reader's candidates; each step selects the
next paper of every reader. Of equal papers the first is selected, so a reader's papers do not
depend on other readers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from paperround.personal.keyword_index import Papers
from paperround.personal.views import MOST_NEXT, PersonalView
from paperround.ranking.text_space import Dense

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

# Diversification: the next paper is the best of
#
#     score - 3 x its greatest likeness to a selected paper
#
# This is maximal marginal relevance (Carbonell and Goldstein, 1998). Scores are log odds: of two
# papers with the same content, the second is worth e^3 times less. With 3, readers of public
# libraries find as many of their hidden papers among twelve of a thousand as without it, and the
# papers of a digest are a fifth less alike; with 8 they lose a fifteenth (`docs/personal.md`).

ALIKE_COSTS = 3.0

SHORTLIST = 3
"""The number of best papers considered, in multiples of the free places of a digest."""


class Selection:
    """The selected papers, a row per reader: their places in order, then -1.

    `costs[a][b]` is subtracted from the score of b if a is selected; the last row and column are
    zeros, for no paper.
    """

    def __init__(self, costs: Numbers, readers: int, size: int) -> None:
        self._costs, self._size = costs, size
        self.taken: Places = np.full((readers, size), -1, dtype=np.intp)
        self._count = np.zeros(readers, dtype=np.intp)

    def take(self, line: Places, scores: Numbers) -> None:
        """Select from each reader's `line` of papers, the best first, up to the size of the digest;
        of equals the first in the line. A score of -inf means no paper."""
        needs_more = (scores > -np.inf).any(axis=1) & (self._count < self._size)
        rows = np.flatnonzero(needs_more)
        if not len(rows):
            return
        line, scores = line[rows], scores[rows]
        before = self.taken[rows, : self._count[rows].max()]
        beside = self._costs[before[:, :, None], line[:, None, :]].max(axis=1, initial=0)
        room = SHORTLIST * (self._size - self._count[rows])
        first = np.argsort(beside - scores, axis=1, kind="stable")[:, : room.max()]
        every = np.arange(len(rows))
        line, scores = line[every[:, None], first], scores[every[:, None], first]
        beside = beside[every[:, None], first]
        scores[np.arange(first.shape[1]) >= room[:, None]] = -np.inf
        left = scores - beside
        for _ in range(int((self._size - self._count[rows]).max())):
            best = left.argmax(axis=1)
            takes = (left[every, best] > -np.inf) & (self._count[rows] < self._size)
            if not takes.any():
                return
            papers = line[every, best]
            self.taken[rows[takes], self._count[rows[takes]]] = papers[takes]
            self._count[rows[takes]] += 1
            scores[every, best] = -np.inf
            np.maximum(beside, self._costs[papers[:, None], line], out=beside)
            np.subtract(scores, beside, out=left)


OFFERED = 3
"""The number of candidates from the edition's tail, in multiples of the size of a digest."""

REACH = 10
"""The number of papers searched for those, in multiples of the size of a digest: a reader may
already have the best of a week."""

BATCH_SIZE = 250
"""Readers per batch: their data fit the cache of a processor."""

Marks = NDArray[np.bool_]

_NO_PAPER = -1
_FOLLOWED, _WANTED, _OTHERS = range(3)
_APART = 1e6
"""What a group ranks above the next, whatever the scores."""


@dataclass(frozen=True, slots=True)
class ScoredPapers:
    """A day's papers: their scores, the `costs` of similar ones (see `Selection`), and how many of
    the first every reader is shown."""

    scores: Numbers
    costs: Numbers
    shown: int


@dataclass(frozen=True, slots=True)
class PickedPapers:
    """A row per reader: the places of their papers, then -1; the worth of these, and the cost of
    their likeness to earlier ones; the places of the papers that come after, then -1; whether any
    paper was new, and any new one not muted."""

    places: Places
    worth: Numbers
    beside: Numbers
    following: Places
    unseen: Marks
    heard: Marks


def with_empty_paper(costs: Numbers) -> Numbers:
    """Costs with a row and column of zeros for no paper."""
    return np.pad(costs, (0, 1))


def in_batches(views: Sequence[PersonalView]) -> Iterator[list[int]]:
    """Batches of places of views with digests of the same size."""
    order = sorted(range(len(views)), key=lambda place: views[place].size)
    for _, same in groupby(order, key=lambda place: views[place].size):
        part = list(same)
        for start in range(0, len(part), BATCH_SIZE):
            yield part[start : start + BATCH_SIZE]


def pick_papers(day: ScoredPapers, worth: Dense, views: Sequence[PersonalView]) -> PickedPapers:
    """The papers of readers with digests of one size; `worth` has shape (readers, papers)."""
    return _Picker(day, worth, views).pick()


class _Picker:
    """Readers with digests of one size, and their candidates."""

    def __init__(self, day: ScoredPapers, worth: Dense, views: Sequence[PersonalView]) -> None:
        self._day, self._worth, self._size = day, worth, views[0].size
        papers = len(day.scores)
        self._sent = marks([one.sent for one in views], papers)
        self._muted = marks([one.matches.muted for one in views], papers)
        self._followed = marks([one.matches.followed for one in views], papers)
        self._wanted = marks([one.matches.wanted for one in views], papers)
        self._lifted = marks([one.matches.lifted for one in views], papers)
        self._citing = marks([one.citing.papers for one in views], papers)
        self._cited = np.zeros(self._citing.shape)
        for row, place in zip(*np.nonzero(self._citing), strict=True):
            self._cited[row, place] = views[row].citing.lift_of(int(place))
        self._old = self._sent | marks([one.withheld for one in views], papers)
        self._lift = np.array([one.matches.lift for one in views])
        floors = [-np.inf if one.floor is None else one.floor for one in views]
        self._floor = np.array(floors)
        self._every = np.arange(len(views))

    def pick(self) -> PickedPapers:
        offered = self._offered()
        known = np.zeros(self._sent.shape, dtype=bool)
        known[:, : self._day.shown] = True
        rows, ranks = np.nonzero(offered >= 0)
        known[rows, offered[rows, ranks]] = True
        pinned = (self._followed | self._wanted | self._citing) & ~known
        new = (known | pinned) & ~self._old
        heard = new & ~self._muted
        shown = np.broadcast_to(np.arange(self._day.shown), (len(known), self._day.shown))
        line = np.hstack([shown, offered, _marked_places(pinned & heard)])
        return self._explain(*self._select(line, heard), _any(new), _any(heard))

    def _offered(self) -> Places:
        """The best papers of the tail that are neither sent nor muted, best first."""
        places = best(self._worth + self._day.scores.astype(np.float32), REACH * self._size)
        fresh = ~(self._sent | self._muted)
        fresh[:, : self._day.shown] = False
        rows = self._every[:, None]
        kept = fresh[rows, places]
        counted = kept.cumsum(axis=1)
        kept &= counted <= OFFERED * self._size
        offered = np.full((len(places), OFFERED * self._size), _NO_PAPER, dtype=np.intp)
        at, ranks = np.nonzero(kept)
        offered[at, counted[at, ranks] - 1] = places[at, ranks]
        return offered

    def _select(self, line: Places, heard: Marks) -> tuple[Places, Places]:
        """Select from each reader's `line`: papers by followed authors, then wanted ones, then
        others. Return those selected, and those that follow."""
        at = line + (self._every * self._worth.shape[1])[:, None]
        lifts = np.where(self._lifted.take(at), self._lift[:, None], 0) + self._cited.take(at)
        plain = self._day.scores.take(line) + lifts
        scores = plain + _rounded(self._worth.take(at))
        free = (line >= 0) & heard.take(at) & (scores >= self._floor[:, None])
        group = np.where(self._wanted.take(at), _WANTED, _OTHERS)
        group[self._followed.take(at)] = _FOLLOWED
        whole, rank = line, np.where(free, scores - _APART * group, -np.inf)
        selection = Selection(self._day.costs, len(line), self._size)
        for number in (_FOLLOWED, _WANTED):
            selection.take(line, np.where(free & (group == number), scores, -np.inf))
        free &= group == _OTHERS
        lifting = (free & (lifts > 0)).any(axis=1)
        if lifting.any():
            order = np.argsort(np.where(lifting[:, None], -plain, 0), axis=1, kind="stable")
            rows = self._every[:, None]
            line, scores, free = line[rows, order], scores[rows, order], free[rows, order]
        selection.take(line, np.where(free, scores, -np.inf))
        taken = selection.taken
        rank[(whole[:, :, None] == taken[:, None, :]).any(axis=2)] = -np.inf
        rows, after = self._every[:, None], best(rank, MOST_NEXT)
        return taken, np.where(rank[rows, after] > -np.inf, whole[rows, after], _NO_PAPER)

    def _explain(
        self, places: Places, following: Places, unseen: Marks, heard: Marks
    ) -> PickedPapers:
        costs = self._day.costs[places[:, :, None], places[:, None, :]]
        return PickedPapers(
            places=places,
            worth=_rounded(self._worth[self._every[:, None], places]),
            beside=np.tril(costs, -1).max(axis=2, initial=0),
            following=following,
            unseen=unseen,
            heard=heard,
        )


def best(scores: Dense | Numbers, count: int) -> Places:
    """The columns of the `count` highest scores of each row, best first; all if fewer."""
    losses = -scores
    rows = np.arange(len(losses))[:, None]
    if count >= losses.shape[1]:
        return np.argsort(losses, axis=1, kind="stable")
    first = np.sort(np.argpartition(losses, count, axis=1)[:, :count], axis=1)
    order = np.argsort(losses[rows, first], axis=1, kind="stable")
    places: Places = first[rows, order]
    return places


def marks(sets: Sequence[Papers], papers: int) -> Marks:
    """A row per set of papers, true for the papers in it."""
    if not any(sets):
        return np.zeros((len(sets), papers), dtype=bool)
    room = (papers + 7) // 8
    raw = np.frombuffer(b"".join([one.to_bytes(room, "little") for one in sets]), dtype=np.uint8)
    bits = np.unpackbits(raw.reshape(len(sets), room), axis=1, count=papers, bitorder="little")
    return bits.view(bool)


def _any(marks: Marks) -> Marks:
    found: Marks = np.logical_or.reduce(marks, axis=1)
    return found


def _marked_places(marks: Marks) -> Places:
    """The marked columns of each row, ascending, then -1."""
    counts = marks.sum(axis=1)
    rows, places = np.nonzero(marks)
    listed = np.full((len(marks), counts.max(initial=0)), _NO_PAPER, dtype=np.intp)
    listed[rows, np.arange(len(rows)) - (counts.cumsum() - counts)[rows]] = places
    return listed


def _rounded(worth: Dense) -> Numbers:
    rounded: Numbers = worth.astype(float).round(4)
    return rounded
