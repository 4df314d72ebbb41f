"""Two orders of the same papers side by side: what differs, and which of them foresaw what came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.editions import Candidate, Ranked, Ranking
from paperround.domain.observations import Observation
from paperround.domain.papers import Paper, PaperId

LATER = timedelta(days=1)
"""How long after an order was made votes have to be counted to say what came of it."""

Gains = Mapping[PaperId, int]
"""The votes that papers won after an order was made; those not known are left out."""

_VOTES = "upvotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A paper with its place (from 1) in either order."""

    paper: Paper
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """Which share (0 to 1) of the papers that won most votes later each order had at its top."""

    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reordering:
    """What differs between two orders of `papers` papers.

    `came` and `went` are those that the other order does not have among its first `size`, best
    first. `correlation` is Spearman's of all places, -1 to 1; None for fewer than two papers.
    """

    papers: int
    size: int
    came: tuple[Moved, ...]
    went: tuple[Moved, ...]
    correlation: float | None
    foresight: Foresight | None = None

    @property
    def overlap(self) -> float:
        """The share of the first places that both orders give to the same papers."""
        return 1 - len(self.came) / self.size if self.size else 1.0


def reordering(before: Ranking, after: Ranking, *, size: int, gains: Gains) -> Reordering:
    """The two orders compared by their first `size` papers.

    Each may show another one of two near-duplicates: that is no difference.
    """
    mine, theirs = _places(before), _places(after)
    papers = {_work(item): item.paper for item in after.items}
    size = min(size, len(papers))
    moved = [Moved(paper=papers[one], before=mine[one], after=theirs[one]) for one in theirs]
    came = (one for one in moved if one.after <= size < one.before)
    went = (one for one in moved if one.before <= size < one.after)
    return Reordering(
        papers=len(papers),
        size=size,
        came=tuple(came),
        went=tuple(sorted(went, key=lambda one: one.before)),
        correlation=_spearman([(one.before, one.after) for one in moved]),
        foresight=_foresight(before, after, size, gains),
    )


def _places(ranking: Ranking) -> dict[PaperId, int]:
    return {_work(item): place for place, item in enumerate(ranking.items, start=1)}


def _work(item: Ranked) -> PaperId:
    """What a paper and its near-duplicates are called here, whichever of them is shown."""
    return min(item.paper.id, *item.folded) if item.folded else item.paper.id


def _spearman(pairs: Sequence[tuple[int, int]]) -> float | None:
    """1 - 6 sum(d^2) / (n (n^2 - 1)) for ranks without ties (Spearman, 1904)."""
    n = len(pairs)
    if n < 2:
        return None
    return 1 - 6 * sum((one - other) ** 2 for one, other in pairs) / (n * (n * n - 1))


def _foresight(before: Ranking, after: Ranking, size: int, gains: Gains) -> Foresight | None:
    """None when fewer than `size` papers are known to have won votes later."""
    won = {_work(item): _gain(item, gains) for item in after.items}
    winners = sorted((one for one in won if won[one] > 0), key=lambda one: (-won[one], one))
    if size == 0 or len(winners) < size:
        return None
    best = frozenset(winners[:size])
    shares = (
        len(best.intersection(map(_work, ranking.items[:size]))) / size
        for ranking in (before, after)
    )
    return Foresight(before=next(shares), after=next(shares))


def _gain(item: Ranked, gains: Gains) -> int:
    return max(gains.get(one, 0) for one in (item.paper.id, *item.folded))


def gained_votes(candidates: Sequence[Candidate], as_of: datetime) -> dict[PaperId, int]:
    """The votes each paper won after `as_of`, by the newest count of a day or more later.

    Of a paper that had no count by then they are known only if it was new: listed within a day
    before.
    """
    gains = {one.paper.id: _gained(one, as_of) for one in candidates}
    return {id_: gain for id_, gain in gains.items() if gain is not None}


def _gained(candidate: Candidate, as_of: datetime) -> int | None:
    counts = sorted(_counts(candidate), key=lambda one: one.captured_at)
    if not counts or counts[-1].captured_at < as_of + LATER:
        return None
    then = [one.value for one in counts if one.captured_at <= as_of]
    if then or candidate.paper.counts_from > as_of - LATER:
        return counts[-1].value - (then[-1] if then else 0)
    return None


def _counts(candidate: Candidate) -> Iterator[Observation]:
    return (one for one in candidate.observations if one.signal == _VOTES)
