"""`paperround serve`, `tick`, `deliver`, `worker`, `scheduler`: run an installation."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, Now, runtime, switch, takes, usage, where_mail_is_kept
from paperround.cli.output import (
    counts,
    outline_lines,
    pick_fields,
    print_result,
    progress,
    say,
    to_json,
)
from paperround.cli.process import (
    Health,
    await_stop,
    drain,
    finish_on_signals,
    freeze_startup_objects,
    hold_signals,
    leave_on_signals,
    log_to_stderr,
    scheduler_is_known,
    serve_health,
    warn_of_lost_secret,
)
from paperround.core.errors import Misconfigured
from paperround.core.jobs import QueueName, format_queue_names, parse_queue_names
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.delivery.deliver import DeliverReport
    from paperround.ops.plugin_jobs import JobReport


def serve(
    host: Annotated[
        str | None, takes("--host", "ADDRESS", "The address to listen on. [127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        takes(
            "--port",
            "N",
            "The port. Default: that of PAPERROUND_PUBLIC_URL if it leads to this machine, "
            "else 8000.",
            min=1,
            max=65535,
        ),
    ] = None,
    web_only: Annotated[
        bool, switch("--web-only", "Serve pages only: another process ticks and sends.")
    ] = False,
) -> None:
    """Serve the site, read feeds, publish and send email on time. With --web-only, only serve the
    site."""
    from paperround.cli.server import listen, listening_place, opens_outbox, server
    from paperround.scheduler import Scheduler
    from paperround.web.app import create_app

    context = runtime(creates=True)
    if port is not None and "public_url" not in context.settings.model_fields_set:
        # Without PAPERROUND_PUBLIC_URL, links lead to the port that the site listens on.
        settings = context.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        context = replace(context, settings=settings)
    log_to_stderr(context.settings)
    context.settings.require_sender()
    warn_of_lost_secret(context)
    default_host, default_port = listening_place(context.settings.public_url)
    host, port = host or default_host, port or default_port
    context = replace(context, is_outbox_open=opens_outbox(context.settings, host))
    with listen(host, port) as door:
        ticker = None if web_only else Scheduler(context)
        site = create_app(context, last_look=None if ticker is None else ticker.last_enqueued_at)
        leave_on_signals()
        say(f"Paperround serves {context.settings.public_url} on {host}:{port}")
        if context.settings.keeps_mail:
            say(where_mail_is_kept(context.settings))
        with nullcontext() if ticker is None else scheduler_is_known(context):
            try:
                if ticker is not None:
                    ticker.start()
                freeze_startup_objects()
                server(site, host=host, port=port, on_stop=context.stop_sending).run(sockets=[door])
            finally:
                if ticker is not None:
                    drain(context, ticker.stop, scheduler=True, worker=True)


def tick(now: Now = None, as_json: AsJson = False) -> None:
    """Do what is due now and exit. Run it every minute, from cron or a systemd timer."""
    from paperround.delivery.deliver import ASKED_TO_STOP
    from paperround.delivery.store.ledger import Ledger
    from paperround.digests.sending import deliver as send_due
    from paperround.ops.scheduler_lock import forget_scheduler
    from paperround.ops.tick import tick as run

    context = runtime(now)
    context.settings.require_sender()
    forget_scheduler(context.settings.data_dir)
    finish_on_signals(context)
    with context.requests_first():
        report = run(context.tick_context, now=context.clock.now())
        sent = send_due(context.post())
    context.run_plugin_jobs()
    with context.database.reading() as work:  # the ledger includes posts
        sent = replace(sent, totals=work[Ledger].totals(now=context.clock.now()))
    context.read_returns()
    context.enrich()  # after sending email, because nothing waits for it
    context.summarise()
    context.learn()
    context.back_up_if_due()
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
        "this_run": pick_fields(sent, "digests others"),
    }
    # Run once a minute, the total of the day would read like that of the run.
    shown = {name: it for name, it in value.items() if name != "sent"}
    print_result(value, list(outline_lines(to_json(shown))) or "nothing", as_json=as_json)
    if sent.stopped:
        typer.echo(f"paperround: stopped early: {sent.stopped}", err=True)
    if report.failed or sent.stopped not in (None, ASKED_TO_STOP):
        raise typer.Exit(1)


ALL = ",".join(QueueName)


def worker(
    queues: Annotated[str, takes("--queues", "NAMES", f"Which queues it serves, of {ALL}.")] = ALL,
    concurrency: Annotated[
        int,
        takes(
            "--concurrency",
            "N",
            "How many jobs of a queue run at once, where more than one may.",
            min=1,
            max=32,
        ),
    ] = 4,
    health: Health = None,
) -> None:
    """Run jobs: read feeds, publish, send email. Any number of workers share one PostgreSQL."""
    from paperround.web.health import worker_role

    with usage("--queues"):
        queue_names = parse_queue_names(queues)
    context = replace(runtime(), lines=queue_names, wide=concurrency)
    if context.settings.embedded:
        raise Misconfigured(
            "a worker needs PostgreSQL: with SQLite one process does all the work, `paperround "
            "serve`, or without pages `paperround scheduler`"
        )
    context.settings.require_sender()
    log_to_stderr(context.settings)
    context.prepare_to_serve()
    hold_signals()
    with serve_health(context, worker_role(context), health):
        context.start_jobs()
        freeze_startup_objects()
        say(f"Paperround serves {format_queue_names(queue_names)}; stop it with SIGTERM")
        await_stop()
        context.stop_sending()
        drain(context, context.queue.stop, worker=True)
    say("stopped")


def scheduler(health: Health = None) -> None:
    """Check every minute what is due. On PostgreSQL, workers do the work, and any number of
    schedulers may run as standby; on SQLite, this process does everything except serving pages."""
    from paperround.scheduler import Scheduler
    from paperround.web.health import scheduler_role

    context = runtime()
    log_to_stderr(context.settings)
    context.settings.require_sender()
    warn_of_lost_secret(context)
    context.prepare_to_serve()
    ticker = Scheduler(context, runs_jobs=context.settings.embedded)
    hold_signals()
    with (
        scheduler_is_known(context),
        serve_health(context, scheduler_role(ticker.last_enqueued_at), health),
    ):
        ticker.start()
        freeze_startup_objects()
        say("Paperround ticks once a minute; stop it with SIGTERM")
        await_stop()
        drain(context, ticker.stop, scheduler=True)
    say("stopped")


def deliver(
    until_empty: Annotated[
        bool, switch("--until-empty", "Continue until nothing is due, including expired leases.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Send what is due. Safe to kill and to run again, and from several processes at once."""
    from paperround.delivery.deliver import ASKED_TO_STOP
    from paperround.delivery.rate_limits import retry_unreached
    from paperround.delivery.store.ledger import Ledger
    from paperround.digests.sending import deliver as run
    from paperround.subscribers.store.requests import RequestStore

    context = runtime(now)
    retry_unreached(context.database, now=context.clock.now())
    finish_on_signals(context)
    gc.freeze()  # libraries live to the end: do not scan them for garbage
    with context.requests_first(), progress("sending") as advance:
        report = run(context.post(), until_empty=until_empty, progress=advance)
    of_plugins = context.run_plugin_jobs()
    with context.database.reading() as work:
        totals = asdict(work[Ledger].totals(now=context.clock.now()))  # includes posts
        waiting, _ = work[RequestStore].waiting()
    notices = asdict(report.notices)
    notices["queued"] += waiting
    value = {
        **totals,
        "notices": notices,
        "expired_now": report.expired,
        **{name: value for one in of_plugins for name, value in one.values.items()},
        "this_run": pick_fields(report, "digests others"),
    }
    print_result(value, _lines(context, totals, waiting, report, of_plugins), as_json=as_json)
    if report.stopped:
        typer.echo(f"paperround: stopped early: {report.stopped}", err=True)
        raise typer.Exit(0 if report.stopped == ASKED_TO_STOP else 1)


