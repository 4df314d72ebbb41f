"""What a reader gets, found one paper at a time: what `personal.selection` does for many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paperround.personal.keyword_index import Papers, bits
from paperround.personal.selection import OFFERED, REACH, SHORTLIST
from paperround.personal.views import PersonalView


@dataclass(frozen=True, kw_only=True)
class PlainDay:
    """What papers score, what b loses beside a, `costs[a][b]`, and how many are shown to all."""

    scores: Sequence[float]
    costs: Sequence[Sequence[float]]
    shown: int


@dataclass(frozen=True, kw_only=True)
class PlainPick:
    """The papers in order, and whether any was new, and any of those not muted."""

    places: list[int]
    unseen: bool
    heard: bool


def plain_pick(day: PlainDay, worth: Sequence[float], view: PersonalView) -> PlainPick:
    """The pick of one reader, to whom the papers are worth that beyond their scores."""
    line = [*range(day.shown), *offered(day, worth, view)]
    pinned = [
        place for place in bits(view.matches.followed | view.matches.wanted) if place not in line
    ]
    new = [place for place in (*line, *pinned) if not _in(view.sent | view.withheld, place)]
    heard = [place for place in new if not _in(view.matches.muted, place)]
    scores = {place: _score(day, worth, view, place) for place in heard}
    floor = float("-inf") if view.floor is None else view.floor
    wanted = [place for place in heard if scores[place] >= floor]
    taken: list[int] = []
    for group in _groups(day, view, wanted):
        taken += spread(day, scores, group, view.size - len(taken), taken)
    return PlainPick(places=taken, unseen=bool(new), heard=bool(heard))


def offered(day: PlainDay, worth: Sequence[float], view: PersonalView) -> list[int]:
    """The best behind the edition that are new to the reader and not muted, best first."""
    best = sorted(range(len(day.scores)), key=lambda place: -(worth[place] + day.scores[place]))
    hidden = view.sent | view.matches.muted
    behind = (place for place in best[: REACH * view.size] if place >= day.shown)
    return [place for place in behind if not _in(hidden, place)][: OFFERED * view.size]


def spread(
    day: PlainDay,
    scores: dict[int, float],
    line: Sequence[int],
    size: int,
    before: Sequence[int] = (),
) -> list[int]:
    """The best `size` of a line of papers, each worth less beside those like it."""
    if size < 1:
        return []
    beside = {one: max((day.costs[other][one] for other in before), default=0) for one in line}
    short = sorted(line, key=lambda one: beside[one] - scores[one])[: SHORTLIST * size]
    taken: list[int] = []
    while short and len(taken) < size:
        best = max(short, key=lambda one: scores[one] - beside[one])
        short.remove(best)
        taken.append(best)
        beside |= {one: max(beside[one], day.costs[best][one]) for one in short}
    return taken


def _groups(day: PlainDay, view: PersonalView, wanted: Sequence[int]) -> Iterator[list[int]]:
    pinned = view.matches.followed | view.matches.wanted
    yield [place for place in wanted if _in(view.matches.followed, place)]
    yield [place for place in wanted if _in(view.matches.wanted & ~view.matches.followed, place)]
    others = [place for place in wanted if not _in(pinned, place)]
    if any(_lift(view, place) for place in others):
        others.sort(key=lambda place: -(day.scores[place] + _lift(view, place)))
    yield others


def _score(day: PlainDay, worth: Sequence[float], view: PersonalView, place: int) -> float:
    return day.scores[place] + _lift(view, place) + round(worth[place], 4)


def _lift(view: PersonalView, place: int) -> float:
    return view.matches.lift_of(place)


def _in(papers: Papers, place: int) -> bool:
    return bool(papers >> place & 1)
