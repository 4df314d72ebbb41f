"""`paperround subscribers`: import, export, add, erase, list."""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from paperround.cli import subscriber_history
from paperround.cli.options import (
    AsJson,
    ListName,
    Now,
    Yes,
    agree,
    counts,
    instant_of,
    print_json,
    read_file,
    runtime,
    say,
)
from paperround.cli.progress import progress
from paperround.cli.tables import table, terminal_width
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paperround.jobs.subscriber_files import Found
    from paperround.jobs.subscribers import ImportReport

MOST_SHOWN = 20
"""Rejects that are told one by one."""

IN_MEMORY = 16 * 2**20
"""Characters of an export that are held in memory; a longer one is gathered in a file without a
name."""

LISTED = ("email", "status", "frequency", "hour", "timezone")
"""What `subscribers list` shows of a person, of the columns that an export has."""

app = typer.Typer(help="The people on a list.", no_args_is_help=True)
app.command("history")(subscriber_history.history)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or JSON.")],
    origin: Annotated[
        Literal["listmonk", "mailman", "google-groups"] | None,
        typer.Option("--from", help="The program that wrote FILE, when it was another one."),
    ] = None,
    consent_at: Annotated[
        str | None,
        typer.Option("--consent-at", metavar="TIME", help="With --from: when they agreed."),
    ] = None,
    consent_source: Annotated[
        str | None,
        typer.Option("--consent-source", metavar="TEXT", help="With --from: how they agreed."),
    ] = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Put the people of FILE on a list.

    Columns: email, status (pending, active, unsubscribed, suppressed), consent_at,
    consent_source, and if wanted timezone, hour, frequency (daily, weekdays, weekly:mon),
    topics (separated by ;), language and interests (kind:value, one a line of the cell, such as
    "keyword:graph NOT survey" or "author:Ada Lovelace"). A row without consent is a reject.

    With --from, FILE is what that program exports. Where it does not say when its people agreed
    to mail, you may vouch for them with --consent-at and --consent-source.
    """
    from paperround.jobs.subscribers import import_subscribers

    rows = _people(file, origin, consent_at, consent_source)
    home = runtime(now, creates=True)
    with progress(f"reading {file.name}", len(rows)) as advance:
        report = import_subscribers(
            rows,
            database=home.database,
            addresses=home.addresses,
            keys=home.settings.keys,
            list_name=list_name,
            now=home.clock.now(),
            progress=advance,
        )
    if as_json:
        print_json(_as_json(report))
    else:
        _tell(file, report)
    if report.rows and len(report.rejects) == report.rows:
        typer.echo("paperround: nobody was imported: every row was rejected", err=True)
        raise typer.Exit(1)


def _people(
    file: Path, origin: str | None, consent_at: str | None, consent_source: str | None
) -> "list[Found]":
    from paperround.jobs.foreign_subscribers import Vouched, read_foreign
    from paperround.jobs.subscriber_files import read_rows

    vouched = Vouched(at=instant_of(consent_at, "--consent-at"), source=consent_source)
    if origin is not None:
        return read_foreign(read_file(file), origin, vouched)
    if vouched != Vouched():
        raise typer.BadParameter(
            "goes with --from; without it every row says when and how they agreed",
            param_hint="--consent-at, --consent-source",
        )
    return read_rows(read_file(file))


def _outcomes(report: "ImportReport") -> dict[str, int]:
    return {
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "suppressed": report.suppressed,
    }


def _as_json(report: "ImportReport") -> dict[str, Any]:
    reasons = Counter(reject.reason for reject in report.rejects)
    rejects = [{"reason": why, "count": count} for why, count in sorted(reasons.items())]
    return {"rows": report.rows, **_outcomes(report), "rejects": rejects}


def _tell(file: Path, report: "ImportReport") -> None:
    numbers = _outcomes(report) | {"rejected": len(report.rejects)}
    say(f"{file.name}: {counted(report.rows, 'row')} ({counts(numbers)})")
    for reject in report.rejects[:MOST_SHOWN]:
        say(f"  {reject.detail}")
    rest = Counter(reject.reason for reject in report.rejects[MOST_SHOWN:])
    if rest:
        say(f"  and {counted(rest.total(), 'more reject')}: {counts(dict(rest))}")


@app.command()
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    consent_source: Annotated[
        str, typer.Option("--consent-source", metavar="TEXT", help="How they agreed to be mailed.")
    ],
    consent_at: Annotated[
        str | None,
        typer.Option("--consent-at", metavar="TIME", help="When they agreed. Default: now."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as Europe/Berlin.")] = None,
    hour: Annotated[int | None, typer.Option(help="0 to 23, in that time zone.")] = None,
    frequency: Annotated[str | None, typer.Option(help="daily, weekdays or weekly:mon.")] = None,
    topics: Annotated[str | None, typer.Option(help="Separated by semicolons.")] = None,
    interest: Annotated[
        list[str] | None,
        typer.Option(
            "--interest",
            metavar="KIND:VALUE",
            help="keyword:, author:, category:, seed:, topic: or mute:, for all their lists; may "
            "be given several times, and replaces what was there.",
        ),
    ] = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Put one person who agreed to it on a list; they get the next digest.

    Choices that are not given stay as they are. Somebody who is suppressed or who left is not
    added.
    """
    from paperround.jobs.subscribers import add_subscriber

    home = runtime(now, creates=True)
    wishes = {
        "timezone": timezone,
        "hour": hour,
        "frequency": frequency,
        "topics": topics,
        "interests": interest or None,
    }
    outcome = add_subscriber(
        {
            "email": email,
            "consent_at": (instant_of(consent_at, "--consent-at") or home.clock.now()).isoformat(),
            "consent_source": consent_source,
            **{name: wish for name, wish in wishes.items() if wish is not None},
        },
        database=home.database,
        addresses=home.addresses,
        keys=home.settings.keys,
        list_name=list_name,
        now=home.clock.now(),
    )
    if as_json:
        print_json({"list": list_name, "outcome": outcome})
    else:
        say(f"{list_name}: {_ADDED[outcome]}")