def _lines(
    context: "AppContext",
    totals: Mapping[str, int],
    waiting: int,
    report: "DeliverReport",
    of_plugins: Sequence["JobReport"],
) -> Iterator[str]:
    from paperround.cli.digest import tried_again
    from paperround.delivery.rate_limits import describe_unreached, unreached
    from paperround.delivery.store.rates import PaceStore
    from paperround.editions.store.lists import ListStore

    yield f"this run: digests: {counts(report.digests)}; other emails: {counts(report.others)}"
    yield f"emails of the day: {counts(totals)}"
    if context.settings.keeps_mail:
        yield f"  no relay is set: {where_mail_is_kept(context.settings)}"
    if waiting:
        yield f"  {counted(waiting, 'request')} for sign-ups or links not handled yet"
    if report.expired:
        yield f"  {report.expired:,} expired unsent after 20 hours"
    with context.database.reading() as work:
        why, at = unreached(work, now=context.clock.now()), work[PaceStore].next_try()
        paused = [one.name for one in work[ListStore].all() if one.paused_at is not None]
    if why is not None:
        yield f"  {describe_unreached(why)}; {tried_again(at)}"
    if paused:
        yield f"  paused: {', '.join(paused)}; `paperround digest resume` resumes"
    yield from (f"  {n:,} not sent now: {why}" for why, n in sorted(report.troubles.items()))
    for one in of_plugins:
        yield from one.lines
