"""The mutants are fresh, and the runner tells a caught one from one that proves nothing."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.acceptance_points import points
from tests.mutants.__main__ import MUTANTS, ROOT
from tests.mutants.runner import Mutant, Result, is_stale, judge, read_mutants

ALL = read_mutants(MUTANTS)
ROOMS = frozenset("RSTDIWAPCO")
"""The letters of the points that are about reliability and security."""
UNBROKEN: Mapping[str, str] = MappingProxyType({})
"""Points of weight 3 that no patch of a few lines can break for a test of a few seconds, such as
those that only the long form of a test shows, each with the reason. There is none today."""
MUTANT = Mutant(
    name="wrong-sum",
    file="src/adding.py",
    before="a + b",
    after="a - b",
    test="tests/test_adding.py::test_it_adds",
    shows="C4",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "src/adding.py").write_text("def add(a, b):\n    return a + b\n\n\nHALF = 1 / 2\n")
    (tmp_path / "tests/test_adding.py").write_text(
        "from adding import add\n\n"
        "def test_it_adds():\n    assert add(2, 2) == 4\n\n"
        "def test_it_runs():\n    add(2, 2)\n"
    )
    return tmp_path


def test_the_text_to_break_stands_exactly_once() -> None:
    stale = [f"{one.name} in {one.file}" for one in ALL if is_stale(one, ROOT)]
    assert stale == [], "the files have changed: mend these"
    assert [one.name for one in ALL if one.before == one.after] == []
    assert {one.shows for one in ALL} <= points().keys()


def test_the_test_that_must_fail_exists() -> None:
    assert [one.name for one in ALL if not has_its_test(one)] == []


def has_its_test(mutant: Mutant) -> bool:
    path, _, name = mutant.test.partition("::")
    return name.split("[")[0].split("::")[-1] in functions_of(path)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the functions in a file of the tree."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def test_every_promise_that_must_not_break_has_a_break() -> None:
    vital = {one.id for one in points().values() if one.weight == 3 and one.id[0] in ROOMS}
    shown = {mutant.shows for mutant in ALL}
    assert vital - shown == UNBROKEN.keys(), "add a mutant for each, or say why there can be none"
    assert all(UNBROKEN.values())


def test_a_break_that_its_test_notices_is_caught_and_mended(tree: Path) -> None:
    before = (tree / MUTANT.file).read_text()
    assert judge(MUTANT, tree) is Result.CAUGHT
    assert (tree / MUTANT.file).read_text() == before


def test_a_break_that_its_test_overlooks_survives(tree: Path) -> None:
    test = "tests/test_adding.py::test_it_runs"
    assert judge(replace(MUTANT, test=test), tree) is Result.SURVIVED


def test_a_break_that_keeps_the_test_from_running_proves_nothing(tree: Path) -> None:
    assert judge(replace(MUTANT, before="1 / 2", after="1 / 0"), tree) is Result.BROKEN


def test_a_test_that_is_red_already_proves_nothing(tree: Path) -> None:
    (tree / "src/adding.py").write_text("def add(a, b):\n    return a + b + 1\n")
    assert judge(MUTANT, tree) is Result.RED_BEFORE


@pytest.mark.parametrize("before", ["a * b", "a"])
def test_text_that_is_missing_or_ambiguous_is_stale(tree: Path, before: str) -> None:
    assert judge(replace(MUTANT, before=before), tree) is Result.STALE
