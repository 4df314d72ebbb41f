"""`paperround digest missed`: who did not get their digest, why, and sending it after all."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    ListName,
    Now,
    counts,
    day_of,
    print_json,
    runtime,
    say,
)
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.jobs.replacements import Missed


def missed(
    list_name: ListName = DEFAULT_LIST,
    day: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="YYYY-MM-DD",
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
    from paperround.jobs.replacements import missed as run
    from paperround.jobs.replacements import send_missed

    home = runtime(now)
    date, moment = day_of(day), home.clock.now()
    if send:
        home.settings.require_sender()
        found = send_missed(
            home.database,
            list_name,
            identity=home.identity,
            day=date,
            now=moment,
            include_unknown=include_unknown,
            opinions=home.opinions,
        )
    else:
        found = run(home.database, list_name, day=date, now=moment, include_unknown=include_unknown)
    if as_json:
        print_json(_as_json(found))
    else:
        _tell(found, sent=send)


def _tell(found: "Missed", *, sent: bool) -> None:
    people = counted(found.total, "person", "people")
    say(f"{found.list_name}, {found.day}: {people} did not get it, or may not have got it")
    for (state, reason), count in sorted(found.by_reason.items(), key=lambda one: -one[1]):
        say(f"  {count:,} {state.value}{f': {reason}' if reason else ''}")
    if found.replaced:
        say(f"a replacement was planned before for {found.replaced:,}")
    if found.unknown:
        say(f"in doubt: {found.unknown:,} may have it already, so they are left alone")
    if found.barred:
        say(f"no replacement for: {counts(dict(found.barred))}")
    if sent:
        say(f"planned {counted(found.planned, 'replacement')}: `paperround deliver` sends them")
    elif found.sendable:
        say(f"`--send` plans {counted(found.sendable, 'replacement')}")


def _as_json(found: "Missed") -> dict[str, Any]:
    return {
        "list": found.list_name,
        "date": found.day.isoformat(),
        "missed": [
            {"state": state.value, "reason": reason, "count": count}
            for (state, reason), count in sorted(found.by_reason.items())
        ],
        "replaced": found.replaced,
        "unknown": found.unknown,
        "barred": dict(sorted(found.barred.items())),
        "sendable": found.sendable,
        "planned": found.planned,
    }
