"""Weights of gists, learned from marks."""

from pathlib import Path

import pytest

from paperround.papers.gist_features import WEIGHTS
from tests.conftest import real_data_folder
from tools import gist_fit
from tools.evaluate.gist import METRICS, Marked, read_marked, with_marks
from tools.gist_fit import SIGNS, cross_validated, figures_of, learned, table_of

IDEA = "We propose a method by doing number {}."
RESULT = "Our test is significantly better on {} rows."


def invented(number: int) -> Marked:
    """An abstract whose idea and result stand among fillings, in an order that changes."""
    parts = ["It has been hard.", IDEA.format(number), "Then it is.", RESULT.format(number)]
    turned = parts if number % 2 else [*parts[2:], *parts[:2]]
    text = " ".join(turned)
    idea, result = text.index(parts[1]), text.index(parts[3])
    return Marked(
        text=text,
        ideas=((idea, idea + len(parts[1])),),
        results=((result, result + len(parts[3])),),
    )


def test_what_readers_mark_gets_weight_of_the_expected_sign() -> None:
    weights = learned([invented(number) for number in range(20)])
    assert weights.keys() == SIGNS.keys()
    assert weights["at ours"][0] > 0
    assert weights["degree"][1] > 0
    assert weights["degree"][0] <= 0
    for name, pair in weights.items():
        for one, (low, high) in zip(pair, SIGNS[name], strict=True):
            assert low is None or one >= low
            assert high is None or one <= high


def test_abstracts_are_judged_by_weights_learned_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marked, seen = [invented(number) for number in range(20)], []

    def spied(others: list[Marked]) -> dict[str, tuple[float, float]]:
        seen.append({one.text for one in others})
        return dict(WEIGHTS)

    monkeypatch.setattr(gist_fit, "learned", spied)
    hits = cross_validated(marked, repeats=1)
    assert {len(texts) for texts in seen} == {18}
    assert len({frozenset(texts) for texts in seen}) == 10
    assert hits.keys() == METRICS.keys()


@pytest.fixture(scope="module")
def real() -> list[Marked]:
    file = real_data_folder() / "abstract_highlights" / "abstracts.jsonl.gz"
    return with_marks(read_marked(file), file)


def test_the_weights_in_use_are_those_that_are_learned(real: list[Marked]) -> None:
    found = learned(real)
    assert found.keys() == WEIGHTS.keys()
    for name, pair in found.items():  # the last digits differ between builds of the optimizer
        assert pair == pytest.approx(WEIGHTS[name], abs=0.05), name
    assert table_of({"place": (0.0, 3.92)}) == ['"place": (0.0, 3.92),']


@pytest.mark.accept("Q8", part="abstracts left out")
def test_abstracts_left_out_are_hit_as_often(real: list[Marked]) -> None:
    found = figures_of(cross_validated(real, repeats=1))
    assert found["idea"].value >= 0.60
    assert found["both"].value >= 0.40
    assert found["cut"].value <= 0.005
    assert found["dangling"].value == 0
    assert found["overlap_2"].value >= 0.86


def test_the_page_on_gists_shows_the_weights_in_use() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "gist.md").read_text()
    for name, (idea, result) in WEIGHTS.items():
        assert f"| {name} | {idea:g} | {result:g} |" in page
