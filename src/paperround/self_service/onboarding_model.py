"""Onboarding by ratings: choose papers to rate, and find what the good ones have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from paperround.editions.model import EditionPaper
from paperround.papers.model import Paper, PaperId
from paperround.papers.stems import stems
from paperround.subscribers.interests import Interest

GOOD, BAD = "good", "bad"
ENOUGH_GOOD, ENOUGH_BAD = 5, 3
MOST_JUDGED = 60
"""Ratings that are stored at a time."""

_LOOKED_AT = 5
"""Candidates per paper chosen; the most different ones are chosen among them."""

_COST = 2.0
"""The penalty for equalling a chosen paper; 1 is the distance from the first to the last place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """A page of papers to rate; `page` counts from 1, `more` tells whether another page follows."""

    papers: tuple[EditionPaper, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What the papers rated good have in common, as interests to choose from."""

    good: tuple[Paper, ...]
    bad: tuple[Paper, ...]
    topics: tuple[Interest, ...] = ()
    authors: tuple[Interest, ...] = ()
    categories: tuple[Interest, ...] = ()


def pick_diverse(papers: Sequence[Paper], *, most: int) -> list[Paper]:
    """Return at most `most` papers that differ from each other, preferring earlier ones."""
    pool = list(papers[: most * _LOOKED_AT])
    said = {one.id: frozenset(stems(f"{one.title} {' '.join(one.keywords)}")) for one in pool}
    nearest: dict[PaperId, float] = dict.fromkeys(said, 0.0)
    place = {one.id: number / max(1, len(pool)) for number, one in enumerate(pool)}
    chosen: list[Paper] = []
    while pool and len(chosen) < most:
        best = min(pool, key=lambda one: (place[one.id] + _COST * nearest[one.id], one.id))
        chosen.append(best)
        pool.remove(best)
        for one in pool:
            mine, theirs = said[one.id], said[best.id]
            alike = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
            nearest[one.id] = max(nearest[one.id], alike)
    return chosen


def common_categories(good: Sequence[Paper], bad: Sequence[Paper], *, most: int) -> tuple[str, ...]:
    """Return categories of at least two good papers that are rarer among the bad ones, most
    frequent first."""
    counts, against = (
        Counter(one for paper in papers for one in set(paper.categories)) for papers in (good, bad)
    )
    kept = [one for one, count in counts.items() if count >= 2 and count > against[one]]
    return tuple(sorted(kept, key=lambda one: (-counts[one], one))[:most])


def distinguishing_authors(
    good: Sequence[Paper], bad: Sequence[Paper], *, most: int
) -> tuple[str, ...]:
    """Return authors of good papers who wrote none of the bad ones: first those of several papers,
    then the first and last author of each."""
    unwanted = {name for paper in bad for name in paper.authors}
    counts = Counter(name for paper in good for name in dict.fromkeys(paper.authors))
    several = [name for name, count in counts.most_common() if count > 1]
    ends = (name for paper in good for name in (*paper.authors[:1], *paper.authors[-1:]))
    named = dict.fromkeys((*several, *ends))
    return tuple(name for name in named if name not in unwanted and name.strip())[:most]
