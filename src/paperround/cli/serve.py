"""`paperround serve`, `tick`, `deliver`, `worker`, `scheduler`: what an installation lives by."""

import gc
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, Now, runtime, usage
from paperround.cli.output import counts, pick_fields, print_result, progress, say
from paperround.cli.process import (
    Health,
    await_stop,
    drain,
    finish_on_signals,
    freeze_startup_objects,
    hold_signals,
    leave_on_signals,
    log_to_stderr,
    watched,
)
from paperround.core.errors import Misconfigured
from paperround.core.jobs import QueueName, parse_lines, spoken_lines
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.delivery.transitions import DeliverReport
    from paperround.digests.channel_delivery import ChannelReport
from paperround.delivery.store.ledger import Ledger
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.requests import RequestStore


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="The address to listen on. [127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="N",
            min=1,
            max=65535,
            help="The port. Default: that of PAPERROUND_PUBLIC_URL if it leads to this machine, "
            "else 8000.",
        ),
    ] = None,
    web_only: Annotated[
        bool,
        typer.Option("--web-only", help="Serve pages only: another process ticks and sends."),
    ] = False,
) -> None:
    """Serve the site and, unless --web-only, read feeds, publish and send mail on time."""
    from paperround.cli.server import listen, listening_place, server
    from paperround.scheduler import Scheduler
    from paperround.web.app import create_app

    home = runtime(creates=True)
    if port is not None and "public_url" not in home.settings.model_fields_set:
        # Where no setting says how the site is reached, its links lead to the port it listens on.
        settings = home.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        home = replace(home, settings=settings)
    log_to_stderr(home.settings)
    home.settings.require_sender()
    own_host, own_port = listening_place(home.settings.public_url)
    host, port = host or own_host, port or own_port
    with listen(host, port) as door:
        site = create_app(home)
        minutes = None if web_only else Scheduler(home)
        leave_on_signals()
        say(f"Paperround serves {home.settings.public_url} on {host}:{port}")
        try:
            if minutes is not None:
                minutes.start()
            freeze_startup_objects()
            server(site, host=host, port=port, on_stop=home.stop_sending).run(sockets=[door])
        finally:
            if minutes is not None:
                drain(home, minutes.stop, scheduler=True, worker=True)


def tick(now: Now = None, as_json: AsJson = False) -> None:
    """Do once what is due now and exit: for cron or a systemd timer, every minute."""
    from paperround.delivery.deliver import ASKED_TO_STOP
    from paperround.digests.sending import deliver as send_due
    from paperround.ops.tick import tick as run

    home = runtime(now)
    home.settings.require_sender()
    finish_on_signals(home)
    with home.requests_first():
        report = run(home.rounds, now=home.clock.now())
        sent = send_due(home.post())
    home.post_to_channels()
    with home.database.reading() as work:  # posts stand in the same ledger
        sent = replace(sent, totals=work[Ledger].totals(now=home.clock.now()))
    home.read_returns()
    home.enrich()  # after the mail: nobody waits for it
    home.summarise()
    home.learn()
    plans = report.plans.items()
    value = {
        "feeds": {one.feed: pick_fields(one, "health new error") for one in report.polls},
        "editions": [f"{one.list_name}/{one.day}/{one.cut}" for one in report.editions],
        "planned": {name: one.planned for name, one in plans},
        "skipped": {name: one.skipped for name, one in plans},
        "missed": {name: sum(one.missed.values()) for name, one in plans},
        "waiting": {name: one.waiting for name, one in plans},
        "alerts": [one.subject for one in report.alerts],
        "failed": report.failed,
        "sent": sent.totals.sent,
        "queued": sent.totals.queued,
    }
    print_result(value, as_json=as_json)
    if sent.stopped:
        typer.echo(f"paperround: stopped early: {sent.stopped}", err=True)
    if report.failed or sent.stopped not in (None, ASKED_TO_STOP):
        raise typer.Exit(1)


ALL = ",".join(QueueName)


def worker(
    queues: Annotated[
        str,
        typer.Option("--queues", metavar="NAMES", help=f"Which queues it serves, of {ALL}."),
    ] = ALL,
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            metavar="N",
            min=1,
            max=32,
            help="How many jobs of a queue run at once, where more than one may.",
        ),
    ] = 4,
    health: Health = None,
) -> None:
    """Do the jobs: read feeds, publish, send mail. Any number of workers share one PostgreSQL."""
    from paperround.bootstrap.workers import WorkerConfig
    from paperround.web.health import worker_role

    with usage("--queues"):
        lines = parse_lines(queues)
    home = replace(runtime(), hands=WorkerConfig(lines=lines, wide=concurrency))
    if home.settings.embedded:
        raise Misconfigured(
            "a worker shares the work of others on PostgreSQL only: on SQLite one process does all "
            "of it, `paperround serve`, or without pages `paperround scheduler`"
        )
    home.settings.require_sender()
    log_to_stderr(home.settings)
    home.prepare_to_serve()
    hold_signals()
    with watched(home, worker_role(home), health):
        home.queue.start()
        freeze_startup_objects()
        say(f"Paperround works at {spoken_lines(lines)}; stop it with SIGTERM")
        await_stop()
        home.stop_sending()
        drain(home, home.queue.stop, worker=True)
    say("stopped")


def scheduler(health: Health = None) -> None:
    """Ask once a minute for what is due. On PostgreSQL workers do it, and any number of schedulers
    may stand by; on SQLite this process does it: everything but serving pages."""
    from paperround.scheduler import Scheduler
    from paperround.web.health import scheduler_role

    home = runtime()
    log_to_stderr(home.settings)
    home.settings.require_sender()
    home.prepare_to_serve()
    minutes = Scheduler(home, works=home.settings.embedded)
    hold_signals()
    with watched(home, scheduler_role(minutes.last_look), health):
        minutes.start()
        freeze_startup_objects()
        say("Paperround ticks once a minute; stop it with SIGTERM")
        await_stop()
        drain(home, minutes.stop, scheduler=True)
    say("stopped")


def deliver(
    until_empty: Annotated[
        bool,
        typer.Option("--until-empty", help="Go on until nothing is due now, dead leases included."),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send what is due. Safe to kill and to run again, and from several processes at once."""
    from paperround.delivery.deliver import ASKED_TO_STOP
    from paperround.digests.sending import deliver as run

    home = runtime(now)
    finish_on_signals(home)
    gc.freeze()  # libraries stay to the end: looking for garbage in them only takes time
    with home.requests_first(), progress("sending") as advance:
        report = run(home.post(), until_empty=until_empty, progress=advance)
    posted = home.post_to_channels()
    with home.database.reading() as work:
        totals = asdict(
            work[Ledger].totals(now=home.clock.now())
        )  # posts are mails of the day, too
        waiting, _ = work[RequestStore].waiting()
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
    home: "AppContext",
    totals: Mapping[str, int],
    waiting: int,
    report: "DeliverReport",
    posted: "ChannelReport",
) -> Iterator[str]:
    from paperround.delivery.rate_limits import UNREACHED, unreached

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
        paused = [one.name for one in work[ListStore].all() if one.paused_at is not None]
    if why is not None:
        yield f"  {UNREACHED}: {why}; mail waits and is tried again"
    if paused:
        yield f"  paused: {', '.join(paused)}; `paperround digest resume` lets it go on"
    yield from (f"  {n:,} not sent now: {why}" for why, n in sorted(report.troubles.items()))
    if posted.messages or posted.troubles:
        yield f"messages to channels: {posted.messages:,}"
    yield from (f"  {n:,} not posted now: {why}" for why, n in sorted(posted.troubles.items()))
