"""What an evaluation found: our figures with how sure they are, and those of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Baselines(StrEnum):
    """Which other methods run beside ours: `fast` ones need nothing else and little time."""

    NONE = "none"
    FAST = "fast"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, and the ends of its 90 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`metrics` are ours by name; `baselines` those of others, by method and then by these names.

    `against` says of a method and a metric how much better ours is, each pair resampled together:
    when its interval lies above 0, the difference is no accident. `notes` tell what was counted.
    """

    task: str
    metrics: Mapping[str, Figure]
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    against: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


# How sure a figure is: groups (days, weeks, readers, queries) are drawn again with replacement.
#
# The percentile interval of Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
# 13. Figures that are compared are resampled together, so what a group makes easy for both cancels
# out.

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

ROUNDS = 1000
LEVEL = 0.9


def mean_of(groups: Numbers, *, seed: int = 1) -> Figure:
    """The mean over groups of one number each, shape (groups,). Raises ValueError for none."""
    return figure(lambda places: float(groups[places].mean()), len(groups), seed=seed)


def ahead_of(ours: Numbers, theirs: Numbers, *, seed: int = 1) -> Figure:
    """How much the mean of ours is above that of theirs, both of shape (groups,), paired."""
    if ours.shape != theirs.shape:
        raise ValueError(f"pairs need equal groups, not {ours.shape} and {theirs.shape}")
    return mean_of(ours - theirs, seed=seed)


def figure(statistic: Callable[[Places], float], groups: int, *, seed: int = 1) -> Figure:
    """The statistic of all groups, and the ends of its interval over `ROUNDS` resamplings.

    `statistic` gets the places of the groups to count, with repeats. Raises ValueError for no
    groups.
    """
    if groups < 1:
        raise ValueError("there is nothing to resample")
    drawn = np.random.default_rng(seed).integers(0, groups, size=(ROUNDS, groups))
    found = [statistic(places) for places in drawn]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value=statistic(np.arange(groups)), low=float(low), high=float(high))
