"""Which process holds a claim, and whether it certainly no longer lives.

A wrong "dead" sends a mail twice, a wrong "alive" only waits for the lease to end. So death is
stated only for a process seen through the same kernel boot and the same process namespace
(hostnames repeat, above all among containers), and only when its number is free or belongs to a
process that started at another tick, or when it is a zombie. Where there is no `/proc`, the
answer is always "not certainly dead".
"""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from paperround.core.interfaces import Worker
from paperround.core.times import Boot

_STATE = 0
_START_TICKS = 19
"""Positions in `/proc/PID/stat` after the command name, which may hold anything (proc(5))."""


@dataclass(frozen=True, slots=True)
class SystemProcesses:
    """The processes of this machine, as `proc` shows them."""

    proc: Path = Path("/proc")

    def current(self) -> Worker:
        """This process."""
        return self.worker(os.getpid())

    def worker(self, pid: int) -> Worker:
        """The process numbered `pid`; `started` is empty when nothing can be told about it."""
        place, stat = self._place(), self._stat(pid)
        started = f"{place}/{stat[_START_TICKS]}" if place and stat else ""
        return Worker(host=socket.gethostname(), pid=pid, started=started)

    def is_dead(self, worker: Worker) -> bool:
        """True only when `worker` ran on this host and is certainly gone."""
        place, _, ticks = worker.started.rpartition("/")
        if worker.host != socket.gethostname() or not place or place != self._place():
            return False
        stat = self._stat(worker.pid)
        if stat is None:
            return _is_free(worker.pid)
        return stat[_START_TICKS] != ticks or stat[_STATE] in {"Z", "X"}

    def boot(self) -> Boot | None:
        """This running of the machine, seen from here; None where that cannot be told."""
        place = self._place()
        try:
            seconds = float((self.proc / "uptime").read_text("ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return Boot(name=place, uptime=timedelta(seconds=seconds)) if place else None

    def _place(self) -> str:
        """What must be equal for two processes to see the same numbers and ticks, or empty."""
        try:
            boot = (self.proc / "sys/kernel/random/boot_id").read_text("ascii").strip()
            spaces = [(self.proc / "self/ns" / kind).readlink().name for kind in ("pid", "time")]
        except OSError:
            return ""
        return "/".join([boot, *spaces])

    def _stat(self, pid: int) -> list[str] | None:
        try:
            line = (self.proc / str(pid) / "stat").read_text("utf-8", "replace")
        except OSError:
            return None
        fields = line.rpartition(")")[2].split()
        return fields if len(fields) > _START_TICKS else None


def _is_free(pid: int) -> bool:
    """Whether no process has this number; a hidden `/proc` entry alone proves nothing."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False
