"""A few papers to judge: "five good, three bad" tell more than a list of words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from paperround.papers.model import Paper, PaperId
from paperround.papers.stems import stems
from paperround.subscribers.interests import Interest

GOOD, BAD = "good", "bad"
ENOUGH_GOOD, ENOUGH_BAD = 5, 3
MOST_JUDGED = 60
"""Papers that are judged at a time."""

_LOOKED_AT = 5
"""Of so many papers for each that is wanted the ones that differ most are chosen."""

_COST = 2.0
"""What being just like a chosen paper costs, in places from the first to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPaper:
    """A paper to be judged, as its edition told of it."""

    paper_id: PaperId
    title: str
    authors: tuple[str, ...]
    gist: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """A page of papers to judge; `page` counts from 1, `more` says whether another follows."""

    papers: tuple[JudgedPaper, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What the papers judged good have in common, as interests to choose from."""

    good: tuple[Paper, ...]
    bad: tuple[Paper, ...]
    topics: tuple[Interest, ...] = ()
    authors: tuple[Interest, ...] = ()
    categories: tuple[Interest, ...] = ()


def spread_out(papers: Sequence[Paper], *, most: int) -> list[Paper]:
    """At most so many of them, which differ from each other; earlier ones before later ones."""
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
    """The categories that at least two of the good papers are in, and more of them than of the bad
    ones; most frequent first."""
    counts, against = (
        Counter(one for paper in papers for one in set(paper.categories)) for papers in (good, bad)
    )
    kept = [one for one, count in counts.items() if count >= 2 and count > against[one]]
    return tuple(sorted(kept, key=lambda one: (-counts[one], one))[:most])


def telling_authors(good: Sequence[Paper], bad: Sequence[Paper], *, most: int) -> tuple[str, ...]:
    """Who wrote the good papers, and none of the bad ones: whoever wrote several, then the first
    and the last named of each."""
    unwanted = {name for paper in bad for name in paper.authors}
    counts = Counter(name for paper in good for name in dict.fromkeys(paper.authors))
    several = [name for name, count in counts.most_common() if count > 1]
    ends = (name for paper in good for name in (*paper.authors[:1], *paper.authors[-1:]))
    named = dict.fromkeys((*several, *ends))
    return tuple(name for name in named if name not in unwanted and name.strip())[:most]
