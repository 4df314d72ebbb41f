"""Compute the ranks of a paper on one list, as a line to draw and as numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from paperround.editions.model import PaperRank

WIDTH, HEIGHT = 320, 104
"""Size of the drawing, in its own units."""
LEFT, RIGHT, TOP, BOTTOM = 28, 8, 10, 26
"""Margins that hold the labels."""
LEAST_DAYS = 3
"""The fewest days for a chart; a sentence is enough for fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTrace:
    """Ranks of different days, the oldest first; at least `LEAST_DAYS`."""

    ranks: tuple[PaperRank, ...]

    @property
    def first(self) -> PaperRank:
        """The oldest rank."""
        return self.ranks[0]

    @property
    def last(self) -> PaperRank:
        """The newest rank."""
        return self.ranks[-1]

    @property
    def best(self) -> int:
        """The best rank, the smallest number."""
        return min(one.paper.position for one in self.ranks)

    @property
    def worst(self) -> int:
        """The worst rank, at the bottom of the chart; rank 1 is at the top."""
        return max(one.paper.position for one in self.ranks)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The (x, y) of each rank, in a box of WIDTH by HEIGHT whose top is 0."""
        days = (self.last.day - self.first.day).days
        return tuple(
            (
                round(LEFT + (one.day - self.first.day).days / days * (WIDTH - LEFT - RIGHT), 1),
                round(TOP + self._depth(one) * (HEIGHT - TOP - BOTTOM), 1),
            )
            for one in self.ranks
        )

    def _depth(self, one: PaperRank) -> float:
        """How far down a rank is, from 0 to 1."""
        return (one.paper.position - 1) / max(self.worst - 1, 1)


def rank_trace(ranks: Iterable[PaperRank]) -> RankTrace | None:
    """The history on the list of the newest rank, from ranks of different days, the newest first.
    None for fewer days than a chart needs."""
    found = list(ranks)
    same = [one for one in found if one.list_name == found[0].list_name]
    return RankTrace(ranks=tuple(reversed(same))) if len(same) >= LEAST_DAYS else None
