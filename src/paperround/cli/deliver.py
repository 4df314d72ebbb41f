"""`paperround deliver`: send what is due."""

import gc
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.drain import finish_on_signals
from paperround.cli.options import AsJson, Now, runtime
from paperround.cli.output import counts, pick_fields, print_result, progress
from paperround.domain.text import counted

if TYPE_CHECKING:
    from paperround.jobs.channel_delivery import ChannelReport
    from paperround.jobs.outcomes import DeliverReport
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
    notices = asdict(report.notices)
    notices["queued"] += waiting
    value = {
        **totals,
        "notices": notices,
        "expired_now": report.expired,
        "channels": {"messages": posted.messages},
        "this_run": pick_fields(report, "digests others"),
    }
    print_result(value, _lines(home, totals, waiting, report, posted), as_json=as_json)
    if report.stopped:
        typer.echo(f"paperround: stopped early: {report.stopped}", err=True)
        raise typer.Exit(0 if report.stopped == ASKED_TO_STOP else 1)


def _lines(
    home: "Runtime",
    totals: Mapping[str, int],
    waiting: int,
    report: "DeliverReport",
    posted: "ChannelReport",
) -> Iterator[str]:
    from paperround.jobs.pacing import UNREACHED, unreached

    yield f"this run: digests: {counts(report.digests)}; other mails: {counts(report.others)}"
    yield f"mails of the day: {counts(totals)}"
    if home.settings.smtp_url is None:
        yield f"  no relay is set: mail is kept in {home.settings.data_dir / 'outbox'}"
    if waiting:
        yield f"  {counted(waiting, 'sign-up')} or the like to be looked at yet"
    if report.expired:
        yield f"  {report.expired:,} expired unsent: their 20 hours were over"
    with home.database.reading() as work:
        why = unreached(work, now=home.clock.now())
        paused = [one.name for one in work.lists.all() if one.paused_at is not None]
    if why is not None:
        yield f"  {UNREACHED}: {why}; mail waits and is tried again"
    if paused:
        yield f"  paused: {', '.join(paused)}; `paperround digest resume` lets it go on"
    yield from (f"  {n:,} not sent now: {why}" for why, n in sorted(report.troubles.items()))
    if posted.messages or posted.troubles:
        yield f"messages to channels: {posted.messages:,}"
    yield from (f"  {n:,} not posted now: {why}" for why, n in sorted(posted.troubles.items()))
