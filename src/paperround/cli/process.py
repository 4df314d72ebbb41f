"""Start and stop long-running processes: signals, draining, health pages and logging."""

import gc
import json
import logging
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.core.errors import PaperroundError

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.config import Settings
    from paperround.web.health import Role

DRAIN_SECONDS = 20.0
"""How long running jobs may take to end after the last request, to finish messages in flight."""

log = logging.getLogger(__name__)


def warn_of_lost_secret(context: "AppContext") -> None:
    """Log an error if the secret of the newest digest is gone: an embedded installation that lost
    its secret generates another and continues."""
    from paperround.delivery.store.status import StatusStore

    with context.database.reading() as work:
        newest = work[StatusStore].newest_key()
    if newest is not None and newest not in context.settings.keys.key_ids:
        log.error(
            "the secret %s of earlier emails is gone, so their links no longer work: add it back "
            "to the end of PAPERROUND_SECRET_KEY, unless it leaked",
            newest,
        )


def freeze_startup_objects() -> None:
    """Keep the garbage collector from scanning half a million objects of libraries repeatedly."""
    gc.collect()
    gc.freeze()


def hold_signals() -> None:
    """Block SIGTERM and SIGINT in this thread and those it starts; `await_stop` receives them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def await_stop() -> None:
    """Wait for SIGTERM or SIGINT. A second signal ends the process at once."""
    number = signal.sigwait(STOP_SIGNALS)
    log.info("%s: finishing work in progress", signal.Signals(number).name)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def drain(
    context: "AppContext",
    stop: Callable[..., bool],
    *,
    scheduler: bool = False,
    worker: bool = False,
) -> None:
    """Call `stop`, which takes `drain_seconds` and returns whether all ended in time. On
    PostgreSQL, delete the heartbeats of this process as `scheduler` and `worker`."""
    if not stop(drain_seconds=DRAIN_SECONDS):
        log.warning("jobs still run after %.0f seconds: stopping them", DRAIN_SECONDS)
    elif len(context.pending_writes):
        try:  # the last chance to record replies received while the database was away
            context.pending_writes.catch_up(context.database)
        except PaperroundError as error:
            log.error("the outcomes of some emails are lost, and they become unknown: %s", error)
    if context.settings.embedded:
        return
    try:
        if scheduler:
            context.sign_off(None)
        if worker:
            context.sign_off(context.lines)
    except PaperroundError as error:  # it expires within half a minute
        log.warning("the heartbeat could not be removed and stays for a while: %s", error)


@contextmanager
def scheduler_is_known(context: "AppContext") -> Iterator[None]:
    """Let other processes see, within the block, that a scheduler runs: on SQLite by a lock, on
    PostgreSQL by the heartbeats that it writes."""
    if not context.settings.embedded:
        yield
        return
    from paperround.ops.scheduler_lock import scheduler_lock

    with scheduler_lock(context.settings.data_dir):
        yield


STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def leave_on_signals() -> None:
    """Make SIGTERM and Ctrl-C raise SystemExit. A server restores these handlers at its end."""

    def exit_process(*_: object) -> None:
        raise SystemExit(0)

    for number in STOP_SIGNALS:
        signal.signal(number, exit_process)


def finish_on_signals(context: "AppContext") -> None:
    """On a signal, finish the messages in flight and start no others; a second one exits."""

    def finish(number: int, _: FrameType | None) -> None:
        if context.stopping.is_set():
            raise SystemExit(128 + number)
        context.stop_sending()

    for number in STOP_SIGNALS:
        signal.signal(number, finish)


LOCALHOST = "127.0.0.1"

Health = Annotated[
    str | None,
    typer.Option(
        "--health",
        metavar="[ADDRESS:]PORT",
        help="Serve /healthz, /readyz and /metrics for this process; without an address on "
        f"{LOCALHOST}.",
    ),
]


@contextmanager
def serve_health(context: "AppContext", role: "Role", place: str | None) -> Iterator[None]:
    """Serve the health pages of `role` at `place`, `[ADDRESS:]PORT`, within the block."""
    if place is None:
        yield
        return
    from paperround.cli.server import listen, server
    from paperround.web.health import role_app

    address, _, port = place.rpartition(":")
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise typer.BadParameter("write PORT or ADDRESS:PORT, like 8081", param_hint="--health")
    with listen(address.strip("[]") or LOCALHOST, int(port), "--health") as listener:
        running = server(role_app(context, role), host=LOCALHOST, port=0)
        thread = threading.Thread(
            target=running.run,
            kwargs={"sockets": [listener]},
            name="paperround-health",
            daemon=True,
        )
        thread.start()
        try:
            yield
        finally:
            running.should_exit = True
            thread.join(timeout=5)


ADDRESS = re.compile(
    r"""("[^"\n]{0,254}"|[^\s<>@"(),:;]{1,254})(@|%40)[^\s<>@"'(),:;=/?&]+""", re.IGNORECASE
)
"""Matches quoted, escaped and dotless forms too: redacting too much is better than a leak."""

SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""Tokens have 40 such characters, keys of the admin API more; letters may adjoin them."""


def redact(text: str) -> str:
    """Replace addresses with `<address>` and secrets with `<secret>`."""
    return SECRET.sub("<secret>", ADDRESS.sub("<address>", text))


class RedactingFormatter(logging.Formatter):
    """Removes addresses and tokens from records, whose replies and tracebacks may contain them.
    Lines after the first are indented, so that foreign text cannot look like an event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted text."""
        return "\n    ".join(redact(super().format(record)).splitlines())


class JsonLines(logging.Formatter):
    """Writes each event as a JSON object on one line, redacted likewise."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        event = {
            "time": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            event["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def log_to_stderr(settings: "Settings") -> None:
    """Log to standard error at the configured level; libraries log only warnings and errors."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines()
        if settings.log_format == "json"
        else RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("paperround").setLevel(level)
