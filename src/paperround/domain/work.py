"""Work by name, for whatever runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work by name. `arguments` hold ids only: the rows they name are the truth.

    Of jobs with the same `lock` one may run and one may wait: a third is not taken. Lower
    `priority` runs first. `attempts` counts earlier failures. A `periodic` job that fails is not
    tried again: it is asked for again anyway, and its next try must not be in the way.
    """

    task: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)
    lock: str | None = None
    priority: int = 0
    not_before: datetime | None = None
    attempts: int = 0
    periodic: bool = False
