"""How much memory this process held, as the system tells it."""

from pathlib import Path

_STATUS = Path("/proc/self/status")


def tells_memory(id_: str) -> bool:
    """Whether this system tells; says what is left out where it does not."""
    if not _STATUS.exists():
        print(f"{id_} is left out: this system does not tell a process's memory in /proc")
    return _STATUS.exists()


def highest() -> float:
    """The most memory this process ever held, in MB (proc(5), VmHWM)."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    told = next(line for line in lines if line.startswith("VmHWM:"))
    return int(told.split()[1]) / 1024
