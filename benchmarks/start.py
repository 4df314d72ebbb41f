"""B17: what a command costs before it does anything."""

import resource
import subprocess
import sys

from benchmarks.table import Bar, Measured

ROUNDS = 5


def start_of_a_command() -> list[Measured]:
    """CPU seconds of `paperround --help`, as a multiple of importing typer alone."""
    ours = [sys.executable, "-m", "paperround", "--help"]
    peer = [sys.executable, "-c", "import typer"]
    ratios = sorted(_cpu_seconds(ours) / _cpu_seconds(peer) for _ in range(ROUNDS))
    measure = "CPU of `paperround --help` / `import typer`"
    return [Measured(id="B17", measure=measure, value=ratios[ROUNDS // 2], bar=Bar("at most", 2))]


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
