"""`paperround deliver`: send what is due."""

import gc
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, Now, counts, print_json, runtime, say
from paperround.cli.progress import progress
from paperround.cli.signals import finish_on_signals
from paperround.domain.wording import counted

if TYPE_CHECKING:
    from paperround.wiring import Runtime


def deliver(
    until_empty: Annotated[
        bool,
        typer.Option("--until-empty", help="Go on until nothing is due now, dead leases included."),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send what is due. Safe to kill and to run again, and from several processes at once."""
    from paperround.jobs.deliver import ASKED_TO_STOP
    from paperround.jobs.deliver import deliver as run

    home = runtime(now)
    finish_on_signals(home)
    gc.freeze()  # libraries stay to the end: looking for garbage in them only takes time
    with home.requests_first(), progress("sending") as advance:
        report = run(home.post(), until_empty=until_empty, progress=advance)
    posted = home.post_to_channels()
    with home.database.reading() as work:
        totals = asdict(work.ledger.totals(now=home.clock.now()))  # posts are mails of the day, too
        waiting, _ = work.requests.waiting()
    if as_json:
        notices, channels = asdict(report.notices), {"messages": posted.messages}
        notices["queued"] += waiting
        this_run = {"digests": dict(report.digests), "others": dict(report.others)}
        print_json(
            {
                **totals,
                "notices": notices,
                "expired_now": report.expired,
                "channels": channels,
                "this_run": this_run,
            }
        )
    else:
        say(f"this run: digests: {counts(report.digests)}; other mails: {counts(report.others)}")
        say(f"mails of the day: {counts(totals)}")
        if home.settings.smtp_url is None:
            say(f"  no relay is set: mail is kept in {home.settings.data_dir / 'outbox'}")
        if waiting:
            say(f"  {counted(waiting, 'sign-up')} or the like to be looked at yet")
        if report.expired:
            say(f"  {report.expired:,} expired unsent: their 20 hours were over")
        _say_what_holds_mail(home)
        for reason, number in sorted(report.troubles.items()):
            say(f"  {number:,} not sent now: {reason}")
        if posted.messages or posted.troubles:
            say(f"messages to channels: {posted.messages:,}")
        for reason, number in sorted(posted.troubles.items()):
            say(f"  {number:,} not posted now: {reason}")
    if report.stopped:
        typer.echo(f"paperround: stopped early: {report.stopped}", err=True)
        raise typer.Exit(0 if report.stopped == ASKED_TO_STOP else 1)


def _say_what_holds_mail(home: "Runtime") -> None:
    from paperround.jobs.unreached import UNREACHED, unreached

    with home.database.reading() as work:
        why = unreached(work, now=home.clock.now())
        paused = [one.name for one in work.lists.all() if one.paused_at is not None]
    if why is not None:
        say(f"  {UNREACHED}: {why}; mail waits and is tried again")
    if paused:
        say(f"  paused: {', '.join(paused)}; `paperround digest resume` lets it go on")
