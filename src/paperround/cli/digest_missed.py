"""`paperround digest missed`: who did not get their digest, why, and sending it after all."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, ListName, Now, day, runtime
from paperround.cli.output import outline_lines, pick_fields, print_result, to_json
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.jobs.resend import Missed


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
    from paperround.jobs.resend import missed as run
    from paperround.jobs.resend import send_missed

    home = runtime(now)
    moment = home.clock.now()
    if send:
        home.settings.require_sender()
        found = send_missed(
            home.database,
            list_name,
            identity=home.identity,
            day=of_day,
            now=moment,
            include_unknown=include_unknown,
            opinions=home.opinions,
        )
    else:
        found = run(
            home.database, list_name, day=of_day, now=moment, include_unknown=include_unknown
        )
    value = to_json(_as_json(found))
    sends = f"`--send` plans {counted(found.sendable, 'replacement')}"
    lines = [*outline_lines(value), *([sends] if found.sendable and not send else [])]
    print_result(value, lines, as_json=as_json)


def _as_json(found: "Missed") -> dict[str, Any]:
    return {
        "list": found.list_name,
        "date": found.day,
        "missed": [
            {"state": state, "reason": reason, "count": count}
            for (state, reason), count in sorted(found.by_reason.items())
        ],
        **pick_fields(found, "replaced unknown barred sendable planned"),
    }
