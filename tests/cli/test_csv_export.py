"""CSV exports: no cell starts a formula in a spreadsheet, and an import reads the original text."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import paperround
from paperround.cli.app import app
from paperround.subscribers.import_files import read_rows, write_sheet

FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
PEOPLE = [
    {"email": email, "topics": topics, "consent_source": source}
    for email, topics, source in (
        ("-a@example.org", "-cs.LG", '=HYPERLINK("https://evil.example";"open")'),
        ("+a@example.org", "@home;b", "+49 30 1234567"),
        ("=a@example.org", "=1+1", "@SUM(1+1)*cmd|' /C calc'!A0"),
        ("'-a@example.org", "'quoted'", "'=already with an apostrophe"),
        ("''+a@example.org", "''=x", "\uff1d1+1"),
        ("b@example.org", "b", "first\r=second\n+third"),
        ("o'brien@example.org", "a-b", "plain, with a comma and a = sign"),
    )
]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def lives_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(folder))


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with people whose cells would be formulas."""
    lives_in(tmp_path / "first", monkeypatch)
    file = tmp_path / "people.json"
    same = {"status": "active", "consent_at": "2026-01-02T03:04:05Z"}
    file.write_text(json.dumps([one | same for one in PEOPLE]))
    assert "7 new" in run("subscribers", "import", str(file)).stdout
    return tmp_path


@pytest.mark.accept("P6", part="cells")
def test_no_cell_of_an_export_starts_a_formula(people: Path) -> None:
    rows = list(csv.reader(io.StringIO(run("subscribers", "export").stdout, newline="")))
    assert len(rows) == 1 + len(PEOPLE)
    assert [cell for row in rows for cell in row if FORMULA.match(cell)] == []
    assert "'-a@example.org" in (row[0] for row in rows)
    assert "o'brien@example.org" in (row[0] for row in rows)


@pytest.mark.accept("P6", part="round trip")
def test_an_export_that_is_imported_gives_back_the_same_people(
    people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet, before = run("subscribers", "export").stdout, run("subscribers", "export", "--json")
    exported = people / "exported.csv"
    exported.write_bytes(sheet.encode())
    lives_in(people / "second", monkeypatch)
    run("subscribers", "import", str(exported))
    after = json.loads(run("subscribers", "export", "--json").stdout)
    assert after == json.loads(before.stdout)
    assert [one["email"] for one in after] == [one["email"] for one in PEOPLE]
    assert [one["topics"] for one in after] == [one["topics"] for one in PEOPLE]
    assert [one["consent_source"] for one in after] == [one["consent_source"] for one in PEOPLE]


@pytest.mark.accept("P6", mutant="a-cell-starts-a-formula")
@pytest.mark.parametrize("sign", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
def test_each_sign_that_starts_a_formula_is_written_behind_an_apostrophe(sign: str) -> None:
    file = io.StringIO(newline="")
    row = {"email": f"{sign}a", "status": f"'{sign}b"}
    write_sheet([row], tuple(row), file)
    file.seek(0)
    [_, cells] = csv.reader(file)
    assert cells == [f"'{sign}a", f"''{sign}b"]


@pytest.mark.accept("P6", mutant="an-apostrophe-is-left-in")
def test_an_import_takes_away_only_the_apostrophe_that_an_export_added() -> None:
    [found] = read_rows(b"email,status\n'-a@example.org,''x\n")
    assert found.row == {"email": "-a@example.org", "status": "''x"}  # type: ignore[union-attr]


def test_what_json_says_is_read_as_it_is() -> None:
    [found] = read_rows(b"""[{"email": "'-a@example.org", "status": "active"}]""")
    assert found.row["email"] == "'-a@example.org"  # type: ignore[union-attr]


@pytest.mark.accept("P6", part="one writer")
def test_one_module_writes_csv() -> None:
    root = Path(paperround.__file__).parent
    writers = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if re.search(r"\bcsv\.(writer|DictWriter)\b|text/csv", path.read_text())
    ]
    assert writers == ["subscribers/import_files.py"]
