"""The CPU time of a process, as the system counts it. On a busy machine, wall time says little."""

import os
from pathlib import Path


def can_measure_cpu(id_: str) -> bool:
    """Whether the system counts CPU time; if not, prints what is not measured."""
    if Path("/proc/self/schedstat").exists():
        return True
    print(f"{id_} not measured: needs /proc/self/schedstat (Linux)")
    return False


def cpu_seconds(process: int) -> float:
    """The CPU time of all threads of a process so far (Linux: proc(5), `schedstat`)."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(one.read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


def cpu_seconds_in_all(process: int) -> float:
    """The same with threads that have ended, in hundredths of a second (proc(5), `stat`)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
