"""`paperround once`: one reader's digest, for cron or a scheduled CI job."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, Now, switch, takes
from paperround.cli.output import print_result
from paperround.cli.process import finish_on_signals, log_to_stderr
from paperround.core.clock import FixedClock, SystemClock
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.plugins.once.run import OnceReport


def once(
    config: Annotated[Path, takes("--config", "FILE", "Configuration file (TOML).")] = Path(
        "once.toml"
    ),
    dry_run: Annotated[
        bool, switch("--dry-run", "Write the output files; send no email and save no state.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send one reader today's digest, without a server. It goes by email or to files, for cron or a
    scheduled CI job. A second run of the day sends nothing; one after a crash sends what was left.
    """
    from paperround.db.backup import DATABASE
    from paperround.plugins.once.config import read_config
    from paperround.plugins.once.installation import installation
    from paperround.plugins.once.run import run_once

    read = read_config(config)
    if dry_run and not read.files:
        read = replace(read, files={"html": read.place.absolute().with_name("digest.html")})
    clock = SystemClock() if now is None else FixedClock(now)
    log_to_stderr(read.settings)
    if "log_level" not in read.settings.model_fields_set:
        logging.getLogger("paperround").setLevel(logging.WARNING)
    is_new = not dry_run and not (read.state / DATABASE).is_file()
    with installation(read, clock, is_trial=dry_run) as app:
        finish_on_signals(app)
        report = run_once(app, read, is_trial=dry_run)
    value = {
        "sent": 0 if dry_run else report.sent,
        "papers": report.papers,
        "trouble": report.trouble,
        "unread": report.unread,
        "files": list(map(str, report.files)),
    }
    lines = [*_lines(report, is_mailed=read.is_mailed, is_trial=dry_run)]
    if is_new:
        lines.append(f"created a new state in {read.state}")
    print_result(value, lines, as_json=as_json)
    for name, why in report.unread.items():
        typer.echo(f"paperround: {name} could not be read: {why}", err=True)
    if report.trouble is not None:
        typer.echo(f"paperround: {report.trouble}", err=True)
        raise typer.Exit(1)


def _lines(report: "OnceReport", *, is_mailed: bool, is_trial: bool) -> Iterator[str]:
    papers = counted(report.papers, "paper")
    if report.is_out and is_trial:
        yield f"dry run: a digest of {papers}; nothing was sent or kept"
    elif report.is_out:
        yield f"{'sent' if is_mailed else 'made'} today's digest: {papers}"
    elif report.sent and not is_trial:
        yield "sent an earlier digest that was waiting"
    elif report.trouble is None:
        yield f"nothing to send: {report.nothing}"
    yield from (f"wrote {path}" for path in report.files)
