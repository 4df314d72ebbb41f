"""What holds for every command: one version, machine-readable answers, completion, one spelling."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from typer.testing import CliRunner, Result

from paperround import version
from paperround.cli.app import app

WITHOUT = {
    "demo": "runs until it is stopped",
    "serve": "runs until it is stopped",
    "worker": "runs until it is stopped",
    "scheduler": "runs until it is stopped",
    "init": "is a dialogue",
}
"""Commands without `--json`, and why."""


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


def commands(group: Any, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *path, name)
        else:
            yield " ".join((*path, name)), one


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"paperround {version()}\n"


@pytest.mark.accept("F60", part="the operator's word", mutant="a-revocation-without-json")
def test_every_command_that_prints_something_prints_json_too() -> None:
    known = dict(commands(typer.main.get_command(app)))
    silent = {
        name
        for name, one in known.items()
        if not any("--json" in parameter.opts for parameter in one.params)
    }
    assert silent == set(WITHOUT)


@pytest.mark.accept("F50", part="completion", mutant="completion-is-off")
def test_a_shell_completes_commands_and_options() -> None:
    shell = {"_PAPERROUND_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    said = CliRunner().invoke(
        app, [], prog_name="paperround", env={**shell, "COMP_WORDS": "paperround dig"}
    )
    assert said.stdout.split() == ["digest"]
    assert "--install-completion" in run("--help").stdout


def test_what_renames_is_called_rename_and_what_it_was_called_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("db", "upgrade").exit_code == 0
    hook = "https://hooks.slack.com/services/T0/B0/abc"
    assert run("channels", "add", "slack", hook, "--name", "one").exit_code == 0
    assert run("channels", "edit", "one", "--rename", "two").exit_code == 0
    assert run("channels", "edit", "two", "--name", "three").exit_code == 0
    told = json.loads(run("channels", "list", "--json").stdout)
    assert [one["name"] for one in told["channels"]] == ["three"]
    assert "--name" not in run("channels", "edit", "--help").stdout
