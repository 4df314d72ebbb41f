"""The programs we are compared with, a sender and a sink in C from Debian's postfix package, and
our own sink with a configurable round trip."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 22525


def lacks_peer(id_: str) -> bool:
    """Whether one of them is missing; then prints what is not measured."""
    missing = [name for name in ("smtp-source", "smtp-sink") if _program(name) is None]
    if missing:
        print(f"{id_} not measured: needs {' and '.join(missing)} (Debian's postfix package)")
    return bool(missing)


@contextmanager
def near_sink() -> Iterator[None]:
    """Run smtp-sink on PORT, which accepts everything."""
    command = [str(_program("smtp-sink")), "-4", "-m", "4000", "-u", "nobody"]
    with running([*command, f"127.0.0.1:{PORT}", "4096"]):
        yield


@contextmanager
def far_sink(
    round_trip: float, journal: Path | None = None, *, port: int = PORT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a sink that replies after `round_trip` seconds, and records what it accepts in
    `journal`."""
    command = [sys.executable, "-m", "benchmarks.lag_sink", str(port), str(round_trip)]
    with running(command + ([] if journal is None else [str(journal)])) as sink:
        if sink.stdout is None or sink.stdout.readline() != b"ready\n":
            raise RuntimeError("the sink did not start")
        yield sink


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and stop it at the end of the block."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield program
    finally:
        program.terminate()
        program.communicate()


def seconds_of_peer(message: Path, *, mails: int, connections: int) -> float:
    """How long smtp-source takes to send `message` to PORT `mails` times, over keep-alive
    connections."""
    command = [
        str(_program("smtp-source")), "-4", "-d", "-s", str(connections), "-m", str(mails),
        "-F", str(message), "-M", "localhost",
        "-f", "a@sender.example", "-t", "b@reader.example", f"127.0.0.1:{PORT}",
    ]  # fmt: skip
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
