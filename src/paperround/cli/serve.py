"""`paperround serve` and `tick`: what keeps an installation going."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.drain import (
    drain,
    finish_on_signals,
    freeze_startup_objects,
    leave_on_signals,
    log_to_stderr,
)
from paperround.cli.options import AsJson, Now, runtime
from paperround.cli.output import pick_fields, print_result, say

if TYPE_CHECKING:
    from paperround.jobs.outcomes import DeliverReport
    from paperround.jobs.tick import TickReport
    from paperround.wiring import Runtime

Host = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="The address to listen on. [127.0.0.1]"),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="N",
        min=1,
        max=65535,
        help="The port. Default: that of PAPERROUND_PUBLIC_URL if it leads to this machine, else "
        "8000.",
    ),
]


def serve(
    host: Host = None,
    port: Port = None,
    web_only: Annotated[
        bool,
        typer.Option("--web-only", help="Serve pages only: another process ticks and sends."),
    ] = False,
) -> None:
    """Serve the site and, unless --web-only, read feeds, publish and send mail on time."""
    from paperround.cli.server import listen, listening_place, server
    from paperround.scheduler import Scheduler
    from paperround.web.app import create_app

    home = _reached_at(runtime(creates=True), port)
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


def _reached_at(home: "Runtime", port: int | None) -> "Runtime":
    """Where no setting says how the site is reached, its links lead to the port it listens on."""
    if port is None or "public_url" in home.settings.model_fields_set:
        return home
    url = f"http://127.0.0.1:{port}"
    return replace(home, settings=home.settings.model_copy(update={"public_url": url}))


def tick(now: Now = None, as_json: AsJson = False) -> None:
    """Do once what is due now and exit: for cron or a systemd timer, every minute."""
    from paperround.jobs.deliver import ASKED_TO_STOP, deliver
    from paperround.jobs.tick import tick as run

    home = runtime(now)
    home.settings.require_sender()
    finish_on_signals(home)
    with home.requests_first():
        report = run(home.rounds, now=home.clock.now())
        sent = deliver(home.post())
    home.post_to_channels()
    with home.database.reading() as work:  # posts stand in the same ledger
        sent = replace(sent, totals=work.ledger.totals(now=home.clock.now()))
    home.read_returns()
    home.enrich()  # after the mail: nobody waits for it
    home.summarise()
    home.learn()
    print_result(_as_json(report, sent), as_json=as_json)
    if sent.stopped:
        typer.echo(f"paperround: stopped early: {sent.stopped}", err=True)
    if report.failed or sent.stopped not in (None, ASKED_TO_STOP):
        raise typer.Exit(1)


def _as_json(report: "TickReport", sent: "DeliverReport") -> dict[str, Any]:
    return {
        "feeds": {one.feed: pick_fields(one, "health new error") for one in report.polls},
        "editions": [f"{one.list_name}/{one.day}/{one.cut}" for one in report.editions],
        "planned": {name: one.planned for name, one in report.plans.items()},
        "skipped": {name: one.skipped for name, one in report.plans.items()},
        "missed": {name: sum(one.missed.values()) for name, one in report.plans.items()},
        "waiting": {name: one.waiting for name, one in report.plans.items()},
        "alerts": [one.subject for one in report.alerts],
        "failed": report.failed,
        "sent": sent.totals.sent,
        "queued": sent.totals.queued,
    }
