"""Which tests show which acceptance point: `python -m tests.acceptance [--uncovered] [--json]`.

Tests are collected, not run; results are those of the last run of each test.
"""

import argparse
import contextlib
import io
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pytest

from tests.acceptance_points import CACHE_KEY, Point, marks, points

NOT_RUN = "not run"
_WORST_FIRST = ("failed", NOT_RUN, "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Shown:
    """A test that shows a point or a part of it, and how its last run went."""

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


def state(shown: list[Shown]) -> str:
    """`none`, or the worst last result, with `part:` before it when no test shows the whole."""
    if not shown:
        return "none"
    worst = min((one.result for one in shown), key=_WORST_FIRST.index)
    return worst if is_whole(shown) else f"part: {worst}"


def is_whole(shown: list[Shown]) -> bool:
    """Whether some test shows all of the point."""
    return any(one.part is None for one in shown)


def lines(point: Point, shown: list[Shown]) -> list[str]:
    """The point in one line, and one line for each of its tests."""
    head = f"{point.id:<4} {point.weight}  {state(shown):<13} {point.says}"
    return [head, *(f"        {_describe(one)}" for one in shown)]


def _describe(one: Shown) -> str:
    part = f" [{one.part}]" if one.part else ""
    return f"{one.test}{part}: {one.result}"


def collect() -> dict[str, list[Shown]]:
    """Every marked test by point; raises SystemExit with pytest's words when that fails."""
    collector = Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:randomly"], plugins=[collector])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(said.getvalue())
    return collector.shown


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--uncovered", action="store_true", help="only points not shown whole")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments)
    shown = collect()
    table = {point: shown.get(key, []) for key, point in points().items()}
    whole = sum(state(tests) == "passed" for tests in table.values())
    summary = f"{whole} of {len(table)} points are shown whole by passing tests"
    if options.uncovered:
        table = {point: tests for point, tests in table.items() if not is_whole(tests)}
    text = _as_json(table) if options.json else "\n".join([*_as_lines(table), summary])
    print(text)  # noqa: T201 - its whole purpose


def _as_json(table: Mapping[Point, list[Shown]]) -> str:
    rows = {
        point.id: {
            "weight": point.weight,
            "says": point.says,
            "state": state(shown),
            "tests": [asdict(one) for one in shown],
        }
        for point, shown in table.items()
    }
    return json.dumps(rows, indent=2)


def _as_lines(table: Mapping[Point, list[Shown]]) -> list[str]:
    return [line for point, shown in table.items() for line in lines(point, shown)]


if __name__ == "__main__":
    main(sys.argv[1:])
