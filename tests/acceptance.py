"""Which tests show which acceptance point:
`python -m tests.acceptance [--uncovered] [--json] [PATH ...]`.

Tests are collected, not run; results are those of the last run of each test, and of the last
`./run bench` for what it measures.
"""

import argparse
import contextlib
import io
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import pytest

from tests.acceptance_points import CACHE_KEY, Point, marks, points

NOT_RUN = "not run"
_WORST_FIRST = ("failed", NOT_RUN, "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Shown:
    """A test or benchmark that shows a point or a part of it, and how its last run went."""

    test: str
    part: str | None
    result: str


class Collector:
    """A pytest plugin that notes every marked test, long ones included."""

    def __init__(self) -> None:
        self.shown: dict[str, list[Shown]] = defaultdict(list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Note the marks before anything is left out."""
        results: Mapping[str, str] = config.cache.get(CACHE_KEY, {})
        for item in items:
            for mark in marks(item):
                result = results.get(item.nodeid, NOT_RUN)
                self.shown[mark.id].append(Shown(item.nodeid, mark.part, result))


def state(point: Point, shown: list[Shown]) -> str:
    """`none`, or the worst last result, with `part:` before it while some of it is not shown."""
    if not shown:
        return "none"
    worst = min((one.result for one in shown), key=_WORST_FIRST.index)
    return worst if is_whole(point, shown) else f"part: {worst}"


def is_whole(point: Point, shown: list[Shown]) -> bool:
    """Whether tests show each part that the point is made of; for one that has no parts, whether a
    test shows all of it."""
    parts = {one.part for one in shown}
    return parts.issuperset(point.parts) if point.parts else None in parts


def measured(names: Iterable[str], results: Path) -> dict[str, Shown]:
    """What each benchmark says of its point, by the id: whether all its bars were met last time."""
    rows = json.loads(results.read_text(encoding="utf-8"))["rows"] if results.exists() else []
    met = {name: [row["met"] for row in rows if row["id"] == name] for name in names}
    return {name: Shown(f"./run bench {name}", None, _of_bars(bars)) for name, bars in met.items()}


def _of_bars(met: list[bool]) -> str:
    if not met:
        return NOT_RUN
    return "passed" if all(met) else "failed"


def lines(point: Point, shown: list[Shown]) -> list[str]:
    """The point in one line, and one line for each of its tests."""
    head = f"{point.id:<4} {point.weight}  {state(point, shown):<13} {point.says}"
    return [head, *(f"        {_describe(one)}" for one in shown)]


def _describe(one: Shown) -> str:
    part = f" [{one.part}]" if one.part else ""
    return f"{one.test}{part}: {one.result}"


def collect(*paths: str) -> dict[str, list[Shown]]:
    """Every marked test below `paths` by point, by default of the whole tree; raises SystemExit
    with pytest's words when that fails."""
    collector = Collector()
    said = io.StringIO()
    command = ["--collect-only", "-q", "-p", "no:randomly", *paths]
    with contextlib.redirect_stdout(said):
        code = pytest.main(command, plugins=[collector])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(said.getvalue())
    # Not before pytest has run, which must be the first to import what it rewrites
    benchmarks = import_module("benchmarks.__main__")
    for key, benchmark in measured(benchmarks.BENCHMARKS, benchmarks.RESULTS).items():
        collector.shown[key].append(benchmark)
    return collector.shown


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--uncovered", action="store_true", help="only points not shown whole")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only the tests below these")
    options = parser.parse_args(arguments)
    shown = collect(*options.paths)
    table = {point: shown.get(key, []) for key, point in points().items()}
    whole = sum(state(point, tests) == "passed" for point, tests in table.items())
    summary = f"{whole} of {len(table)} points are shown whole by passing tests"
    if options.uncovered:
        table = {point: tests for point, tests in table.items() if not is_whole(point, tests)}
    text = _as_json(table) if options.json else "\n".join([*_as_lines(table), summary])
    print(text)  # noqa: T201 - its whole purpose


def _as_json(table: Mapping[Point, list[Shown]]) -> str:
    rows = {
        point.id: {
            "weight": point.weight,
            "says": point.says,
            "state": state(point, shown),
            "tests": [asdict(one) for one in shown],
        }
        for point, shown in table.items()
    }
    return json.dumps(rows, indent=2)


def _as_lines(table: Mapping[Point, list[Shown]]) -> list[str]:
    return [line for point, shown in table.items() for line in lines(point, shown)]


if __name__ == "__main__":
    main(sys.argv[1:])
