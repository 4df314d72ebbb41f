"""What an evaluation found: our figures with how sure they are, and those of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
