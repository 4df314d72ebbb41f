"""Dated counts of one signal for one paper. Null is not zero, and counts may fall."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`value` of `signal`; `captured_at` is None until the ingest run dates it."""

    signal: str
    value: int
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A count with its date. The key of one is (paper, signal, captured_at).

    `scale` names whose count it is: ten votes are many in one place and few in another.
    """

    signal: str
    captured_at: datetime
    value: int
    scale: str = ""
