"""`paperround digest cancel`, `digest missed` and `subscribers history`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.core.errors import DatabaseFailed
from paperround.db.engine import opened
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Outcome, Phase, Reply
from paperround.delivery.store.rates import PaceStore
from paperround.editions.model import DeliveryId
from tests.story.serving import free_port

pytestmark = pytest.mark.accept("F34", part="commands")

PAPERS = [{"id": f"2601.0000{n}", "title": f"Paper {n}", "listed_on": "2026-01-30"} for n in (1, 2)]
MORNING, LATER = "2026-01-30T08:00:00Z", "2026-01-30T09:00:00Z"
DAY = ("--date", "2026-01-30")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three readers whose digests wait."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PAPERROUND_ENRICH", "off")
    rows = [f"reader{n}@example.org,active,2026-01-05T09:00:00Z,a test" for n in range(3)]
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["email,status,consent_at,consent_source", *rows]))
    papers = tmp_path / "papers.jsonl"
    papers.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS))
    assert run("ingest", "--file", str(papers)).exit_code == 0
    assert run("subscribers", "import", str(people)).exit_code == 0
    assert run("digest", "send", "--now", MORNING).exit_code == 0
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def cancelled(*more: str) -> Any:
    return said("digest", "cancel", *DAY, "--now", LATER, "--yes", *more)["cancelled"]


def test_without_a_terminal_cancelling_needs_a_yes() -> None:
    refused = run("digest", "cancel", *DAY, "--now", LATER)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert cancelled() == [
        {
            "list": "trending",
            "date": "2026-01-30",
            "cut": "manual",
            "skipped": 3,
            "gone": 0,
            "fresh": True,
        }
    ]


def test_cancelling_again_finds_nothing_and_that_is_no_error() -> None:
    cancelled()
    assert cancelled() == []
    again = run("digest", "cancel", *DAY, "--now", LATER, "--yes")
    assert (again.exit_code, "nothing to do" in again.stdout) == (0, True)


def test_a_cancel_can_be_undone_until_something_else_is_planned() -> None:
    cancelled("--reason", "Two titles were mixed up.")
    undo = ("digest", "cancel", *DAY, "--undo", "--now", LATER)
    assert said(*undo)["restored"] == [
        {"list": "trending", "date": "2026-01-30", "cut": "manual", "queued": 3}
    ]
    assert "nothing to do" in run(*undo).stdout
    cancelled()
    run("digest", "missed", *DAY, "--now", LATER, "--send")
    late = run(*undo)
    assert (late.exit_code, "too late to undo" in str(late.exception)) == (1, True)


def test_an_edition_that_is_not_there_is_an_error() -> None:
    missing = run("digest", "cancel", *DAY, "--cut", "2", "--yes")
    assert (missing.exit_code, "no edition of cut 2" in str(missing.exception)) == (1, True)


def test_status_says_that_it_was_cancelled() -> None:
    cancelled()
    [one] = said("digest", "status", "--now", LATER)["lists"]
    assert one["editions"][0]["cancelled_at"] == LATER


def test_missed_tells_first_and_sends_only_when_asked() -> None:
    cancelled()
    asked = ("digest", "missed", *DAY, "--now", LATER)
    before = said(*asked)
    assert before["missed"] == [{"state": "skipped", "reason": "cancelled", "count": 3}]
    assert (before["sendable"], before["planned"]) == (3, 0)
    assert "`--send` plans 3 replacements" in run(*asked).stdout
    assert said(*asked, "--send")["planned"] == 3
    assert "replaced: 3" in run(*asked).stdout
    assert said("deliver", "--now", LATER)["sent"] == 3


def test_a_day_on_which_nobody_was_missed_says_so() -> None:
    told = run("digest", "missed", "--date", "2026-01-29", "--now", LATER).stdout
    assert told.splitlines()[-1] == "nobody was missed"


def test_while_a_list_is_paused_nobody_says_how_long_its_mails_take() -> None:
    def status(moment: str) -> str:
        return run("digest", "status", "--now", moment).stdout

    assert run("digest", "pause").stdout == "paused: trending\n"
    assert run("digest", "pause").stdout == "nothing to do: sending is paused already\n"
    assert "waiting now: 3" in status(LATER)
    assert "seconds to go" not in status(LATER)
    [one] = said("digest", "status", "--now", LATER)["lists"]
    assert (one["waiting_now"], one["seconds_to_go"]) == (3, None)
    held = run("deliver", "--now", LATER).stdout
    assert "emails of the day: 3 queued" in held
    assert "paused: trending; `paperround digest resume` resumes" in held
    assert run("digest", "resume").stdout == "resumed: trending\n"
    assert run("digest", "resume").stdout == "nothing to do: nothing is paused\n"
    assert "paused:" not in run("deliver", "--now", LATER).stdout


def test_a_relay_that_is_down_is_told_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERROUND_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    run("deliver", "--now", LATER)
    assert "the relay cannot be reached: " in run("digest", "status", "--now", LATER).stdout
    tried = run("digest", "test", "--to", "me@example.org").stdout
    assert tried.count("Connection refused") == 1


def test_the_history_of_a_person_holds_both_mails_and_what_became_of_them() -> None:
    cancelled()
    run("digest", "missed", *DAY, "--now", LATER, "--send")
    run("deliver", "--now", LATER)
    past = said("subscribers", "history", "reader1@example.org")
    new, old = past["mails"]
    assert (old["kind"], old["state"], old["reason"]) == ("digest", "skipped", "cancelled")
    assert (new["kind"], new["state"], new["attempts"]) == ("replacement", "sent", 1)
    assert new["code"] == 250
    assert new["papers"] == old["papers"] != []
    assert new["message_id"] != old["message_id"]
    words = run("subscribers", "history", "reader1@example.org").stdout
    assert f"message id: {new['message_id']}" in words
    assert f"papers: {new['papers'][0]}" in words


def test_the_history_of_nobody_is_an_error() -> None:
    unknown = run("subscribers", "history", "nobody@example.org")
    assert unknown.exit_code == 1
    assert run("subscribers", "history", "nobody").exit_code == 2


def test_deliver_at_a_given_instant_goes_on_after_the_probe_of_a_relay_that_rested(
    home: Path,
) -> None:
    refusal = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(535, "5.7.8", "no"))
    with (
        opened(f"sqlite:///{home}/data/paperround.db") as engine,
        SqlDatabase(engine).writing() as work,
    ):
        work[PaceStore].record_outcomes([refusal] * 10, now=datetime.fromisoformat(MORNING))
    assert said("deliver", "--until-empty", "--now", LATER)["sent"] == 3


def test_a_damaged_row_ends_deliver_with_a_sentence(home: Path) -> None:
    with opened(f"sqlite:///{home}/data/paperround.db") as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET expires_at = 5 WHERE id = 1")
    refused = run("deliver", "--now", LATER)
    assert isinstance(refused.exception, DatabaseFailed)  # which `main` prints
    assert "it has '5' where an instant belongs" in str(refused.exception)
