"""Identify worker processes and detect dead ones.

A wrong "dead" sends an email twice; a wrong "alive" only waits for the lease to end. So a process
counts as dead only when it belongs to the same kernel boot and process namespace (hostnames
repeat, above all in containers), and its PID is free, a zombie, or reused by a process that started
at another time. Without `/proc` no process counts as dead.
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
    """The processes of this machine, read from `proc`."""

    proc: Path = Path("/proc")

    def current(self) -> Worker:
        """Return this process."""
        return self.worker(os.getpid())

    def worker(self, pid: int) -> Worker:
        """Return the process with `pid`; `started` is empty when `proc` does not show it."""
        place, stat = self._place(), self._stat(pid)
        started = f"{place}/{stat[_START_TICKS]}" if place and stat else ""
        return Worker(host=socket.gethostname(), pid=pid, started=started)

    def is_dead(self, worker: Worker) -> bool:
        """Return True only when `worker` ran on this host and has certainly ended."""
        place, _, ticks = worker.started.rpartition("/")
        if worker.host != socket.gethostname() or not place or place != self._place():
            return False
        stat = self._stat(worker.pid)
        if stat is None:
            return is_free(worker.pid)
        return stat[_START_TICKS] != ticks or stat[_STATE] in {"Z", "X"}

    def boot(self) -> Boot | None:
        """Return the current boot of this machine and its uptime, None when `proc` lacks them."""
        place = self._place()
        try:
            seconds = float((self.proc / "uptime").read_text("ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return Boot(name=place, uptime=timedelta(seconds=seconds)) if place else None

    def _place(self) -> str:
        """Return the boot id and namespaces that must match for PIDs to be comparable, or ""."""
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


def is_free(pid: int) -> bool:
    """Whether no process has this PID; a hidden `/proc` entry alone is no proof."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False
