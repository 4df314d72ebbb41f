"""What a file's papers show of their abstracts, as the operator says."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.cli.app import app
from paperround.core.times import format_instant
from tests.builders import NOW

RSS = """<rss version="2.0"><channel><item><title>Tides and moons</title>
<link>https://lab.example/a/1</link><description>We measure the tides of two moons.</description>
<pubDate>Wed, 28 Jan 2026 06:00:00 GMT</pubDate></item></channel></rss>"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("paperround.cli.ingest.gc.freeze", lambda: None)
    (tmp_path / "my.xml").write_text(RSS)


def said(*arguments: str, exit_code: int = 0) -> str:
    answer = CliRunner().invoke(app, [*arguments, "--now", format_instant(NOW)])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def test_a_file_that_states_no_licence_says_how_its_abstracts_are_shown_after_all() -> None:
    assert "abstracts not shown: 1;" in (told := said("ingest", "--file", "my.xml"))
    assert "--show full" in told
    for show, number in (("full", 1), ("full", 0), ("link", 1), ("full", 1)):
        told = said("ingest", "--file", "my.xml", "--show", show)
        assert f"({'1 changed' if number else '1 unchanged'}" in told
        assert "not shown" not in told


def test_show_is_one_of_three_and_of_a_file() -> None:
    assert "full, gist or link" in said("ingest", "--file", "my.xml", "--show", "x", exit_code=2)
    told = said("ingest", "--feed", "hf", "--show", "full", exit_code=2)
    assert "belong to --file" in told
