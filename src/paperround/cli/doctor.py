"""`paperround doctor`: what is wrong with this installation, and the way out."""

from typing import TYPE_CHECKING, Any

import typer

from paperround.cli.options import AsJson, print_json, runtime, say
from paperround.domain.errors import Misconfigured

if TYPE_CHECKING:
    from paperround.doctor.findings import Finding

COLOURS = {
    "ok": typer.colors.GREEN,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
    "skipped": typer.colors.BRIGHT_BLACK,
}


def doctor(as_json: AsJson = False) -> None:
    """Check this installation and say what to do. Sends nothing; fails when something is wrong."""
    from paperround.doctor.findings import is_well

    findings = look()
    if as_json:
        print_json({"well": is_well(findings), "checks": [_as_json(one) for one in findings]})
    else:
        tell(findings)
    if not is_well(findings):
        raise typer.Exit(1)


def look() -> "list[Finding]":
    """Every finding on the installation that the environment describes."""
    from paperround.doctor.examination import examine, without_settings

    try:
        home = runtime()
    except Misconfigured as error:
        return without_settings(str(error))
    return examine(home, now=home.clock.now())


def tell(findings: "list[Finding]") -> None:
    """The findings for a person, and their sum."""
    for one in findings:
        word = typer.style(f"{one.level.value:7}", fg=COLOURS[one.level.value])
        say(f"{word} {one.check}: {one.says}")
        if one.way_out:
            say(f"        > {one.way_out}")
        for line in one.lines:
            say(f"          {line}")
    levels = [one.level.value for one in findings]
    say()
    say(", ".join(f"{levels.count(word)} {word}" for word in COLOURS if word in levels))


def _as_json(one: "Finding") -> dict[str, Any]:
    return {
        "check": one.check,
        "level": one.level.value,
        "says": one.says,
        "way_out": one.way_out,
        "lines": list(one.lines),
    }
