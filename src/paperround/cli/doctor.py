"""`paperround doctor`: check the installation and print what to fix."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from paperround.cli.options import AsJson, runtime
from paperround.cli.output import print_result
from paperround.core.errors import Misconfigured

if TYPE_CHECKING:
    from paperround.doctor.findings import Finding

COLOURS = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
    "skipped": typer.colors.BRIGHT_BLACK,
}


def doctor(
    as_json: AsJson = False,
) -> None:
    """Check this installation and say what to do; fails when something is wrong. Sends nothing."""
    from paperround.doctor.findings import is_well

    findings = find_problems()
    value = {"well": is_well(findings), "checks": [asdict(one) for one in findings]}
    print_result(value, finding_lines(findings), as_json=as_json)
    if not is_well(findings):
        raise typer.Exit(1)


def find_problems() -> "list[Finding]":
    """Return every finding on the installation that the environment describes."""
    from paperround.bootstrap.database import require_made
    from paperround.doctor.examination import examine, findings_without_settings
    from paperround.doctor.findings import fail

    try:
        context = runtime()
    except Misconfigured as error:
        return findings_without_settings(error.faults)
    try:
        require_made(context.settings)
    except Misconfigured as error:
        return [fail("installation", str(error))]
    return examine(context, now=context.clock.now())


def finding_lines(findings: "list[Finding]") -> Iterator[str]:
    """Yield the findings as lines of text, then their number by level."""
    for one in findings:
        yield f"{typer.style(f'{one.level:7}', fg=COLOURS[one.level])} {one.check}: {one.says}"
        if one.way_out:
            yield f"        > {one.way_out}"
        yield from (f"          {line}" for line in one.lines)
    levels = [one.level.value for one in findings]
    yield ""
    yield ", ".join(f"{levels.count(word)} {word}" for word in COLOURS if word in levels)
