"""`paperround subscribers import` and `export`, as somebody types them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paperround.cli.app import app
from paperround.core.errors import DatabaseFailed
from paperround.subscribers import imports

PEOPLE = ("ada@example.org", "grace@example.org")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with two people."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    for one in PEOPLE:
        assert run("subscribers", "add", one, "--consent-source", "paper").exit_code == 0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_everybody_is_printed_as_a_table_and_as_json() -> None:
    table, listed = run("subscribers", "export"), run("subscribers", "export", "--json")
    rows = list(csv.DictReader(table.stdout.splitlines()))
    assert tuple(row["email"] for row in rows) == PEOPLE
    assert json.loads(listed.stdout) == rows


def test_a_part_of_an_address_leads_to_find() -> None:
    refused = run("subscribers", "show", "grace")
    assert refused.exit_code == 2
    assert "subscribers find" in refused.stderr
    assert "grace@example.org" in run("subscribers", "find", "grace").stdout


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_an_export_that_fails_half_way_prints_no_part(
    how: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = imports.exported_rows

    def half(*asked: object) -> Iterator[dict[str, str]]:
        yield next(whole(*asked))  # type: ignore[arg-type]
        raise DatabaseFailed("the database failed: the line broke")

    monkeypatch.setattr(imports, "exported_rows", half)
    broken = run("subscribers", "export", *how)
    assert broken.exit_code != 0
    assert broken.stdout == ""


def test_an_import_counts_those_who_get_no_email_until_they_confirm(tmp_path: Path) -> None:
    consent = {"consent_at": "2026-01-05", "consent_source": "a form"}
    states = {"alan@example.org": "pending", "ida@example.org": "active", PEOPLE[0]: "pending"}
    rows = [{"email": one, "status": state} | consent for one, state in states.items()]
    file = tmp_path / "people.json"
    file.write_text(json.dumps(rows))
    done = run("subscribers", "import", str(file))
    assert "\n  1 pending: no email until they confirm\n" in done.stdout
    assert json.loads(run("subscribers", "import", str(file), "--json").stdout)["pending"] == 1


@pytest.mark.parametrize(("emails", "exit_code"), [("alan@example.org,alan@", 0), ("alan@", 1)])
def test_an_import_fails_only_when_every_row_is_rejected(
    tmp_path: Path, emails: str, exit_code: int
) -> None:
    rows = [
        {"email": one, "status": "active", "consent_at": "2026-01-05", "consent_source": "a form"}
        for one in emails.split(",")
    ]
    file = tmp_path / "people.json"
    file.write_text(json.dumps(rows))
    done = run("subscribers", "import", str(file))
    assert done.exit_code == exit_code
    assert ("every row was rejected" in done.stderr) == bool(exit_code)
