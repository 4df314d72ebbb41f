"""`paperround subscribers` and `suppressions`: the people on a list, and addresses that must never
be mailed."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.bounces import EVENT_FIELDS
from paperround.cli.options import (
    AsJson,
    ConsentAt,
    Frequency,
    Hour,
    Interests,
    ListName,
    Now,
    Timezone,
    Topics,
    Yes,
    agree,
    read_file,
    runtime,
    usage,
)
from paperround.cli.output import (
    counts,
    pick_fields,
    print_list,
    print_result,
    progress,
    table_lines,
)
from paperround.core.plugins import plugins
from paperround.core.reasons import counted
from paperround.editions.lists import DEFAULT_LIST

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.delivery.status import MailRecord

MOST_SHOWN = 20
"""Rejects that are printed one by one."""

IN_MEMORY = 16 * 2**20
"""Characters of an export that are kept in memory; a longer one goes to an unnamed file."""

LISTED = ("email", "status", "frequency", "hour", "timezone")
"""The columns of an export that `subscribers list` shows."""

app = typer.Typer(help="The people on a list.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or JSON.")],
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PROGRAM",
            help="The program that wrote FILE, when it was another one: listmonk, mailman, "
            "google-groups, or one of a plugin.",
        ),
    ] = None,
    consent_at: ConsentAt = None,
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
    consent_source, and if wanted timezone, hour, frequency (daily, weekdays, weekly:mon, monthly),
    topics (separated by ;), language and interests (kind:value, one a line of the cell, such as
    "keyword:graph NOT survey" or "author:Ada Lovelace"). A row without consent is a reject.

    With --from, FILE is what that program exports. Where it does not say when its people agreed
    to mail, you may vouch for them with --consent-at and --consent-source.
    """
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
            "goes with --from; without it every row says when and how they agreed",
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
        )
    numbers = pick_fields(report, "new changed unchanged suppressed")
    reasons = sorted(Counter(reject.reason for reject in report.rejects).items())
    rejects = [{"reason": why, "count": count} for why, count in reasons]
    value = {"rows": report.rows, **numbers, "rejects": rejects}
    numbers["rejected"] = len(report.rejects)
    lines = [f"{file.name}: {counted(report.rows, 'row')} ({counts(numbers)})"]
    lines += [f"  {reject.detail}" for reject in report.rejects[:MOST_SHOWN]]
    rest = Counter(reject.reason for reject in report.rejects[MOST_SHOWN:])
    if rest:
        lines.append(f"  and {counted(rest.total(), 'more reject')}: {counts(dict(rest))}")
    print_result(value, lines, as_json=as_json)
    if report.rows and len(report.rejects) == report.rows:
        typer.echo("paperround: nobody was imported: every row was rejected", err=True)
        raise typer.Exit(1)


