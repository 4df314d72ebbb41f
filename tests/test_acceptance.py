"""The acceptance table: what its marks must say, and what its states mean."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import NOT_RUN, Shown, measured, state
from tests.acceptance_points import Point, points
from tests.marks import written_marks
from tests.mutants.__main__ import MUTANTS
from tests.mutants.runner import read_mutants

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
OLD_MARKS = ROOT / "tests" / "marks_without_mutant.txt"
PROJECT = """
    import pytest

    @pytest.mark.accept({mark})
    def test_it():
        assert {claim}
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]\nmarkers = accept: shows a point")
    return pytester


def outcome(run: pytest.Pytester, *arguments: str) -> dict[str, int]:
    plugins = ["-p", "tests.acceptance_plugin", "-p", "no:randomly", "-p", "no:xdist"]
    return run.runpytest_inprocess(*plugins, *arguments).parseoutcomes()


def test_a_mark_with_an_unknown_id_fails_its_test(run: pytest.Pytester) -> None:
    run.makepyfile(PROJECT.format(mark="'F999'", claim=True))
    assert outcome(run) == {"errors": 1}


def test_the_last_outcome_of_a_marked_test_is_kept(run: pytest.Pytester) -> None:
    path = run.makepyfile(PROJECT.format(mark="'F01'", claim=False))
    outcome(run)
    kept = run.path / ".pytest_cache/v/paperround/acceptance"
    assert f'"{path.name}::test_it": "failed"' in kept.read_text()


POINT = Point("F20", 3, "reasons", parts=("mail", "page"))


def test_the_worst_result_of_its_tests_is_a_points_state() -> None:
    results = ["passed", "failed", NOT_RUN]
    whole = Point("F20", 3, "reasons")
    assert state(whole, [Shown("t", None, result) for result in results]) == "failed"


def test_a_point_that_is_made_of_parts_is_not_shown_by_a_mark_without_one() -> None:
    assert state(POINT, [Shown("t", None, "passed")]) == "part: passed"


def test_some_parts_alone_do_not_show_a_point() -> None:
    assert state(POINT, [Shown("t", "mail", "passed")]) == "part: passed"
    unparted = Point("F20", 3, "reasons")
    assert state(unparted, [Shown("t", "mail", "passed")]) == "part: passed"


def test_all_the_parts_that_a_point_is_made_of_show_it() -> None:
    parts = ("page", "an extra", "mail")
    assert state(POINT, [Shown("t", part, "passed") for part in parts]) == "passed"


@pytest.mark.parametrize(
    ("met", "result"), [([], NOT_RUN), ([True, True], "passed"), ([True, False], "failed")]
)
def test_a_benchmark_shows_its_point_when_all_its_bars_are_met(
    tmp_path: Path, met: list[bool], result: str
) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"rows": [{"id": "B1", "met": one} for one in met]}))
    assert measured(["B1"], file)["B1"] == Shown("./run bench B1", None, result)
    assert measured(["B1"], tmp_path / "none.json")["B1"].result == NOT_RUN


def test_every_point_has_a_weight_and_words_of_its_own() -> None:
    table = points()
    assert {point.weight for point in table.values()} == {1, 2, 3}
    assert len({point.says for point in table.values()}) == len(table)


@pytest.mark.slow
def test_the_command_prints_every_point_with_the_tests_of_this_tree() -> None:
    """With those of one place: all take as long as collecting."""
    places = ["tests/test_house_rules.py"]
    command = [sys.executable, "-m", "tests.acceptance", "--json", *places]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stdout + printed.stderr
    table = json.loads(printed.stdout)
    assert list(table) == list(points())
    shown = [one["test"] for one in table["C4"]["tests"]]
    assert any("test_nothing_turns_bytes_into_code" in test for test in shown)


def test_a_mark_of_a_whole_point_names_the_break_that_it_catches() -> None:
    """Those of before are listed in a file that may only become shorter."""
    unproved = {
        f"{mark.id} {mark.test}"
        for mark in written_marks()
        if mark.part is None and mark.mutant is None
    }
    known = OLD_MARKS.read_text(encoding="utf-8").splitlines()
    assert sorted(unproved) == known, "name a mutant, or take the line out of the file"


def test_a_mark_names_a_break_of_its_own_test() -> None:
    breaks = {one.name: one.test.split("[")[0] for one in read_mutants(MUTANTS)}
    named = {mark.mutant: mark.test for mark in written_marks() if mark.mutant is not None}
    assert named == {name: breaks.get(name) for name in named}


def test_each_part_that_a_point_is_made_of_has_a_test() -> None:
    shown = {(mark.id, mark.part) for mark in written_marks()}
    wanted = {(point.id, part) for point in points().values() for part in point.parts}
    assert wanted - shown == set()
