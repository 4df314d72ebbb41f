"""Options several commands share, and how results are printed."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.domain.errors import InvalidInput, UnreadableFile
from paperround.domain.times import parse_date, parse_instant

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.wiring import Runtime

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Now = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME", help="Act as if it were this instant (RFC 3339)."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rename = Annotated[
    str | None, typer.Option("--rename", metavar="NAME", help="Call it NAME from now on.")
]
ListName = Annotated[str, typer.Option("--list", metavar="LIST", help="The mailing list.")]
Day = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="YYYY-MM-DD",
        help="The edition's date: nothing observed later counts. Default: today.",
    ),
]


def runtime(now: str | None = None, *, creates: bool = False) -> "Runtime":
    """The installation the environment describes, at the present or at the instant `now`. Where
    there is none, a command that `creates` makes it, and any other says so."""
    from paperround.clock import FixedClock, SystemClock
    from paperround.config import load_settings
    from paperround.wiring import Runtime

    present = instant_of(now, "--now")
    clock = SystemClock() if present is None else FixedClock(present)
    return Runtime(load_settings(), clock, creates=creates)


def day_of(text: str | None) -> date | None:
    """The date that --date names, None when it names none."""
    with usage("--date"):
        return None if text is None else parse_date(text)


def instant_of(text: str | None, option: str) -> datetime | None:
    """The instant `option` names, None when it names none."""
    with usage(option):
        return None if text is None else parse_instant(text)


@contextmanager
def usage(option: str) -> Iterator[None]:
    """Bad input within is a wrong use of `option`: exit 2."""
    try:
        yield
    except InvalidInput as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def read_file(path: Path) -> bytes:
    """The bytes of a file; raises UnreadableFile with the system's reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error


def say(text: str = "") -> None:
    """One line for a person, on standard output."""
    typer.echo(text)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object, keys in the order given."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def agree(yes: bool, question: str, *, lines: Iterable[str] = ()) -> None:
    """Ask before something of consequence, `lines` saying what; end with exit 1 for a no.
    Where nobody can be asked, wrong usage without `yes`."""
    if yes:
        return
    if not can_ask():
        raise typer.BadParameter(
            "there is nobody to ask whether you are sure: say --yes", param_hint="--yes"
        )
    for line in lines:
        typer.echo(line, err=True)
    if not typer.confirm(question, err=True):
        typer.echo("nothing was changed", err=True)
        raise typer.Exit(1)


def can_ask() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin.isatty()


def tell(value: dict[str, Any], line: str, *, as_json: bool) -> None:
    """What a command did: the object for a program, the line for a person."""
    if as_json:
        print_json(value)
    else:
        say(line)


def counts(numbers: Mapping[str, int]) -> str:
    """`12 new, 3 changed`, zero counts left out; `none` when all are zero."""
    named = [f"{value:,} {name}" for name, value in numbers.items() if value]
    return ", ".join(named) or "none"
