"""`paperround bounces`: read bounces and complaints, and those in quarantine."""

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from paperround.cli.options import AsJson, Now, argument, runtime, takes
from paperround.cli.output import counts, pick_fields, print_json, print_result
from paperround.core.errors import InvalidInput, NotFound, PaperroundError
from paperround.core.reasons import counted

TRY_LATER = 75
"""The exit code that makes a mail server keep the message and retry (EX_TEMPFAIL, sysexits.h)."""

MOST_SHOWN = 50

EVENT_FIELDS = "id way kind evidence proof did mail code said happened_at"

app = typer.Typer(help="Bounces and complaints: emails that came back.", no_args_is_help=True)


@app.command()
def read(
    file: Annotated[
        str, argument("[FILE|-]", "The file with the message. Default: standard input.")
    ] = "-",
    to: Annotated[str, takes("--to", "ADDRESS", "The address it was delivered to.")] = "",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Read one returned email from standard input. For a mail server's pipe: exit code 0 means
    accepted, 75 means keep it and retry."""
    from paperround.bounces.intake import process_message

    try:
        with Path(file).open("rb") if file != "-" else nullcontext(sys.stdin.buffer) as opened:
            raw = _read_message(opened)
        context = runtime(now)
        did = process_message(context.intake, raw, way="pipe", to=to, now=context.clock.now())
    except (PaperroundError, OSError) as error:  # the mail server keeps it
        typer.echo(f"paperround: {error}", err=True)
        raise typer.Exit(TRY_LATER) from error
    _print_report(Counter([did]), as_json=as_json)


def _read_message(opened: BinaryIO) -> bytes:
    """Return the part that is parsed. Reads to the end, or the mail server reports a failure."""
    from paperround.bounces.reports import LONGEST

    raw = opened.read(LONGEST)
    while opened.read(LONGEST):
        pass
    return raw


@app.command()
def poll(now: Now = None, as_json: AsJson = False) -> None:
    """Read the mailbox of PAPERROUND_BOUNCE_IMAP_URL now. A running service does it every five
    minutes."""
    context = runtime(now)
    report = context.process_bounce_mailbox()
    if report is None:
        raise InvalidInput("no mailbox is configured: set PAPERROUND_BOUNCE_IMAP_URL")
    _print_report(report, as_json=as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show recent bounces and complaints with their effects. Also shows messages in quarantine."""
    from paperround.bounces.store import ReturnStore

    with runtime().database.reading() as work:
        events = work[ReturnStore].events(None, limit=MOST_SHOWN)
        waiting = work[ReturnStore].waiting(limit=MOST_SHOWN)
    events_shown = [pick_fields(one, EVENT_FIELDS) for one in events]
    waiting_shown = [pick_fields(one, "id way why size received_at") for one in waiting]
    none = "no bounces yet; `paperround doctor` checks whether they are read"
    line = None if events or waiting else none
    print_result({"events": events_shown, "quarantine": waiting_shown}, line, as_json=as_json)


@app.command("show")
def show_one(
    number: Annotated[int, argument("ID", "Its number in `bounces list`.")], as_json: AsJson = False
) -> None:
    """Print a message in quarantine as text. It is decoded and safe for a terminal; with --json, it
    is as received. It may contain addresses."""
    from paperround.bounces.redact import readable_report
    from paperround.bounces.store import ReturnStore

    database = runtime().database
    with database.reading() as work:
        found = work[ReturnStore].quarantined(number)
    if found is None:
        raise NotFound(
            f"there is no message {number} in quarantine: `paperround bounces list` shows them"
        )
    if as_json:
        print_json({"id": number, "message": found[1].decode("utf-8", "replace")})
        return
    print_result(None, readable_report(database, number), as_json=False)


def _print_report(report: Counter[str], *, as_json: bool) -> None:
    from paperround.bounces.model import KNOWN, Did

    numbers = {did: report[did] for did in (*map(str, Did), KNOWN)}
    print_result(numbers, f"{counted(report.total(), 'mail')}: {counts(numbers)}", as_json=as_json)
