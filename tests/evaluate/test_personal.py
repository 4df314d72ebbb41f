"""The hidden half of a library is found by its words, and no method sees more than the others."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.papers import read_rows
from paperround.evaluate.report import Report
from tools.evaluate.personal import (
    EvaluatedReader,
    Libraries,
    baselines_of,
    evaluate_personal,
    read_libraries,
    recalls,
    tfidf,
)

SUBJECTS = 50
EACH = 20


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """Papers of fifty subjects; each has three of its subject's eight words, and common ones."""
    random = np.random.default_rng(7)
    return written(
        tmp_path / "items.jsonl",
        [
            {
                "id": f"p{number}",
                "words": {
                    **{f"s{number % SUBJECTS}w{w}": 1 for w in random.choice(8, 3, replace=False)},
                    **{f"common{w}": 2 for w in random.choice(30, 5, replace=False)},
                },
            }
            for number in range(SUBJECTS * EACH)
        ],
    )


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """Everybody keeps the papers of one subject; one keeps too few to count."""
    kept = [[f"p{subject + SUBJECTS * k}" for k in range(16)] for subject in range(0, SUBJECTS, 2)]
    return written(
        tmp_path / "users.jsonl",
        [{"user": n, "items": mine} for n, mine in enumerate([*kept, ["p1", "p2"]])],
    )


def written(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def report(items: Path, users: Path) -> Report:
    return evaluate_personal(items, users, Baselines.FAST)


@pytest.mark.accept("F17", part="personal")
def test_the_hidden_half_is_found_beside_the_others_on_the_same_readers(report: Report) -> None:
    assert report.metrics["recall_at_50"].value > 0.95
    assert list(report.baselines) == ["tfidf_centroid", "zotero_arxiv_daily"]
    assert all(found["recall_at_50"] > 0.5 for found in report.baselines.values())
    for method, found in report.against.items():
        ours, theirs = report.metrics["recall_at_50"].value, report.baselines[method]
        assert found["recall_at_50"].value == pytest.approx(ours - theirs["recall_at_50"])


def test_readers_who_kept_less_than_ten_do_not_count(report: Report) -> None:
    assert report.notes[0].startswith("25 readers")


def test_what_is_known_is_never_what_is_hidden_and_the_draw_is_the_same_each_time(
    items: Path, users: Path
) -> None:
    first, again = read_libraries(items, users), read_libraries(items, users)
    for one, other in zip(first.readers, again.readers, strict=True):
        assert len(one.known) == len(one.hidden) == 8
        assert not set(one.known) & set(one.hidden)
        assert one.hidden.tolist() == other.hidden.tolist()


def test_what_a_reader_is_known_by_takes_no_place_among_the_found() -> None:
    known, hidden = np.arange(60), np.arange(60, 70)
    scores = np.zeros((1, 400), dtype=np.float32)
    scores[0, known], scores[0, hidden] = 2, 1
    libraries = Libraries(bags=[{}] * 400, readers=[EvaluatedReader(known=known, hidden=hidden)])
    assert recalls(lambda readers: scores[readers], libraries)["recall_at_50"].tolist() == [1]


@pytest.mark.parametrize(
    ("item", "user", "says"),
    [
        ({"id": 1}, {"items": [1]}, "needs `words`"),
        ({"id": 1, "words": {"a": 0}}, {"items": [1]}, "needs `words`"),
        ({"id": 1, "words": {"a": 1}}, {"papers": [1]}, "needs `items`"),
        ({"id": 1, "words": {"a": 1}}, {"items": [1] * 20}, "no reader with 10 papers"),
    ],
)
def test_rows_of_another_form_are_refused_in_plain_words(
    tmp_path: Path, item: object, user: object, says: str
) -> None:
    items, users = written(tmp_path / "i.jsonl", [item]), written(tmp_path / "u.jsonl", [user])
    with pytest.raises(InvalidInput, match=says):
        read_libraries(items, users)


def test_too_few_papers_to_count_the_first_300_of_are_refused(tmp_path: Path) -> None:
    items = written(tmp_path / "i.jsonl", [{"id": n, "words": {"a": 1}} for n in range(50)])
    users = written(tmp_path / "u.jsonl", [{"items": list(range(10))}])
    with pytest.raises(InvalidInput, match="too few papers"):
        read_libraries(items, users)


def test_without_baselines_only_ours_are_counted(items: Path, users: Path) -> None:
    assert baselines_of(Baselines.NONE) == {}
    assert not evaluate_personal(items, users, Baselines.NONE).against


def test_the_baselines_vectors_have_unit_length_and_a_text_without_words_has_none() -> None:
    rows = tfidf([{"a": 3, "b": 1}, {"b": 1}, {}])
    assert np.sqrt(rows.multiply(rows).sum(axis=1)).tolist() == pytest.approx([1, 1, 0])


@pytest.mark.accept("Q6", part="some readers")
@pytest.mark.accept("Q20", part="described", mutant="a-description-finds-the-farthest")
def test_a_part_of_the_real_readers_finds_more_than_with_any_other_method(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "citeulike_t"
    papers = [row for row in read_rows(folder / "items.jsonl.gz") if int(str(row["id"])) % 8 == 0]
    report = evaluate_personal(
        written(tmp_path / "items.jsonl", papers), folder / "users.jsonl.gz", Baselines.FAST
    )
    for found in report.against.values():
        assert found["recall_at_50"].low > 0
    assert report.against["tfidf_centroid"]["described_recall_at_50"].low >= 0


@pytest.mark.long
@pytest.mark.accept("Q6")
@pytest.mark.accept("Q20", part="described")
def test_real_readers_find_the_hidden_half_of_their_libraries(real_data: Path) -> None:
    folder = real_data / "citeulike_t"
    report = evaluate_personal(folder / "items.jsonl.gz", folder / "users.jsonl.gz", Baselines.FAST)
    assert report.metrics["recall_at_50"].value >= 0.20
    assert report.metrics["recall_at_300"].value >= 0.44
    for found in report.against.values():
        assert min(one.low for one in found.values()) > 0
