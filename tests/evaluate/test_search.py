"""Search measured: on a few invented papers, and on the public collections in place."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.report import Report
from paperround.papers.stems import words
from paperround.ranking.relevance import Balance
from tools.evaluate.__main__ import app
from tools.evaluate.search import (
    METRIC,
    Bm25,
    Document,
    Judgement,
    indexed,
    measure,
    ndcg,
    read_collection,
)
from tools.left_out import (
    BALANCES,
    Tried,
    left_out_collections,
    left_out_halves,
    main,
    tried,
)

DOCUMENTS = (
    {"id": "a", "title": "Ranked retrieval", "summary": "Papers are ranked."},
    {"id": "b", "title": "The of and", "summary": "What is ranking of the and?", "authors": "B"},
    {"id": "c", "title": "Leaves", "summary": "Plants grow.", "authors": ["C"]},
    {"id": "d", "title": "", "summary": ""},
)

MUST = (("cranfield", 1.15), ("cacm", 1.15), ("cisi", 1.10), ("s2_search_clicks", 1.08))
"""What our gain must be, as a multiple of that of bare BM25."""


def lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return lines(tmp_path / "docs.jsonl", *DOCUMENTS)


def document(id_: str, title: str) -> Document:
    return Document(id=id_, title=title, abstract="", authors=())


def test_gains_are_discounted_by_rank_and_measured_against_the_best_order() -> None:
    grades = {"a": 1.0, "b": 1.0, "c": 0.0, "d": -1.0}
    assert ndcg(["a", "b", "c"], grades) == 1
    assert ndcg(["c", "d", "x"], grades) == 0
    assert ndcg(["c", "a"], {"a": 1.0}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg([*"cccccccccc", "a"], {"a": 1.0}) == 0, "only ten count"


def test_bm25_is_what_its_formula_says() -> None:
    found = Bm25([document("a", "x y"), document("b", "x x x x"), document("c", "z")], words)
    assert found.find(Judgement(number=1, text="x", grades={})) == ["b", "a"]
    asked = Judgement(number=1, text="z", grades={}, among=("a", "c"))
    assert found.find(asked) == ["c", "a"]


def test_our_search_is_measured_beside_the_others(tmp_path: Path, documents: Path) -> None:
    queries = lines(
        tmp_path / "queries.jsonl",
        {"id": 1, "text": "the rank of papers", "relevant": {"a": 1, "b": 0}},
        {"id": 2, "text": "nobody judged this", "relevant": {"c": 0}},
    )
    report = measure(queries, documents, baselines=Baselines.FAST)
    assert report.metrics[METRIC].value == 1
    assert set(report.baselines) == {"bm25", "bm25_stemmed"}
    assert report.baselines["bm25"][METRIC] < 1
    assert report.notes[0] == "1 queries, 1 without a right answer left out, 4 documents"


def test_the_order_of_candidates_in_a_file_gives_nothing_away(tmp_path: Path) -> None:
    alike = [{"id": f"c{n}", "title": "Leaves", "summary": "", "clicked": 0} for n in range(10)]
    rows = [
        {"text": "absent", "candidates": [dict(one, clicked=int(n == 0)) for n, one in each]}
        for each in [list(enumerate(alike))] * 40
    ]
    report = measure(lines(tmp_path / "q.jsonl", *rows), None, baselines=Baselines.FAST)
    assert report.metrics[METRIC].value < 0.7
    assert report.baselines["bm25"][METRIC] == report.metrics[METRIC].value


def test_files_that_answer_nothing_are_refused(tmp_path: Path, documents: Path) -> None:
    queries = lines(tmp_path / "q.jsonl", {"text": "x", "relevant": {"a": 1}})
    with pytest.raises(InvalidInput, match="--docs is missing"):
        measure(queries, None, baselines=Baselines.NONE)
    unjudged = lines(tmp_path / "u.jsonl", {"text": "x"}, {"relevant": 7, "candidates": 3})
    with pytest.raises(InvalidInput, match="no query with a right answer"):
        measure(unjudged, documents, baselines=Baselines.NONE)


@pytest.mark.accept("F17", part="search")
def test_the_command_prints_the_figures(tmp_path: Path, documents: Path) -> None:
    queries = lines(tmp_path / "q.jsonl", {"text": "leaves", "relevant": {"c": 1}})
    given = ["search", "--queries", str(queries), "--docs", str(documents)]
    told = CliRunner().invoke(app, [*given, "--json"])
    answer = json.loads(told.stdout)
    assert answer["task"] == "search"
    assert set(answer["metrics"]["ndcg_at_10"]) == {"value", "low", "high"}
    assert set(answer["baselines"]) == {"bm25", "bm25_stemmed"}
    alone = CliRunner().invoke(app, [*given, "--json", "--baselines", "none"])
    assert json.loads(alone.stdout)["baselines"] == {}
    assert "ndcg_at_10" in CliRunner().invoke(app, given).stdout


def test_the_tool_tells_what_is_left_on_queries_left_out(
    tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [{"text": text, "relevant": {"c": 1}} for text in ("leaves", "plants", "plants grow")]
    main(lines(tmp_path / "q.jsonl", *asked), documents)
    assert capsys.readouterr().out == (
        "ours / bm25 on queries left out, 500 halves: 1.000 on average,"
        " 1.000 or less in a quarter of them\n"
    )


@pytest.mark.accept("Q7", part="left-out queries", mutant="the-choice-sees-its-test")
def test_what_was_chosen_on_one_half_is_measured_on_the_other() -> None:
    lucky = Tried(ours=np.eye(8), bare=np.full(8, 0.5))
    assert left_out_halves(lucky).max() == 0, "each balance is good for one query alone"
    steady = Tried(ours=np.vstack([np.zeros(8), np.ones(8)]), bare=np.full(8, 0.5))
    assert set(left_out_halves(steady)) == {2.0}
    assert list(left_out_halves(lucky)) == list(left_out_halves(lucky)), "the same each time"


@pytest.mark.accept("Q7", part="left-out collections", mutant="a-collection-has-a-say-in-its-own")
def test_what_was_chosen_on_other_collections_is_measured_on_the_one_left_out() -> None:
    of_first = Tried(ours=np.array([[1.0, 1.0], [0.0, 0.0]]), bare=np.ones(2))
    of_second = Tried(ours=np.array([[0.0], [0.5]]), bare=np.ones(1))
    assert left_out_collections({"a": of_first, "b": of_second}) == {"a": 0, "b": 0}


def gains(folder: Path) -> Tried:
    queries, documents = next(folder.glob("queries.jsonl*")), next(folder.glob("docs.jsonl*"), None)
    collection = read_collection(queries, documents)
    with indexed(collection) as database:
        return tried(collection, database)


@pytest.mark.accept("Q7", part="left-out queries")
def test_clicks_that_had_no_say_in_the_choice_are_found_better_than_with_bm25(
    real_data: Path,
) -> None:
    found = gains(real_data / "retrieval" / "s2_search_clicks")
    ratios = left_out_halves(found)
    assert ratios.mean() >= 1.12
    assert np.quantile(ratios, 0.25) >= 1.08
    assert found.ratio(BALANCES.index(Balance())) >= ratios.mean() - 0.05, "ours is such a choice"


@pytest.mark.long
@pytest.mark.accept("Q7", part="left-out collections")
def test_a_collection_that_had_no_say_in_the_choice_is_searched_better_than_with_bm25(
    real_data: Path,
) -> None:
    folders = {name: real_data / "retrieval" / name for name, _ in MUST}
    found = left_out_collections({name: gains(folder) for name, folder in folders.items()})
    assert not {name: found[name] for name, bare in MUST if found[name] < bare}


def ratio(report: Report, method: str) -> float:
    return report.metrics[METRIC].value / report.baselines[method][METRIC]


@pytest.mark.accept("Q7", part="public collections")
@pytest.mark.parametrize(("name", "bare"), MUST)
def test_the_public_collections_are_searched_better_than_with_bm25(
    real_data: Path, name: str, bare: float
) -> None:
    folder = real_data / "retrieval" / name
    queries = next(folder.glob("queries.jsonl*"))
    documents = next(folder.glob("docs.jsonl*"), None)
    report = measure(queries, documents, baselines=Baselines.FAST)
    assert ratio(report, "bm25") >= bare
    assert ratio(report, "bm25_stemmed") >= 1
    assert report.against["bm25"][METRIC].low > 0
