"""The start and the end of a process that works: what is there stays, what is in hand is finished,
and others hear that the process is gone."""

import gc
import json
import logging
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.config import Settings
from paperround.core.errors import Misconfigured, PaperroundError

if TYPE_CHECKING:
    from paperround.bootstrap import AppContext
    from paperround.web.health import Role

DRAIN_SECONDS = 20.0
"""How long jobs that run may take to end, once requests have: a mail in hand is finished."""

log = logging.getLogger(__name__)


def freeze_startup_objects() -> None:
    """Hide what is there for good, half a million objects of libraries, from Python's collector of
    cycles: it would look at them again and again. For a process that has started."""
    gc.collect()
    gc.freeze()


def hold_signals() -> None:
    """Keep SIGTERM and SIGINT for `await_stop`: no thread that begins from now on sees them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def await_stop() -> None:
    """Return once somebody asks this process to stop. Who asks again ends it at once."""
    number = signal.sigwait(STOPS)
    log.info("%s: finishing what is in hand", signal.Signals(number).name)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def drain(
    home: "AppContext", stop: Callable[..., bool], *, scheduler: bool = False, worker: bool = False
) -> None:
    """Stop; where processes share their work, take back the signs of life of what this one was.
    `stop` takes `drain_seconds`, and tells whether all ended in time."""
    if not stop(drain_seconds=DRAIN_SECONDS):
        log.warning("jobs still run after %.0f seconds: they are cut off", DRAIN_SECONDS)
    elif len(home.unwritten):  # the last chance for what was heard while the database was away
        try:
            home.unwritten.catch_up(home.database)
        except PaperroundError as error:
            log.error("what was heard of some mails is lost, and they become unknown: %s", error)
    if home.settings.embedded:
        return
    try:
        if scheduler:
            home.sign_off(None)
        if worker:
            home.sign_off(home.hands.lines)
    except PaperroundError as error:  # it fades by itself within half a minute
        log.warning("the sign of life stays for a while: %s", error)


STOPS = (signal.SIGTERM, signal.SIGINT)


def leave_on_signals() -> None:
    """SIGTERM and Ctrl-C end the process the orderly way. A server hands them back at its end."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    for number in STOPS:
        signal.signal(number, leave)


def finish_on_signals(home: "AppContext") -> None:
    """From now on a signal makes `home` finish the mails in hand and take up no others."""

    def finish(number: int, _: FrameType | None) -> None:
        if home.stopping.is_set():
            raise SystemExit(128 + number)
        home.stop_sending()

    for number in STOPS:
        signal.signal(number, finish)


HERE = "127.0.0.1"

Health = Annotated[
    str | None,
    typer.Option(
        "--health",
        metavar="[ADDRESS:]PORT",
        help="Tell at /healthz, /readyz and /metrics how this process is doing; without an "
        f"address on {HERE}.",
    ),
]


@contextmanager
def watched(home: "AppContext", role: "Role", place: str | None) -> Iterator[None]:
    """The pages of `role` are served at `place` within; nothing is where that is None. Raises
    Misconfigured where nothing can listen there."""
    if place is None:
        yield
        return
    from paperround.cli.server import server
    from paperround.web.health import role_app

    with _door(place) as door:
        running = server(role_app(home, role), host=HERE, port=0)
        thread = threading.Thread(
            target=running.run, kwargs={"sockets": [door]}, name="paperround-health", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            running.should_exit = True
            thread.join(timeout=5)


def _door(place: str) -> socket.socket:
    """A socket that listens at `[ADDRESS:]PORT`."""
    address, _, port = place.rpartition(":")
    address = address.strip("[]") or HERE
    if not port.isdecimal() or not 0 <= int(port) < 65536:
        raise typer.BadParameter("write PORT or ADDRESS:PORT, like 8081", param_hint="--health")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, int(port)), family=family)
    except OSError as error:
        raise Misconfigured(f"--health {place}: {error.strerror or error}") from error


ADDRESS = re.compile(
    r"""("[^"\n]{0,254}"|[^\s<>@"(),:;]{1,254})(@|%40)[^\s<>@"'(),:;=/?&]+""", re.IGNORECASE
)
"""Quoted, escaped or of a domain without a dot: rather a word too many than an address too few."""

SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""A token has 40 such characters, a key of the admin API more; a run may have letters stuck on."""


def discreet(text: str) -> str:
    """The text with `<address>` and `<secret>` where there was one."""
    return SECRET.sub("<secret>", ADDRESS.sub("<address>", text))


class Discreet(logging.Formatter):
    """Writes neither addresses nor tokens, wherever in a record they come from: a server's reply
    or a traceback may hold them although no line of ours does. What has several lines is indented
    after the first, so that nobody's words can pass for an event of ours."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return "\n    ".join(discreet(super().format(record)).splitlines())


class JsonLines(logging.Formatter):
    """Writes each event as a JSON object on one line, as discreetly."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        event = {
            "time": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": discreet(record.getMessage()),
        }
        if record.exc_info:
            event["traceback"] = discreet(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


def log_to_stderr(settings: Settings) -> None:
    """Log what the operator wants to read; the libraries' own chatter only from warnings on."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines()
        if settings.log_format == "json"
        else Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("paperround").setLevel(level)
