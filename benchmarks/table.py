"""Format the results of benchmarks, with their bars, as a table and as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Bar:
    """The bound of a value, inclusive."""

    kind: Literal["at least", "at most"]
    bound: float

    def is_met(self, value: float) -> bool:
        """Whether `value` is within the bound."""
        return value >= self.bound if self.kind == "at least" else value <= self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of the table. `id` is the acceptance point, `unit` empty for a ratio."""

    id: str
    measure: str
    value: float
    bar: Bar
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the value meets its bar."""
        return self.bar.is_met(self.value)


def as_table(rows: Sequence[Measured]) -> str:
    """The rows in aligned columns: id, measure, value, bar."""
    cells = [("id", "measure", "value", "bar"), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def _cells(row: Measured) -> tuple[str, str, str, str]:
    missed = "" if row.is_met else "  missed"
    bar = f"{row.bar.kind} {row.bar.bound:g}{missed}"
    return row.id, row.measure, f"{row.value:.3g} {row.unit}".rstrip(), bar


def as_json(rows: Sequence[Measured]) -> str:
    """The rows, whether each meets its bar, and the machine they were measured on."""
    return json.dumps(
        {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "rows": [{**asdict(row), "met": row.is_met} for row in rows],
        },
        indent=2,
    )
