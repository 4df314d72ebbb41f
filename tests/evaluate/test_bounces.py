"""How bounces are counted, and how many are understood."""

import json
from pathlib import Path

import pytest

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from tests.bounces.reports import report
from tools.evaluate.bounces import evaluate_bounces

HARD = {"hard_bounce": True}
SOFT = {"hard_bounce": False}


def corpus(folder: Path, **mails: tuple[bytes, dict[str, object]]) -> tuple[Path, Path]:
    """A folder of mails and its labels, from names and what is known of each."""
    rows = []
    for name, (raw, known) in mails.items():
        (folder / name).write_bytes(raw)
        rows.append(json.dumps({"file": name, **known}))
    labels = folder / "labels.jsonl"
    labels.write_text("\n".join(rows))
    return folder, labels


def bounce(*expected: dict[str, bool]) -> dict[str, object]:
    return {"kind": "bounce", "expected": list(expected)}


def test_found_bounces_and_false_stops_are_counted_by_mail(tmp_path: Path) -> None:
    found = evaluate_bounces(
        *corpus(
            tmp_path,
            gone=(report(said="550 5.1.1 User unknown"), bounce(HARD)),
            missed=(report(status="5.2.2", said="552 5.2.2 full"), bounce(SOFT, HARD)),
            wrong=(report(said="550 5.1.1 User unknown"), bounce(SOFT)),
            letter=(b"From: ada@example.org\n\nHello!", {"kind": "not_a_bounce"}),
        ),
        Baselines.NONE,
    )
    assert {name: one.value for name, one in found.metrics.items()} == {
        "hard_recall": 0.5,
        "provider_recall": 0.5,
        "false_stops": 1,
        "likely_stops": 0,
        "unclassified": 1,
        "raised": 0,
    }


def test_each_provider_counts_the_same_however_many_mails_it_has(tmp_path: Path) -> None:
    gone, full = report(said="550 5.1.1 User unknown"), report(said="552 5.2.2 full")
    known = {name: {**bounce(HARD), "engine": name} for name in ("exim", "qmail")}
    found = evaluate_bounces(
        *corpus(
            tmp_path,
            one=(gone, known["exim"]),
            two=(gone, known["exim"]),
            missed=(full, known["qmail"]),
        ),
        Baselines.NONE,
    )
    assert found.metrics["provider_recall"].value == 0.5
    assert "hard bounces found by provider: exim 2/2, qmail 0/1" in found.notes


def test_words_that_would_stop_a_reader_on_two_days_are_counted(tmp_path: Path) -> None:
    likely = report(status="5.0.0", said="550 User unknown")
    mails = {"soft": (likely, bounce(SOFT)), "hard": (likely, bounce(HARD))}
    found = evaluate_bounces(*corpus(tmp_path, **mails), Baselines.NONE)
    assert found.metrics["likely_stops"].value == 1


def test_a_bounce_nobody_judged_counts_neither_way(tmp_path: Path) -> None:
    unknown: dict[str, object] = {"kind": "bounce", "expected_addresses": ["ada@example.org"]}
    found = evaluate_bounces(
        *corpus(
            tmp_path,
            gone=(report(said="550 5.1.1 User unknown"), bounce(HARD)),
            unknown=(report(said="550 5.1.1 User unknown"), unknown),
        ),
        Baselines.FAST,
    )
    assert found.metrics["false_stops"].value == 0
    assert found.baselines["status_field"]["hard_recall"] == 1


def test_labels_without_a_hard_bounce_or_its_mail_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no email as a hard bounce"):
        evaluate_bounces(*corpus(tmp_path, one=(report(), bounce(SOFT))), Baselines.NONE)
    (tmp_path / "one").unlink()
    with pytest.raises(InvalidInput, match="one: No such file"):
        evaluate_bounces(tmp_path, tmp_path / "labels.jsonl", Baselines.NONE)


@pytest.mark.accept("Q11", part="corpus")
def test_dead_addresses_are_found_and_no_good_reader_is_stopped(real_data: Path) -> None:
    messages = real_data / "bounce_mail"
    found = evaluate_bounces(messages, messages / "labels.jsonl", Baselines.FAST).metrics

    assert found["hard_recall"].value >= 0.95
    assert found["provider_recall"].value >= 0.95
    assert found["false_stops"].value == 0
    assert found["raised"].value == 0
