"""`paperround keys`: what creating a key prints."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperround.cli.app import app


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))


def told(*options: str) -> str:
    """What is printed beside the key."""
    made = CliRunner().invoke(
        app, ["keys", "create", "laptop", *options, "--now", "2026-01-30T08:00:00Z"]
    )
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("pr_")
    return made.stderr


def test_a_key_without_scopes_says_which_it_got_and_how_to_choose() -> None:
    assert told() == (
        "scope: feeds:write, because no --scope was given (`paperround keys create -h` shows all)\n"
        "expires on 2027-01-30; keep it now, it cannot be shown again\n"
    )


def test_a_key_says_its_scopes_and_its_end() -> None:
    assert told("--scope", "stats:read", "--scope", "audit:read", "--expires", "never") == (
        "scopes: audit:read, stats:read\nnever expires; keep it now, it cannot be shown again\n"
    )
