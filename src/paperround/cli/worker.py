"""`paperround worker`: does the jobs of an installation of many machines."""

from dataclasses import replace
from typing import Annotated

import typer

from paperround.cli.drain import (
    Health,
    await_stop,
    drain,
    freeze_startup_objects,
    hold_signals,
    log_to_stderr,
    watched,
)
from paperround.cli.options import runtime, usage
from paperround.cli.output import say
from paperround.domain.errors import Misconfigured
from paperround.domain.work import Line, parse_lines, spoken_lines

ALL = ",".join(Line)


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
    from paperround.web.role import worker_role
    from paperround.wiring.hands import Hands

    with usage("--queues"):
        lines = parse_lines(queues)
    home = replace(runtime(), hands=Hands(lines=lines, wide=concurrency))
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