_ADDED = {"new": "added", "changed": "changed", "unchanged": "was on the list already"}


@app.command()
def export(
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Print everybody on a list in the columns `import` takes, as CSV or JSON."""
    from paperround.jobs.subscriber_files import write_sheet
    from paperround.jobs.subscriber_rows import COLUMNS
    from paperround.jobs.subscribers import exported_rows

    home = runtime()
    with SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="") as sheet:
        # Whole before any of it is printed: who reads may be slow, and no part looks like a whole.
        with home.database.reading() as work:
            rows = exported_rows(work, work.lists.get(list_name))
            if as_json:
                _write_json(rows, sheet)
            else:
                write_sheet(rows, COLUMNS, sheet)
        sheet.seek(0)
        shutil.copyfileobj(sheet, sys.stdout)


def _write_json(rows: "Iterator[dict[str, str]]", sheet: IO[str]) -> None:
    """`[row, row]`, a row at a time: a list may be long."""
    between = "["
    for row in rows:
        sheet.write(between + json.dumps(row, ensure_ascii=False))
        between = ", "
    sheet.write("]\n" if between == ", " else "[]\n")


@app.command()
def erase(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    suppress: Annotated[
        bool,
        typer.Option("--suppress", help="Keep a hash, so that EMAIL is never mailed again."),
    ] = False,
    yes: Yes = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Forget one person: address, choices, feedback, and what they were sent.

    The ledger keeps its rows without a name. Without --suppress they may sign up again.
    """
    from paperround.jobs.erasure import erase_address

    home = runtime(now)
    address = home.addresses.read(email)
    home.prepare()
    agree(yes, f"Forget {address.written}, with all that they chose and were sent?")
    known = erase_address(
        home.desk,
        address,
        now=home.clock.now(),
        suppress=suppress,
    )
    if as_json:
        print_json({"erased": known, "suppressed": suppress})
    else:
        say(_ERASED[known] + (", and will not be mailed again" if suppress else ""))


_ERASED = {True: "erased", False: "nobody is known under this address"}


@app.command("list")
def list_people(list_name: ListName = DEFAULT_LIST, as_json: AsJson = False) -> None:
    """Show everybody on a list: address, state, how often and when; then how many there are."""
    from paperround.jobs.subscribers import exported_rows

    home = runtime()
    with home.database.reading() as work:
        rows = exported_rows(work, work.lists.get(list_name))
        people = [{name: row[name] for name in LISTED} for row in rows]
    states = dict(sorted(Counter(one["status"] for one in people).items()))
    if as_json:
        print_json({"list": list_name, "states": states, "subscribers": people})
        return
    for line in table([tuple(one.values()) for one in people], terminal_width()) if people else ():
        say(line)
    say(f"{list_name}: {counts(states)}")
