"""The memory of processes, as the system reports it."""

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Bar, Measured

_STATUS = Path("/proc/self/status")


def can_measure_memory(id_: str) -> bool:
    """Whether the system reports it; if not, prints what is not measured."""
    if not _STATUS.exists():
        print(f"{id_} is left out: this system does not tell a process's memory in /proc")
    return _STATUS.exists()


def highest(pid: int | None = None) -> float:
    """The peak memory of this process, or of another one, in MB (proc(5), VmHWM)."""
    status = _STATUS if pid is None else Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="ascii").splitlines()
    told = next(line for line in lines if line.startswith("VmHWM:"))
    return int(told.split()[1]) / 1024


def grown(module: str, *arguments: object) -> float:
    """The MB by which the peak memory grows in a new process: `python -m module` with these
    arguments, which must call `print_growth`."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def print_growth(first: Callable[[], object], measured: Callable[[], object]) -> None:
    """Print by how many MB the peak memory of this process grows during `measured`, after `first`
    has loaded everything that is loaded once."""
    first()
    gc.collect()
    before = highest()
    measured()
    print(highest() - before)


def growth(what: str, small: float, large: float) -> list[Measured]:
    """The rows of B12: the MB that `what` adds to a process, and their ratio to what a tenth
    adds."""
    return [
        Measured(
            id="B12",
            measure=f"memory of {what} / of a tenth ({small:.1f}, {large:.1f} MB)",
            value=large / small,
            bar=Bar("at most", 1.2),
        ),
        Measured(
            id="B12", measure=f"memory of {what}", value=large, bar=Bar("at most", 250), unit="MB"
        ),
    ]
