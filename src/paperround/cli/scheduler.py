"""`paperround scheduler`: asks once a minute for what is due."""

from paperround.cli.drain import (
    Health,
    await_stop,
    drain,
    freeze_startup_objects,
    hold_signals,
    log_to_stderr,
    watched,
)
from paperround.cli.options import runtime
from paperround.cli.output import say


def scheduler(health: Health = None) -> None:
    """Ask once a minute for what is due. On PostgreSQL workers do it, and any number of schedulers
    may stand by; on SQLite this process does it: everything but serving pages."""
    from paperround.scheduler import Scheduler
    from paperround.web.role import scheduler_role

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
