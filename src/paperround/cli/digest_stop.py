"""`paperround digest pause`, `resume` and `cancel`: the stop button."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import (
    AsJson,
    Day,
    ListName,
    Now,
    Yes,
    agree,
    day_of,
    print_json,
    runtime,
    say,
)
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.jobs.cancelling import Cancelled, Prospect, Restored

WhichList = Annotated[
    str | None, typer.Option("--list", metavar="LIST", help="One list only. Default: all of them.")
]


def pause(list_name: WhichList = None, as_json: AsJson = False) -> None:
    """Send no digest until `digest resume`. Mails in hand are finished, confirmations still go."""
    from paperround.jobs.pausing import pause as run

    home = runtime()
    _tell_names("paused", run(home.database, list_name, now=home.clock.now()), as_json=as_json)


def resume(
    list_name: WhichList = None,
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
        _tell_unsigned(changed=allow_unsigned(home.database, now=now), as_json=as_json)
        return
    was_put_back = home.send_marks.resume(home.database, now=now)
    if was_put_back is not None and not as_json:
        say(f"an older copy of the database is taken to be in use; {was_put_back}")
    if let_go(home.database, home.boot(), now=now) and not as_json:
        say("the clock is taken to be right: digests go on")
    _tell_names("resumed", run(home.database, list_name, now=now), as_json=as_json)


def _tell_unsigned(*, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"unsigned": changed})
    elif changed:
        say("mail may leave unsigned, until a key signs it again")
    else:
        say("nothing to do: no signed mail has left, and none is held for want of a key")


def _tell_names(what: str, names: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({what: names})
    else:
        say(f"{what}: {', '.join(names)}" if names else f"nothing to do: {_NOTHING[what]}")


_NOTHING = {"paused": "sending is paused already", "resumed": "nothing is paused"}


def cancel(
    list_name: ListName = DEFAULT_LIST,
    day: Day = None,
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

    home = runtime(now)
    moment, date = home.clock.now(), day_of(day)
    if undo:
        restored = take_back(home.database, list_name, day=date, cut=cut, now=moment)
        _tell_restored(restored, as_json=as_json)
        return
    found = prospects(home.database, list_name, day=date, cut=cut, now=moment)
    if found:
        agree(yes, "Cancel this?", lines=map(_prospect, found))
    ended = run(home.database, list_name, day=date, cut=cut, now=moment, reason=reason)
    if as_json:
        print_json({"cancelled": [_as_json(one) for one in ended]})
        return
    for one in ended:
        say(_line(one))
    if not ended:
        say("nothing to do: every edition of that date was cancelled before")


def _tell_restored(restored: "list[Restored]", *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "restored": [
                    {
                        "list": one.list_name,
                        "date": one.day.isoformat(),
                        "cut": one.cut,
                        "queued": one.queued,
                    }
                    for one in restored
                ]
            }
        )
        return
    for one in restored:
        which = f"{one.list_name}, {one.day} ({one.cut})"
        say(f"{which} stands again: {counted(one.queued, 'mail')} to be sent")
    if not restored:
        say("nothing to do: no edition of that date is cancelled")


def _prospect(one: "Prospect") -> str:
    edition = one.edition
    return (
        f"{one.list_name}, {edition.day} ({edition.cut}): {counted(one.stoppable, 'mail')} will "
        f"not be sent; {one.gone:,} {'is' if one.gone == 1 else 'are'} out already, or may be"
    )


def _line(one: "Cancelled") -> str:
    which = f"{one.list_name}, {one.day} ({one.cut})"
    again = "" if one.fresh else " (it was cancelled before)"
    return f"cancelled {which}{again}: {counted(one.skipped, 'mail')} stopped, {one.gone:,} out"


def _as_json(one: "Cancelled") -> dict[str, Any]:
    return {
        "list": one.list_name,
        "date": one.day.isoformat(),
        "cut": one.cut,
        "skipped": one.skipped,
        "gone": one.gone,
        "fresh": one.fresh,
    }
