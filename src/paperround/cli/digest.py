"""`paperround digest`: preview and send; the rest stands beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli import digest_missed, digest_status, digest_stop
from paperround.cli.options import AsJson, Day, ListName, Now, runtime
from paperround.cli.output import counts, print_result
from paperround.domain.lists import DEFAULT_LIST, MANUAL_CUT
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.jobs.publish import PublishReport

app = typer.Typer(
    help="Preview a digest, or publish an edition and plan everybody's.", no_args_is_help=True
)
app.command("status")(digest_status.status)
app.command("test")(digest_status.try_mail)
app.command("pause")(digest_stop.pause)
app.command("resume")(digest_stop.resume)
app.command("cancel")(digest_stop.cancel)
app.command("missed")(digest_missed.missed)


@app.command()
def preview(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the files.")],
    list_name: ListName = DEFAULT_LIST,
    of_day: Day = None,
    subscriber: Annotated[
        str | None,
        typer.Option("--subscriber", metavar="EMAIL", help="As this person would get it."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Write digest.html, digest.txt and digest.eml, the bytes that would be sent. Sends nothing."""
    home = runtime(now)
    shown = home.previewer.preview(
        list_name,
        day=of_day,
        reader=home.addresses.read(subscriber) if subscriber else None,
        now=home.clock.now(),
    )
    files = []
    if shown.mail is not None and shown.rendered is not None:
        files = [
            _write(out, "digest.html", shown.rendered.html.encode()),
            _write(out, "digest.txt", shown.rendered.text.encode()),
            _write(out, "digest.eml", home.renderer.compose(shown.mail)),
        ]
    line = f"wrote {', '.join(files)}" if shown.skipped is None else f"no mail: {shown.skipped}"
    value = {"skipped": shown.skipped, "planned": shown.planned, "files": files}
    print_result(value, line, as_json=as_json)


@app.command()
def send(
    list_name: ListName = DEFAULT_LIST,
    of_day: Day = None,
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
        day=of_day,
        cut=MANUAL_CUT,
        now=home.clock.now(),
        dry_run=dry_run,
        gist=home.gist,
        opinions=home.opinions,
    )
    print_result(_as_json(report), _lines(report, dry_run=dry_run), as_json=as_json)


def _as_json(report: "PublishReport") -> dict[str, Any]:
    edition = report.edition
    return {
        "edition": {
            "list": edition.list_name,
            "date": edition.day,
            "cut": edition.cut,
            "papers": len(edition.papers),
        },
        "planned": report.planned.rows,
        "skipped": dict(sorted(report.planned.skipped.items())),
        "added": report.added,
    }


def _lines(report: "PublishReport", *, dry_run: bool) -> Iterator[str]:
    edition, planned = report.edition, report.planned
    papers, verb = counted(len(edition.papers), "paper"), "would plan" if dry_run else "planned"
    yield f"this run {verb} the digest of {counted(report.added, 'person', 'people')}"
    without = sum(planned.skipped.values())
    mails = counted(planned.rows - without, "mail")
    yield f"{edition.list_name}, {edition.day} ({edition.cut}): {papers}, {mails} in all"
    if edition.empty_reason:
        yield f"  empty because: {edition.empty_reason}"
    if without:
        yield f"  no mail for {without:,}: {counts(planned.skipped)}"


def _write(folder: Path, name: str, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return str(path)
