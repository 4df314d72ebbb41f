"""No submitter and no topic fills a digest: the surplus goes behind the stretch it would crowd."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

STEP = 0.0001
"""The smallest difference between two scores, which are rounded to 4 places."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A paper's claim on a position; sorts best first. `index` is the caller's own."""

    behind: float
    """The score with its sign turned, so that the highest sorts first."""
    tie: tuple[str, int]
    index: int
    holder: str | None
    """The submitter or the topic that the place counts for."""


def lowered_scores(places: Sequence[Place], *, cap: int, block: int) -> dict[int, float]:
    """By index, the new score of each paper that must move down; empty without a cap (0).

    Walks the order in stretches of `block` places. Within one, a holder has `cap` places at most;
    what exceeds them follows right behind the stretch and competes in the next one. Papers without
    a holder never move.
    """
    lowered: dict[int, float] = {}
    queue = sorted(places)
    while cap > 0 and len(queue) > cap:
        surplus, last = _take_block(queue, cap, block)
        for step, place in enumerate(surplus, start=1):
            moved = _moved(place, round(-last - STEP * step, 4))
            if moved.behind > place.behind:
                lowered[place.index] = -moved.behind
            heapq.heappush(queue, max(place, moved))
    return lowered


def _take_block(queue: list[Place], cap: int, block: int) -> tuple[list[Place], float]:
    """Take one stretch off the queue; returns what exceeded the cap, and the last one's place."""
    held: Counter[str] = Counter()
    surplus: list[Place] = []
    taken, last = 0, 0.0
    while queue and taken < block:
        place = heapq.heappop(queue)
        if place.holder is not None and held[place.holder] >= cap:
            surplus.append(place)
            continue
        taken, last = taken + 1, place.behind
        held.update([place.holder] if place.holder is not None else [])
    return surplus, last


def _moved(place: Place, score: float) -> Place:
    return Place(behind=-score, tie=place.tie, index=place.index, holder=place.holder)
