"""What holds for every command: one version, machine-readable answers, completion, one spelling."""

import json
import signal
import subprocess
import sys
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


def test_the_help_lists_every_command_once_in_sections_of_a_first_day() -> None:
    shown = run("--help").stdout.partition("Try it:\n")[2]
    titles = [line for line in shown.splitlines() if line.endswith(":")]
    assert titles[:1] == ["Set up and run:"]
    assert "Commands:" not in titles
    names = [line.split()[0] for line in shown.splitlines() if line.startswith("  ")]
    assert names[:5] == ["demo", "try", "once", "init", "feeds"]
    assert sorted(names) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for group in ("digest", "feeds", "subscribers"):
        assert "Commands:" not in run(group, "--help").stdout


@pytest.mark.parametrize(
    ("words", "answer"),
    {
        "subscribers remove ada": "`paperround subscribers unsubscribe` or `paperround subscribers",
        "status": "did you mean `paperround doctor` or `paperround digest status`?",
        "backup": "did you mean `paperround db backup`?",
        "keys add lab": "did you mean `paperround keys create`?",
        "digest canel": "did you mean `paperround digest cancel`?",
        "xyzzy": "there is no command 'xyzzy'",
        "ingest papers.json": "write --file before it",
        "digest why ada@example.org": "(ada@example.org): write --subscriber before it",
        "rank --limit 0": "write 1 or more",
        "rank --limit many": "write a whole number",
        "keys create lab --scope all": "'--scope': 'all' is not one of",
    }.items(),
)
def test_a_wrong_word_is_told_what_was_meant(words: str, answer: str) -> None:
    told = run(*words.split())
    assert told.exit_code == 2
    assert answer in " ".join(told.output.split())


def test_ctrl_c_ends_without_a_traceback_while_modules_are_read() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "paperround", "rank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "paperround.core.times" in line)
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 130
