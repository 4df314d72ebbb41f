"""Reports of evaluations: metrics with bootstrap intervals, and ranking measures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with the ends of its 90 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of an evaluation.

    `metrics` are ours by name; `baselines` those of other methods, by method and name. `against`
    has, by method and name, how much better ours is, resampled in pairs: an interval above 0 means
    that the difference is significant. `notes` describe the data.
    """

    task: str
    metrics: Mapping[str, Figure]
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    against: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


# Bootstrap: groups (days, weeks, readers, queries) are resampled with replacement.
#
# The percentile interval of Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
# 13. Values that are compared are resampled together, so that differences in difficulty between
# groups cancel out.

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

ROUNDS = 1000
LEVEL = 0.9


def mean_of(groups: Numbers, *, seed: int = 1) -> Figure:
    """Return the mean over groups, shape (groups,). Raises ValueError without groups."""
    return figure(lambda places: float(groups[places].mean()), len(groups), seed=seed)


def ahead_of(ours: Numbers, theirs: Numbers, *, seed: int = 1) -> Figure:
    """Return the paired difference of the means, both of shape (groups,).

    Raises ValueError for different shapes, and without groups.
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"pairs need equal groups, not {ours.shape} and {theirs.shape}")
    return mean_of(ours - theirs, seed=seed)


def compare(
    task: str,
    ours: Mapping[str, Numbers],
    others: Mapping[str, Mapping[str, Numbers]],
    notes: tuple[str, ...],
) -> Report:
    """Return the report of our results and those of other methods, with a number per group."""
    return Report(
        task=task,
        metrics={name: mean_of(numbers) for name, numbers in ours.items()},
        baselines={
            method: {name: float(numbers.mean()) for name, numbers in theirs.items()}
            for method, theirs in others.items()
        },
        against={
            method: {name: ahead_of(ours[name], numbers) for name, numbers in theirs.items()}
            for method, theirs in others.items()
        },
        notes=notes,
    )


def figure(statistic: Callable[[Places], float], groups: int, *, seed: int = 1) -> Figure:
    """Return the statistic of all groups, with its interval over `ROUNDS` resamplings.

    `statistic` takes the indices of the groups to count, with repeats. Raises ValueError without
    groups.
    """
    if groups < 1:
        raise ValueError("there is nothing to resample")
    drawn = np.random.default_rng(seed).integers(0, groups, size=(ROUNDS, groups))
    found = [statistic(places) for places in drawn]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value=statistic(np.arange(groups)), low=float(low), high=float(high))


def rank_correlation(ours: Sequence[float], actual: Sequence[float]) -> float:
    """Return Spearman's correlation with mean ranks for ties; 0 when all values are equal."""
    left, right = _centred_ranks(ours), _centred_ranks(actual)
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size else 0.0


def _centred_ranks(values: Sequence[float]) -> Numbers:
    ranks: Numbers = rankdata(np.asarray(values, dtype=np.float64))
    centred: Numbers = ranks - ranks.mean()
    return centred


def top_overlap(ours: Sequence[float], actual: Sequence[float], size: int = 5) -> float:
    """Return the share of the actual `size` highest that is in ours; the first of ties counts."""
    return len(set(highest(ours, size)) & set(highest(actual, size))) / size


def highest(values: Sequence[float], size: int) -> list[int]:
    """Return the indices of the `size` highest values, best first; of ties the first."""
    return sorted(range(len(values)), key=lambda place: (-values[place], place))[:size]
