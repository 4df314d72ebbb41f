"""`paperround subscribers`: the people on a list as a whole. `cli.people` adds the commands for one
of them."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import (
    AsJson,
    ConsentAt,
    ListName,
    Now,
    actor,
    argument,
    read_file,
    runtime,
    takes,
)
from paperround.cli.output import counts, pick_fields, print_result, progress, table_lines
from paperround.core.plugins import plugins
from paperround.core.reasons import counted
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.bootstrap import AppContext

MOST_SHOWN = 20
"""Rejects that are printed one by one."""

IN_MEMORY = 16 * 2**20
"""Characters of an export that are kept in memory; a longer one goes to an unnamed file."""

LISTED = ("email", "status", "frequency", "hour", "timezone")
"""The columns of an export that `subscribers list` shows."""

app = typer.Typer(
    help="Find, add, change, move and erase readers. `show` says why one gets no email.",
    no_args_is_help=True,
)


@app.command("import")
def import_file(
    file: Annotated[Path, argument("FILE", "CSV with a header, or JSON.")],
    origin: Annotated[
        str | None,
        takes(
            "--from",
            "PROGRAM",
            "The program that exported FILE, if not Paperround: listmonk, mailman, "
            "google-groups, or one of a plugin.",
        ),
    ] = None,
    consent_at: ConsentAt = None,
    consent_source: Annotated[
        str | None, takes("--consent-source", "TEXT", "With --from: how they agreed.")
    ] = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Add the people in FILE to a list.

    Columns: email, status (pending, active, unsubscribed, suppressed), consent_at,
    consent_source, and optionally timezone, hour, frequency (daily, weekdays, weekly:mon, monthly),
    topics (separated by ;), language and interests (kind:value, one a line of the cell, such as
    "keyword:graph NOT survey" or "author:Ada Lovelace"). A row without consent is rejected.

    With --from, FILE is what that program exports. If it does not say when its people agreed to
    email, you can state it with --consent-at and --consent-source."""
    from paperround.subscribers.import_files import read_rows
    from paperround.subscribers.imports import import_subscribers

    importers = plugins("importers")
    if origin is not None and origin not in importers:
        raise typer.BadParameter(f"use one of {', '.join(importers)}", param_hint="--from")
    if origin is not None:
        rows = importers[origin](read_file(file), consent_at, consent_source)
    elif consent_at is None and consent_source is None:
        rows = read_rows(read_file(file))
    else:
        raise typer.BadParameter(
            "needs --from; without it every row says when and how they agreed",
            param_hint="--consent-at, --consent-source",
        )
    context = runtime(now, creates=True)
    with progress(f"reading {file.name}", len(rows)) as advance:
        report = import_subscribers(
            rows,
            database=context.database,
            keys=context.settings.keys,
            list_name=list_name,
            now=context.clock.now(),
            progress=advance,
            by=actor(),
        )
    numbers = pick_fields(report, "new changed unchanged suppressed")
    reasons = sorted(Counter(reject.reason for reject in report.rejects).items())
    rejects = [{"reason": why, "count": count} for why, count in reasons]
    value = {"rows": report.rows, **numbers, "pending": report.pending, "rejects": rejects}
    numbers["rejected"] = len(report.rejects)
    lines = [f"{file.name}: {counted(report.rows, 'row')} ({counts(numbers)})"]
    if report.pending:
        lines.append(f"  {report.pending:,} pending: no email until they confirm")
    lines += [f"  {reject.detail}" for reject in report.rejects[:MOST_SHOWN]]
    rest = Counter(reject.reason for reject in report.rejects[MOST_SHOWN:])
    if rest:
        lines.append(f"  and {counted(rest.total(), 'more reject')}: {counts(dict(rest))}")
    print_result(value, lines, as_json=as_json)
    if report.rows and len(report.rejects) == report.rows:
        typer.echo("paperround: nobody was imported: every row was rejected", err=True)
        raise typer.Exit(1)


@app.command()
def export(
    who: Annotated[str | None, argument("[WHO]", "One person: an address or a number.")] = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Print everybody on a list, as CSV or JSON, for `import`. With WHO, print all data about that
    person as JSON, as they can export it themselves."""
    from paperround.editions.store.lists import ListStore
    from paperround.subscribers.import_files import COLUMNS, write_sheet
    from paperround.subscribers.imports import audit_export, exported_rows

    context = runtime(now)
    if who is not None:
        _export_person(context, who)
        return
    from tempfile import SpooledTemporaryFile

    audit_export(context.database, list_name, now=context.clock.now(), by=actor())
    with SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="") as file:
        # Complete before printing: a reader may be slow, and a part must not look complete.
        with context.database.reading() as work:
            rows = exported_rows(work, work[ListStore].get(list_name))
            if as_json:
                _write_json(rows, file)
            else:
                write_sheet(rows, COLUMNS, file)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)


def _export_person(context: "AppContext", who: str) -> None:
    from paperround.self_service.help_desk import export_data, person_number

    number = person_number(context.database, who)
    pieces = export_data(context.signup_context, number, now=context.clock.now(), by=actor())
    for piece in pieces:
        sys.stdout.write(piece)


def _write_json(rows: Iterator[dict[str, str]], file: IO[str]) -> None:
    """Write `[row, row]`, a row at a time: a list may be long."""
    separator = "["
    for row in rows:
        file.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ", "
    file.write("]\n" if separator == ", " else "[]\n")


@app.command("list")
def list_people(
    list_name: ListName = DEFAULT_LIST,
    state: Annotated[
        str | None,
        typer.Option(help="Only those who are pending, active, unsubscribed or suppressed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show everybody on a list, with state and schedule."""
    from paperround.subscribers.model import SubscriberState

    if state not in (None, *SubscriberState):
        raise typer.BadParameter(f"use one of {', '.join(SubscriberState)}", param_hint="--state")
    from paperround.editions.store.lists import ListStore
    from paperround.subscribers.imports import exported_rows

    context = runtime()
    with context.database.reading() as work:
        rows = exported_rows(work, work[ListStore].get(list_name))
        people = [{name: row[name] for name in LISTED} for row in rows]
    states = dict(sorted(Counter(one["status"] for one in people).items()))
    people = [one for one in people if state in (None, one["status"])]
    table = table_lines(people) if people else ()
    lines = [*table, f"{list_name}: {counts(states)}"]
    print_result(
        {"list": list_name, "states": states, "subscribers": people}, lines, as_json=as_json
    )
