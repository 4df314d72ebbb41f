"""`paperround subscribers`: import, export, add, list."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from paperround.cli.options import (
    AsJson,
    ListName,
    Now,
    counts,
    print_json,
    read_file,
    runtime,
    say,
)
from paperround.cli.progress import progress
from paperround.domain.lists import DEFAULT_LIST

app = typer.Typer(help="The people on a list.", no_args_is_help=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or JSON.")],
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Put the people of FILE on a list.

    Columns: email, status (pending, active, unsubscribed, suppressed), consent_at,
    consent_source, and if wanted timezone, hour, frequency (daily, weekdays, weekly:mon),
    topics (separated by ;) and language. A row without consent is a reject.
    """
    from paperround.jobs.subscribers import import_subscribers, read_rows

    home = runtime(now)
    rows = read_rows(read_file(file))
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
    reasons = Counter(reject.reason for reject in report.rejects)
    numbers = {
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "suppressed": report.suppressed,
    }
    if as_json:
        rejects = [{"reason": why, "count": n} for why, n in sorted(reasons.items())]
        print_json({"rows": report.rows, **numbers, "rejects": rejects})
        return
    say(f"{file.name}: {report.rows:,} rows ({counts(numbers)})")
    for reject in report.rejects[:20]:
        say(f"  row {reject.position} rejected: {reject.detail}")
    if len(report.rejects) > 20:
        say(f"  and {len(report.rejects) - 20:,} more rejects: {counts(dict(reasons))}")


@app.command()
def export(
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Print everybody on a list in the columns `import` takes, as CSV or JSON."""
    from paperround.jobs.subscribers import COLUMNS, exported_rows

    home = runtime()
    with home.database.reading() as work:
        rows = list(exported_rows(work, work.lists.get(list_name)))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    typer.echo(sheet.getvalue(), nl=False)


@app.command("list")
def list_people(list_name: ListName = DEFAULT_LIST, as_json: AsJson = False) -> None:
    """Count the people on a list by state."""
    home = runtime()
    with home.database.reading() as work:
        people = work.subscribers.export(work.lists.get(list_name).id)
        states = Counter(subscriber.state.value for subscriber, _ in people)
    if as_json:
        print_json({"list": list_name, "states": dict(sorted(states.items()))})
    else:
        say(f"{list_name}: {counts(dict(sorted(states.items())))}")
