"""`paperround digest`: preview and send."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import digest_status
from paperround.cli.options import (
    AsJson,
    Day,
    ListName,
    Now,
    counts,
    day_of,
    print_json,
    runtime,
    say,
)
from paperround.domain.lists import DEFAULT_LIST, MANUAL_CUT
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.jobs.publish import PublishReport

app = typer.Typer(
    help="Preview a digest, or publish an edition and plan everybody's.", no_args_is_help=True
)
app.command("status")(digest_status.status)
app.command("test")(digest_status.try_mail)


@app.command()
def preview(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the files.")],
    list_name: ListName = DEFAULT_LIST,
    day: Day = None,
    subscriber: Annotated[
        str | None,
        typer.Option("--subscriber", metavar="EMAIL", help="As this person would get it."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Write digest.html, digest.txt and digest.eml, the bytes that would be sent. Sends nothing."""
    from paperround.jobs.preview import preview as run

    home = runtime(now)
    shown = run(
        database=home.database,
        ranker=home.ranker,
        identity=home.identity,
        letterhead=home.letterhead,
        list_name=list_name,
        day=day_of(day),
        reader=home.addresses.read(subscriber) if subscriber else None,
        now=home.clock.now(),
        gist=home.gist,
        opinions=home.opinions,
    )
    files = []
    if shown.mail is not None:
        rendered = home.renderer.render(shown.mail.view)
        files = [
            _write(out, "digest.html", rendered.html.encode()),
            _write(out, "digest.txt", rendered.text.encode()),
            _write(out, "digest.eml", home.renderer.compose(shown.mail)),
        ]
    if as_json:
        print_json({"skipped": shown.skipped, "planned": shown.planned, "files": files})
    elif shown.skipped is not None:
        say(f"no mail: {shown.skipped}")
    else:
        say(f"wrote {', '.join(files)}")


@app.command()
def send(
    list_name: ListName = DEFAULT_LIST,
    day: Day = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be planned; write nothing.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Publish now and plan a mail for every active subscription. `deliver` sends them."""
    from paperround.jobs.publish import publish

    home = runtime(now)
    home.settings.require_sender()
    report = publish(
        database=home.database,
        ranker=home.ranker,
        identity=home.identity,
        list_name=list_name,
        day=day_of(day),
        cut=MANUAL_CUT,
        now=home.clock.now(),
        dry_run=dry_run,
        gist=home.gist,
        opinions=home.opinions,
    )
    if as_json:
        print_json(_as_json(report))
    else:
        _tell(report, dry_run=dry_run)


WhichList = Annotated[
    str | None, typer.Option("--list", metavar="LIST", help="One list only. Default: all of them.")
]


@app.command()
def pause(list_name: WhichList = None, as_json: AsJson = False) -> None:
    """Send no digest until `digest resume`. Mails in hand are finished, confirmations still go."""
    from paperround.jobs.pausing import pause as run

    home = runtime()
    _tell_names("paused", run(home.database, list_name, now=home.clock.now()), as_json=as_json)


@app.command()
def resume(list_name: WhichList = None, as_json: AsJson = False) -> None:
    """Let paused lists go on, and digests that a leap of the clock holds. What waited for more
    than 20 hours is not sent any more."""
    from paperround.jobs.holding import let_go
    from paperround.jobs.pausing import resume as run

    home = runtime()
    was_held = let_go(home.database, home.boot(), now=home.clock.now())
    if was_held and not as_json:
        say("the clock is taken to be right: digests go on")
    _tell_names("resumed", run(home.database, list_name), as_json=as_json)


def _tell_names(what: str, names: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({what: names})
    else:
        say(f"{what}: {', '.join(names)}" if names else f"nothing to do: nothing was {what}")


def _as_json(report: "PublishReport") -> dict[str, Any]:
    edition = report.edition
    return {
        "edition": {
            "list": edition.list_name,
            "date": edition.day.isoformat(),
            "cut": edition.cut,
            "papers": len(edition.papers),
        },
        "planned": report.planned.rows,
        "skipped": dict(sorted(report.planned.skipped.items())),
        "added": report.added,
    }


def _tell(report: "PublishReport", *, dry_run: bool) -> None:
    edition, planned = report.edition, report.planned
    day, papers = edition.day.isoformat(), counted(len(edition.papers), "paper")
    say(f"{edition.list_name}, {day} ({edition.cut}): {papers}")
    if edition.empty_reason:
        say(f"  empty because: {edition.empty_reason}")
    without = sum(planned.skipped.values())
    verb = "would plan" if dry_run else "planned"
    mails = counted(planned.rows - without, "mail")
    people = counted(report.added, "person", "people")
    say(f"  {verb} {mails} ({people} added now)")
    if without:
        say(f"  no mail for {without:,}: {counts(dict(planned.skipped))}")


def _write(folder: Path, name: str, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return str(path)