@app.command()
def add(
    email: Email,
    consent_source: Annotated[
        str, typer.Option("--consent-source", metavar="TEXT", help="How they agreed to be mailed.")
    ],
    consent_at: ConsentAt = None,
    timezone: Timezone = None,
    hour: Hour = None,
    frequency: Frequency = None,
    topics: Topics = None,
    interest: Interests = None,
    list_name: ListName = DEFAULT_LIST,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Put one person who agreed to it on a list; they get the next digest.

    Choices that are not given stay as they are. Somebody who is suppressed or who left is not
    added.
    """
    from paperround.subscribers.imports import add_subscriber

    context = runtime(now, creates=True)
    choices = {
        "timezone": timezone,
        "hour": hour,
        "frequency": frequency,
        "topics": topics,
        "interests": interest or None,
    }
    line = {"new": "added", "changed": "changed", "unchanged": "was on the list already"}
    outcome = add_subscriber(
        {
            "email": email,
            "consent_at": (consent_at or context.clock.now()).isoformat(),
            "consent_source": consent_source,
            **{name: choice for name, choice in choices.items() if choice is not None},
        },
        database=context.database,
        keys=context.settings.keys,
        list_name=list_name,
        now=context.clock.now(),
    )
    value = {"list": list_name, "outcome": outcome}
    print_result(value, f"{list_name}: {line[outcome]}", as_json=as_json)


@app.command()
def export(
    list_name: ListName = DEFAULT_LIST,
    as_json: AsJson = False,
) -> None:
    """Print everybody on a list in the columns `import` takes, as CSV or JSON."""
    from paperround.editions.store.lists import ListStore
    from paperround.subscribers.import_files import COLUMNS, write_sheet
    from paperround.subscribers.imports import exported_rows

    context = runtime()
    from tempfile import SpooledTemporaryFile

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


def _write_json(rows: Iterator[dict[str, str]], file: IO[str]) -> None:
    """Write `[row, row]`, a row at a time: a list may be long."""
    separator = "["
    for row in rows:
        file.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ", "
    file.write("]\n" if separator == ", " else "[]\n")


@app.command()
def erase(
    email: Email,
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
    from paperround.self_service.erasure import erase_address
    from paperround.subscribers.addresses import parse_address

    context = runtime(now)
    address = parse_address(email)
    context.prepare()
    agree(yes, f"Forget {address.written}, with all that they chose and were sent?")
    known = erase_address(
        context.signup_context, address, now=context.clock.now(), suppress=suppress
    )
    line = "erased" if known else "nobody is known under this address"
    line += ", and will not be mailed again" if suppress else ""
    print_result({"erased": known, "suppressed": suppress}, line, as_json=as_json)


@app.command("list")
def list_people(list_name: ListName = DEFAULT_LIST, as_json: AsJson = False) -> None:
    """Show everybody on a list: address, state, how often and when; then how many there are."""
    from paperround.editions.store.lists import ListStore
    from paperround.subscribers.imports import exported_rows

    context = runtime()
    with context.database.reading() as work:
        rows = exported_rows(work, work[ListStore].get(list_name))
        people = [{name: row[name] for name in LISTED} for row in rows]
    states = dict(sorted(Counter(one["status"] for one in people).items()))
    table = table_lines(people) if people else ()
    lines = [*table, f"{list_name}: {counts(states)}"]
    print_result(
        {"list": list_name, "states": states, "subscribers": people}, lines, as_json=as_json
    )


@app.command()
def history(email: Email, as_json: AsJson = False) -> None:
    """Show the mails written to one person, newest first: papers, tries, the server's words, and
    what came back."""
    from paperround.ops.status import history as run
    from paperround.subscribers.addresses import parse_address

    with usage("EMAIL"):
        address = parse_address(email)
    past = run(runtime().database, address)
    value = {
        "subscriber": past.subscriber.address,
        "state": past.subscriber.state,
        "subscriptions": {name: one.state for name, one in past.subscriptions.items()},
        "mails": [mail_as_json(*one) for one in zip(past.mails, past.titles, strict=True)],
        "returned": [pick_fields(event, EVENT_FIELDS) for event in past.returned],
    }
    print_result(value, as_json=as_json)


def mail_as_json(mail: "MailRecord", titles: Sequence[str]) -> dict[str, Any]:
    """Return one message, or post, of a history as JSON."""
    about = {"list": mail.list_name, "date": mail.local_date, "papers": titles}
    names = "name kind state reason due_at sent_at attempts code reply message_id"
    return {**pick_fields(mail, names), **about}


suppressions = typer.Typer(
    help="Addresses that must never be mailed; only their keyed hashes are kept.",
    no_args_is_help=True,
)


@suppressions.command("list")
def list_suppressions(as_json: AsJson = False) -> None:
    """Show every standing suppression: its hash, its reason, since when."""
    from paperround.subscribers.store.subscribers import SubscriberStore

    with runtime().database.reading() as work:
        rows = work[SubscriberStore].suppressions()
        found = [{"digest": digest, "reason": why, "since": at} for digest, why, at in rows]
    print_list("suppressions", found, "digest reason since", none="nobody", as_json=as_json)


@suppressions.command("add")
def suppress(
    email: Email,
    reason: Annotated[str, typer.Option("--reason", help="Kept beside the hash.")] = "operator",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Never mail EMAIL again, whatever is imported or signed up."""
    from paperround.subscribers.addresses import parse_address
    from paperround.subscribers.imports import suppress as run

    context = runtime(now)
    address = parse_address(email)
    with context.database.writing() as work:
        added = run(work, context.settings.keys, address, reason=reason, now=context.clock.now())
    line = "suppressed" if added else "was suppressed already"
    print_result({"suppressed": added}, line, as_json=as_json)


@suppressions.command()
def lift(
    email: Email,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="A mail that came back stopped them: send them digests."),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Let EMAIL be mailed again. Nobody is subscribed by this: they sign up again themselves.

    With --resume a reader who was stopped because a mail came back gets digests again.
    """
    from paperround.subscribers.addresses import parse_address
    from paperround.subscribers.imports import lift as run

    context = runtime(now)
    address = parse_address(email)
    with context.database.writing() as work:
        lifted = run(work, context.settings.keys, address, now=context.clock.now(), resume=resume)
    ends = "lifted: digests go on" if resume else "lifted"
    print_result({"lifted": lifted}, ends if lifted else "was not suppressed", as_json=as_json)
