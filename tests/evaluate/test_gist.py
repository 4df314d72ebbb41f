"""How gists are counted, and how many hit what readers marked."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.report import Report
from paperround.papers.gist import choose_gist, choose_two
from paperround.papers.gist_rewriting import Piece
from tools.evaluate.__main__ import app
from tools.evaluate.gist import evaluate_gist, read_marked

TEXT = (
    "Matching has been hard. We propose Foo, a method that learns from the wild by doing it all. "
    "It is one thing. Our method is 12% better. That is all."
)


def row(*spans: tuple[str, str]) -> dict[str, object]:
    """A row whose spans are the given pieces of `TEXT`, with their labels."""
    places = [(TEXT.index(piece), piece, label) for piece, label in spans]
    return {
        "abstract": TEXT,
        "spans": [
            {"start": at, "end": at + len(piece), "label": label} for at, piece, label in places
        ],
    }


def written(folder: Path, *rows: dict[str, object]) -> Path:
    file = folder / "abstracts.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_a_gist_counts_that_shares_a_character_with_an_idea_or_a_result(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        row(("Foo", "idea"), ("hard", "task")),
        row(("12%", "result")),
        row(("That is all.", "idea")),
        row(("hard", "problem")),
    )
    report = evaluate_gist(file, Baselines.FAST)
    assert (report.metrics["overlap_1"].value, report.metrics["overlap_2"].value) == (1 / 3, 2 / 3)
    assert "3 of 4 abstracts" in report.notes[0]
    last, first = report.baselines["last"], report.baselines["first"]
    assert (last["overlap_1"], last["overlap_2"]) == (1 / 3, 2 / 3)
    assert (first["overlap_1"], first["overlap_2"]) == (0.0, 1 / 3)
    assert report.against["first"]["overlap_2"].value == pytest.approx(1 / 3)


def test_an_abstract_counts_for_a_metric_only_with_the_marks_it_needs(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        row(("Foo", "idea"), ("12%", "result")),
        row(("one thing", "idea"), ("12%", "result")),
        row(("hard", "idea")),
        row(("12%", "result")),
    )
    metrics = evaluate_gist(file, Baselines.NONE).metrics
    assert (metrics["idea"].value, metrics["both"].value) == (1 / 3, 1 / 2)
    assert metrics["cut"].value == metrics["dangling"].value == 0


def test_an_opening_that_needs_another_sentence_is_counted(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"abstract": text, "spans": [{"start": 0, "end": 9, "label": "idea"}]}
        for text in ("It learns from the wild.", "We learn from the wild. It hums.")
    ]
    file = written(tmp_path, *rows)
    report = evaluate_gist(file, Baselines.FAST)
    assert report.metrics["dangling"].value == 1 / 2
    assert report.baselines["last"]["dangling"] == 1.0


def test_sentences_of_a_simpler_choice_have_the_same_limits(tmp_path: Path) -> None:
    text = "We like it" + " very much" * 40 + ". Bees hum."
    file = written(
        tmp_path, {"abstract": text, "spans": [{"start": 350, "end": 400, "label": "idea"}]}
    )
    longest = evaluate_gist(file, Baselines.FAST).baselines["longest"]
    assert (longest["cut"], longest["idea"], longest["overlap_2"]) == (1.0, 0.0, 0.0)


def test_baselines_can_be_left_out(tmp_path: Path) -> None:
    report = evaluate_gist(written(tmp_path, row(("Foo", "idea"))), Baselines.NONE)
    assert not report.baselines


def test_swapped_ends_are_set_right_and_what_lies_past_the_text_marks_nothing(
    tmp_path: Path,
) -> None:
    far = len(TEXT)
    spans = [
        {"start": 9, "end": 0, "label": "idea"},
        {"start": far - 4, "end": far + 50, "label": "result"},
        {"start": far, "end": far + 9, "label": "result"},
        {"start": 3, "end": 3, "label": "result"},
    ]
    [one] = read_marked(written(tmp_path, {"abstract": TEXT, "spans": spans}))
    assert (one.ideas, one.results) == (((0, 9),), ((far - 4, far),))
    assert one.is_hit([Piece("Matching", 0, 8)])
    assert not one.is_hit([Piece("has been hard", 9, far - 4)])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"abstract": TEXT}], "a list of spans"),
        ([{"spans": []}], "needs an abstract"),
        ([{"abstract": TEXT, "spans": [{"start": 1}]}], "a span needs"),
        ([{"abstract": TEXT, "spans": [{"start": "x", "end": 2, "label": "idea"}]}], "whole"),
        ([{"abstract": TEXT, "spans": [7]}], "a span needs"),
        ([row(("hard", "task"))], "no abstract with a mark"),
    ],
)
def test_files_of_another_form_are_refused(
    tmp_path: Path, rows: list[dict[str, object]], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        evaluate_gist(written(tmp_path, *rows), Baselines.NONE)


@pytest.mark.accept("F17", part="gist")
def test_the_command_prints_ours_beside_others(tmp_path: Path) -> None:
    file = written(tmp_path, row(("12%", "result")), row(("Foo", "idea")))
    result = CliRunner().invoke(app, ["gist", "--abstracts", str(file), "--json"])
    found = json.loads(result.stdout)
    assert found["task"] == "gist"
    assert found["metrics"].keys() == {"idea", "cut", "dangling", "overlap_1", "overlap_2"}
    assert found["baselines"].keys() == {"first", "last", "longest"}
    shown = CliRunner().invoke(app, ["gist", "--abstracts", str(file)]).stdout
    assert shown.splitlines()[1].startswith("idea")


@pytest.fixture(scope="module")
def real() -> Report:
    from tests.conftest import real_data_folder

    file = real_data_folder() / "abstract_highlights" / "abstracts.jsonl.gz"
    return evaluate_gist(file, Baselines.FAST)


@pytest.fixture(scope="module")
def real_abstracts() -> list[str]:
    from tests.conftest import real_data_folder

    marked = read_marked(real_data_folder() / "abstract_highlights" / "abstracts.jsonl.gz")
    return [one.text for one in marked]


@pytest.mark.accept("Q8", part="one sentence", mutant="a-gist-is-any-result")
def test_one_sentence_says_the_idea_and_is_rarely_cut(real: Report) -> None:
    assert real.metrics["idea"].value >= 0.62
    assert real.metrics["cut"].value <= 0.005
    assert real.metrics["dangling"].value == 0
    assert real.against["longest"]["idea"].low > 0.2


@pytest.mark.accept("Q8", part="two sentences", mutant="a-pair-is-two-ideas")
def test_two_sentences_say_the_idea_and_the_result(real: Report) -> None:
    assert real.metrics["both"].value >= 0.45
    assert real.metrics["overlap_2"].value >= 0.87
    assert real.against["last"]["overlap_2"].low > 0.08


@pytest.mark.accept("Q8", part="limits", mutant="one-sentence-is-longer")
def test_gists_of_real_abstracts_fit(real_abstracts: list[str]) -> None:
    for text in real_abstracts:
        assert 20 <= len(choose_gist("", text)) <= 240
        assert 20 <= len(choose_two("", text)) <= 320


@pytest.mark.accept("Q8", part="nothing is made up", mutant="a-gist-with-another-number")
def test_gists_of_real_abstracts_have_no_number_of_their_own(real_abstracts: list[str]) -> None:
    for text in real_abstracts:
        said = choose_gist("", text) + choose_two("", text)
        assert set(re.findall(r"\d+", said)) <= set(re.findall(r"\d+", text))
