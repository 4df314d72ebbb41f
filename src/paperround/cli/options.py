"""Options that several commands share, and their parsers."""

import os
import pwd
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from paperround.core.clock import FixedClock, SystemClock
from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.core.times import parse_date, parse_instant

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext
    from paperround.config import Settings
    from paperround.subscribers.model import Address

T = TypeVar("T")


def parser_of(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Return `parse` for an option: InvalidInput becomes BadParameter (exit code 2)."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except InvalidInput as error:
            raise typer.BadParameter(str(error)) from error

    return read


instant = parser_of(parse_instant)


def takes(name: str, metavar: str, says: str, **more: Any) -> Any:
    """Return an option with a value; `more` is for typer."""
    return typer.Option(name, metavar=metavar, help=says, **more)


def switch(name: str, says: str) -> Any:
    """Return an option without a value, or a pair such as `--on/--off`."""
    return typer.Option(name, help=says)


def argument(metavar: str, says: str) -> Any:
    """Return an argument."""
    return typer.Argument(metavar=metavar, help=says)


def day_option(says: str, name: str = "--date") -> Any:
    """Return an option that takes a day."""
    return takes(name, "YYYY-MM-DD", says, parser=parser_of(parse_date))


AsJson = Annotated[bool, switch("--json", "Print one JSON object instead of text.")]
Now = Annotated[
    datetime | None,
    takes("--now", "TIME", "Act as if it were this instant (RFC 3339).", parser=instant),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rename = Annotated[str | None, takes("--rename", "NAME", "Rename it to NAME.")]
ListName = Annotated[str, takes("--list", "LIST", "The mailing list.")]
AnyList = Annotated[str | None, takes("--list", "LIST", "One list only. Default: all of them.")]
Day = Annotated[
    date | None, day_option("The edition's date: nothing observed later counts. Default: today.")
]
ConsentAt = Annotated[
    datetime | None, takes("--consent-at", "TIME", "When they agreed.", parser=instant)
]
Timezone = Annotated[str | None, typer.Option(help="Such as Europe/Berlin. Default: the list's.")]
Hour = Annotated[int | None, takes("--hour", "N", "0 to 23, in that time zone.")]
Frequency = Annotated[str | None, typer.Option(help="daily, weekdays, weekly:mon or monthly.")]
Topics = Annotated[str | None, typer.Option(help="Separated by semicolons.")]
Interests = Annotated[
    list[str] | None,
    takes(
        "--interest",
        "KIND:VALUE",
        "keyword:, author:, category:, seed:, topic:, mute:, focus: or avoid:; repeatable. "
        "What is given replaces what was there.",
    ),
]
Papers = Annotated[Path | None, takes("--papers", "FILE", "Papers of your own, in any format.")]


def runtime(now: datetime | None = None, *, creates: bool = False) -> "AppContext":
    """Return the context of the installation that the environment describes; its clock is fixed
    at `now` if given. Without an installation, a command that `creates` makes one, others fail."""
    from paperround.bootstrap import AppContext
    from paperround.config import load_settings

    clock = SystemClock() if now is None else FixedClock(now)
    return AppContext(load_settings(), clock, creates=creates)


def where_mail_is_kept(settings: "Settings") -> str:
    """Return where the operator finds email that is kept, because no relay is set."""
    folder = settings.relay.removeprefix("outbox:")
    return f"email is kept in {folder}, and none is sent: {settings.public_url}/outbox"


def actor() -> str:
    """Return who runs this command, for the audit log: the account's name, else its number."""
    number = os.getuid()
    try:
        return f"shell {pwd.getpwuid(number).pw_name}"
    except KeyError:  # a container may run as an account without a name
        return f"shell uid {number}"


@contextmanager
def usage(option: str = "", /, **options: str) -> Iterator[None]:
    """Turn InvalidInput into BadParameter (exit code 2) for `option`, or for the option that
    `options` maps the code of the error to, by default `--code`."""
    try:
        yield
    except InvalidInput as error:
        hint = option or options.get(error.code, f"--{error.code}")
        raise typer.BadParameter(str(error), param_hint=hint) from error


def address_of(text: str, option: str = "EMAIL") -> "Address":
    """Return the address in `text`; raises BadParameter for `option`."""
    from paperround.subscribers.addresses import parse_address  # slow to import

    with usage(option):
        return parse_address(text)


def read_file(path: Path) -> bytes:
    """Return the bytes of a file; raises UnreadableFile with the system's reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from error


def agree(yes: bool, question: str, *, lines: Iterable[str] = ()) -> None:
    """Ask for confirmation unless `yes`, after printing `lines`. A no ends with exit code 1;
    without a terminal it raises BadParameter."""
    if yes:
        return
    if not can_ask():
        raise typer.BadParameter(
            "cannot ask for confirmation without a terminal: use --yes", param_hint="--yes"
        )
    for line in lines:
        typer.echo(line, err=True)
    if not typer.confirm(question, err=True):
        typer.echo("nothing was changed", err=True)
        raise typer.Exit(1)


def can_ask() -> bool:
    """Return whether standard input is a terminal."""
    return sys.stdin.isatty()
