"""Options that commands about channels share, and what is read of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.domain.errors import InvalidInput

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.channels import Channel
    from paperround.wiring import Runtime

STDIN = "-"

Name = Annotated[str, typer.Argument(metavar="NAME", help="One of those `channels list` shows.")]
Timezone = Annotated[str | None, typer.Option(help="Such as Europe/Berlin. Default: the list's.")]
Hour = Annotated[int | None, typer.Option(help="0 to 23, in that time zone.")]
HowOften = Annotated[str | None, typer.Option(help="daily, weekdays or weekly:mon.")]
Size = Annotated[int | None, typer.Option(help="Papers in a post. Default: as the list says.")]
Floor = Annotated[float | None, typer.Option(help="The score below which no paper is posted.")]
Topics = Annotated[str | None, typer.Option(help="Separated by semicolons.")]
Interests = Annotated[
    list[str] | None,
    typer.Option(
        "--interest",
        metavar="KIND:VALUE",
        help="keyword:, author:, category:, seed:, topic: or mute:; may be given several times.",
    ),
]

_OPTIONS = {
    "hook": "HOOK",
    "name": "--name",
    "chat": "--chat",
    "key": "--key",
    "interests": "--interest",
}


@contextmanager
def told_by_field() -> Iterator[None]:
    """An InvalidInput within names the option that is wrong: exit 2."""
    try:
        yield
    except InvalidInput as error:
        hint = _OPTIONS.get(error.code, f"--{error.code}")
        raise typer.BadParameter(str(error), param_hint=hint) from error


def secret_of(given: str | None, what: str) -> str:
    """A secret as it was given, or from standard input for `-` and for nothing: an argument stands
    in the list of processes and in the shell's history."""
    if given is not None and given != STDIN:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True)).strip()
    return sys.stdin.readline().strip()


def row_of(**cells: str | int | None) -> dict[str, str]:
    """The cells that were given, as a subscriber file has them."""
    return {name: str(cell) for name, cell in cells.items() if cell is not None}


def named(home: "Runtime", name: str) -> "Channel":
    """The channel called `name`; raises NotFound with those there are."""
    with home.database.reading() as work:
        return work.channels.find(name)
