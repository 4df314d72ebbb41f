"""`paperround digest pause`, `resume` and `cancel`: the stop button."""

from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AnyList, AsJson, Day, ListName, Now, Yes, agree, runtime
from paperround.cli.output import print_list, print_result
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.jobs.cancelling import Prospect


def pause(list_name: AnyList = None, as_json: AsJson = False) -> None:
    """Send no digest until `digest resume`. Mails in hand are finished, confirmations still go."""
    from paperround.jobs.pausing import pause as run

    home = runtime()
    names = run(home.database, list_name, now=home.clock.now())
    line = f"paused: {', '.join(names)}" if names else f"{NOTHING}: sending is paused already"
    print_result({"paused": names}, line, as_json=as_json)


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
    from paperround.jobs.holding import let_go
    from paperround.jobs.pausing import resume as run
    from paperround.jobs.signing import allow_unsigned

    home = runtime()
    now = home.clock.now()
    if unsigned:
        changed = allow_unsigned(home.database, now=now)
        print_result({"unsigned": changed}, UNSIGNED[changed], as_json=as_json)
        return
    lines: list[str] = []
    was_put_back = home.send_marks.resume(home.database, now=now)
    if was_put_back is not None:
        lines.append(f"an older copy of the database is taken to be in use; {was_put_back}")
    if let_go(home.database, home.boot(), now=now):
        lines.append("the clock is taken to be right: digests go on")
    names = run(home.database, list_name, now=now)
    lines.append(f"resumed: {', '.join(names)}" if names else f"{NOTHING}: nothing is paused")
    print_result({"resumed": names}, lines, as_json=as_json)


NOTHING = "nothing to do"
UNSIGNED = {
    True: "mail may leave unsigned, until a key signs it again",
    False: f"{NOTHING}: no signed mail has left, and none is held for want of a key",
}


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
    from paperround.jobs.cancelling import cancel as run
    from paperround.jobs.cancelling import prospects
    from paperround.jobs.cancelling import undo as take_back
    from paperround.web.delivery_models import CancelledAnswer, RestoredAnswer

    home = runtime(now)
    moment = home.clock.now()
    if undo:
        restored = take_back(home.database, list_name, day=of_day, cut=cut, now=moment)
        columns, none = "list date cut queued", f"{NOTHING}: no edition of that date is cancelled"
        shown = map(RestoredAnswer.of, restored)
        print_list("restored", shown, columns, none=none, as_json=as_json)
        return
    found = prospects(home.database, list_name, day=of_day, cut=cut, now=moment)
    if found:
        agree(yes, "Cancel this?", lines=map(_prospect, found))
    ended = run(home.database, list_name, day=of_day, cut=cut, now=moment, reason=reason)
    columns = "list date cut skipped gone fresh"
    none = f"{NOTHING}: every edition of that date was cancelled before"
    print_list("cancelled", map(CancelledAnswer.of, ended), columns, none=none, as_json=as_json)


def _prospect(one: "Prospect") -> str:
    edition = one.edition
    return (
        f"{one.list_name}, {edition.day} ({edition.cut}): {counted(one.stoppable, 'mail')} will "
        f"not be sent; {one.gone:,} {'is' if one.gone == 1 else 'are'} out already, or may be"
    )
