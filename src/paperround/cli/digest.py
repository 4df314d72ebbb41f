"""`paperround digest`: preview, send, pause, cancel and resend digests."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli import digest_status
from paperround.cli.options import AnyList, AsJson, Day, ListName, Now, Yes, agree, day, runtime
from paperround.cli.output import (
    counts,
    outline_lines,
    pick_fields,
    print_list,
    print_result,
    to_json,
)
from paperround.core.reasons import counted
from paperround.editions.lists import DEFAULT_LIST, MANUAL_CUT

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.digests.cancel import Prospect
    from paperround.digests.publish import PublishReport

app = typer.Typer(
    help="Preview a digest, or publish an edition and plan everybody's.", no_args_is_help=True
)
app.command("status")(digest_status.status)
app.command("test")(digest_status.try_mail)


@app.command()
def pause(list_name: AnyList = None, as_json: AsJson = False) -> None:
    """Send no digest until `digest resume`. Mails in hand are finished, confirmations still go."""
    from paperround.digests.cancel import pause as run

    context = runtime()
    names = run(context.database, list_name, now=context.clock.now())
    line = f"paused: {', '.join(names)}" if names else f"{NOTHING}: sending is paused already"
    print_result({"paused": names}, line, as_json=as_json)


@app.command()
def resume(
    list_name: AnyList = None,
    unsigned: Annotated[
        bool,
        typer.Option(
            "--unsigned", help="Only this: let mail leave without the DKIM keys that signed it."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let paused lists go on, and digests that a leap of the clock or an older copy of the database
    holds. What waited for more than 20 hours is not sent any more."""
    from paperround.delivery.holds import allow_unsigned, release_digests
    from paperround.digests.cancel import resume as run

    context = runtime()
    now = context.clock.now()
    if unsigned:
        changed = allow_unsigned(context.database, now=now)
        print_result({"unsigned": changed}, UNSIGNED[changed], as_json=as_json)
        return
    lines: list[str] = []
    was_put_back = context.send_marks.resume(context.database, now=now)
    if was_put_back is not None:
        lines.append(f"an older copy of the database is taken to be in use; {was_put_back}")
    if release_digests(context.database, context.boot(), now=now):
        lines.append("the clock is taken to be right: digests go on")
    names = run(context.database, list_name, now=now)
    lines.append(f"resumed: {', '.join(names)}" if names else f"{NOTHING}: nothing is paused")
    print_result({"resumed": names}, lines, as_json=as_json)


NOTHING = "nothing to do"
UNSIGNED = {
    True: "mail may leave unsigned, until a key signs it again",
    False: f"{NOTHING}: no signed mail has left, and none is held for want of a key",
}


@app.command()
def cancel(
    list_name: ListName = DEFAULT_LIST,
    of_day: Day = None,
    cut: Annotated[
        str | None,
        typer.Option(
            "--cut",
            metavar="CUT",
            help="0-3 or manual. Default: the newest edition, and those with mails to be sent.",
        ),
    ] = None,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="What the edition's page tells readers."),
    ] = "",
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Let it stand again, while nothing else was planned."),
    ] = False,
    yes: Yes = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing more of an edition, and plan nothing of it. What is out stays out.

    `digest missed` then shows who did not get it, and sends it to them if you want.
    """
    from paperround.digests.cancel import cancel as run
    from paperround.digests.cancel import editions_to_cancel
    from paperround.digests.cancel import undo as undo_cancel
    from paperround.web.delivery_models import CancelledAnswer, RestoredAnswer

    context = runtime(now)
    moment = context.clock.now()
    if undo:
        restored = undo_cancel(context.database, list_name, day=of_day, cut=cut, now=moment)
        columns, none = "list date cut queued", f"{NOTHING}: no edition of that date is cancelled"
        shown = map(RestoredAnswer.of, restored)
        print_list("restored", shown, columns, none=none, as_json=as_json)
        return
    found = editions_to_cancel(context.database, list_name, day=of_day, cut=cut, now=moment)
    if found:
        agree(yes, "Cancel this?", lines=map(_prospect_line, found))
    ended = run(context.database, list_name, day=of_day, cut=cut, now=moment, reason=reason)
    columns = "list date cut skipped gone fresh"
    none = f"{NOTHING}: every edition of that date was cancelled before"
    print_list("cancelled", map(CancelledAnswer.of, ended), columns, none=none, as_json=as_json)


def _prospect_line(one: "Prospect") -> str:
    edition = one.edition
    return (
        f"{one.list_name}, {edition.day} ({edition.cut}): {counted(one.stoppable, 'mail')} will "
        f"not be sent; {one.gone:,} {'is' if one.gone == 1 else 'are'} out already, or may be"
    )


@app.command()
def missed(
    list_name: ListName = DEFAULT_LIST,
    of_day: Annotated[
        date | None,
        typer.Option(
            "--date",
            metavar="YYYY-MM-DD",
            parser=day,
            help="The date of the digest, where its reader lives. Default: the list's today.",
        ),
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Plan a replacement for each; `deliver` sends them.")
    ] = False,
    include_unknown: Annotated[
        bool,
        typer.Option(
            "--include-unknown",
            help="Count those in doubt as well: some of them HAVE the digest and get it twice.",
        ),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Show who did not get the digest of a date, by reason; with --send, send it after all.

    A replacement has the same papers and is sent once: nobody gets a second one of that date.
    Whoever left, paused or is suppressed by now gets none.
    """
    from paperround.digests.resend import missed as run
    from paperround.digests.resend import send_missed

    context = runtime(now)
    moment = context.clock.now()
    if send:
        context.settings.require_sender()
        found = send_missed(
            context.database,
            list_name,
            identity=context.identity,
            day=of_day,
            now=moment,
            include_unknown=include_unknown,
            personal_ranking=context.personal_ranking,
        )
    else:
        found = run(
            context.database, list_name, day=of_day, now=moment, include_unknown=include_unknown
        )
    value = to_json(
        {
            "list": found.list_name,
            "date": found.day,
            "missed": [
                {"state": state, "reason": reason, "count": count}
                for (state, reason), count in sorted(found.by_reason.items())
            ],
            **pick_fields(found, "replaced unknown barred sendable planned"),
        }
    )
    sends = f"`--send` plans {counted(found.sendable, 'replacement')}"
    lines = [*outline_lines(value), *([sends] if found.sendable and not send else [])]
    print_result(value, lines, as_json=as_json)


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
    context = runtime(now)
    shown = context.previewer.preview(
        list_name,
        day=of_day,
        reader=context.addresses.read(subscriber) if subscriber else None,
        now=context.clock.now(),
    )
    files = []
    if shown.mail is not None and shown.rendered is not None:
        out.mkdir(parents=True, exist_ok=True)
        written = {
            "digest.html": shown.rendered.html.encode(),
            "digest.txt": shown.rendered.text.encode(),
            "digest.eml": context.renderer.compose(shown.mail),
        }
        for name, content in written.items():
            (out / name).write_bytes(content)
            files.append(str(out / name))
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
    from paperround.digests.publish import publish

    context = runtime(now)
    context.settings.require_sender()
    report = publish(
        database=context.database,
        ranker=context.ranker,
        identity=context.identity,
        list_name=list_name,
        day=of_day,
        cut=MANUAL_CUT,
        now=context.clock.now(),
        dry_run=dry_run,
        gist=context.gist,
        personal_ranking=context.personal_ranking,
    )
    edition = report.edition
    value = {
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
    print_result(value, _publish_lines(report, dry_run=dry_run), as_json=as_json)


def _publish_lines(report: "PublishReport", *, dry_run: bool) -> Iterator[str]:
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
