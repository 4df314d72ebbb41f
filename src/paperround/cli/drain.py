"""The start and the end of a process that works: what is there stays, what is in hand is finished,
and others hear that the process is gone."""

import gc
import logging
import signal
from typing import TYPE_CHECKING, Protocol

from paperround.cli.signals import STOPS
from paperround.domain.errors import PaperroundError

if TYPE_CHECKING:
    from paperround.wiring import Runtime

DRAIN_SECONDS = 20.0
"""How long jobs that run may take to end, once requests have: a mail in hand is finished."""

log = logging.getLogger(__name__)


class Stop(Protocol):
    """Ends what works; True when all of it ended in time."""

    def __call__(self, *, drain_seconds: float) -> bool: ...


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


def drain(home: "Runtime", stop: Stop, *, scheduler: bool = False, worker: bool = False) -> None:
    """Stop; where processes share their work, take back the signs of life of what this one was."""
    if not stop(drain_seconds=DRAIN_SECONDS):
        log.warning("jobs still run after %.0f seconds: they are cut off", DRAIN_SECONDS)
    elif len(home.unwritten):
        _write_the_rest(home)
    if home.settings.embedded:
        return
    try:
        if scheduler:
            home.sign_off(None)
        if worker:
            home.sign_off(home.hands.lines)
    except PaperroundError as error:  # it fades by itself within half a minute
        log.warning("the sign of life stays for a while: %s", error)


def _write_the_rest(home: "Runtime") -> None:
    """The last chance for what was heard while the database was away."""
    try:
        home.unwritten.catch_up(home.database)
    except PaperroundError as error:
        log.error("what was heard of some mails is lost, and they become unknown: %s", error)
