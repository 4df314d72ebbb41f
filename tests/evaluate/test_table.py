"""The table of figures that `paperround evaluate` prints."""

import subprocess
import sys

import pytest

from paperround.evaluate.cli import show_report
from paperround.evaluate.report import Figure, Report


def test_counts_are_whole_and_shares_have_four_places(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(
        task="bounces",
        metrics={
            "hard_recall": Figure(value=1.0, low=0.9, high=1.0),
            "unclassified": Figure(value=0.0, low=0.0, high=1.0),
        },
        baselines={"first_code": {"hard_recall": 0.5, "unclassified": 1190.0}},
    )
    show_report(report, as_json=False)
    _, shares, counts = capsys.readouterr().out.splitlines()[:3]
    assert shares.split() == ["hard_recall", "1.0000", "0.9000", "to", "1.0000", "0.5000"]
    assert counts.split() == ["unclassified", "0", "0", "to", "1", "1,190"]


def test_the_command_is_complete_when_it_is_what_is_imported_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import paperround.evaluate.cli"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
