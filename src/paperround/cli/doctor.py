"""`paperround doctor`: what is wrong with this installation, and the way out."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, read_file, runtime, usage
from paperround.cli.output import print_result, say
from paperround.domain.errors import Misconfigured

if TYPE_CHECKING:
    from paperround.doctor.findings import Finding

COLOURS = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
    "skipped": typer.colors.BRIGHT_BLACK,
}


def doctor(
    mail_to: Annotated[
        str | None,
        typer.Option(
            "--mail-to", metavar="EMAIL", help="Then send a test mail there, to be looked at."
        ),
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option(
            "--read",
            metavar="FILE",
            help="Instead: read a copy that arrived, and say how its reader's server judged it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check this installation and say what to do; fails when something is wrong.

    Sends nothing, unless --mail-to says so.
    """
    from paperround.doctor.findings import is_well

    if read is not None and mail_to is not None:
        raise typer.BadParameter("one at a time: send it first, then --read the copy")
    findings = look() if read is None else _read(read)
    value = {"well": is_well(findings), "checks": [asdict(one) for one in findings]}
    print_result(value, lines_of(findings), as_json=as_json)
    sent = mail_to is None or _sent(mail_to, as_json=as_json)
    if not (sent and is_well(findings)):
        raise typer.Exit(1)


def _read(path: Path) -> "list[Finding]":
    from paperround.doctor.arrived import arrived

    with usage("--read"):
        return arrived(read_file(path))


def _sent(email: str, *, as_json: bool) -> bool:
    from paperround.cli.digest_status import send_test

    with usage("--mail-to"):
        address = runtime().addresses.read(email)
    sent = send_test(address.written, as_json=as_json)
    if sent and not as_json:
        say("  save the copy that arrives as a file, and `paperround doctor --read FILE`")
    return sent


def look() -> "list[Finding]":
    """Every finding on the installation that the environment describes."""
    from paperround.doctor.examination import examine, without_settings
    from paperround.doctor.findings import fail
    from paperround.wiring.databases import require_made

    try:
        home = runtime()
    except Misconfigured as error:
        return without_settings(error.faults)
    try:
        require_made(home.settings)
    except Misconfigured as error:
        return [fail("installation", str(error))]
    return examine(home, now=home.clock.now())


def lines_of(findings: "list[Finding]") -> Iterator[str]:
    """The findings for a person, and their sum."""
    for one in findings:
        yield f"{typer.style(f'{one.level:7}', fg=COLOURS[one.level])} {one.check}: {one.says}"
        if one.way_out:
            yield f"        > {one.way_out}"
        yield from (f"          {line}" for line in one.lines)
    levels = [one.level.value for one in findings]
    yield ""
    yield ", ".join(f"{levels.count(word)} {word}" for word in COLOURS if word in levels)
