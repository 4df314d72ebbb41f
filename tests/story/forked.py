"""Processes that a fork server started, used as those of `subprocess` are."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Any, Protocol, Self

from paperround.core.clock import StartedClock

CLOCKED = Path(__file__).with_name("clocked.py")
SERVER = Path(__file__).with_name("fork_server.py")
IS_POSSIBLE = hasattr(os, "pidfd_open")
"""Only Linux has what the fork server needs; elsewhere each process starts anew."""

_FROM_THE_START = ("PYTHON", "LD_", "OPENBLAS")
"""Variables that a process obeys only when it starts."""
_SECONDS_TO_IMPORT = 120.0


class Process(Protocol):
    """A process that was started: this part of `subprocess.Popen[str]`."""

    pid: int
    returncode: int | Any
    stdout: IO[str] | None
    stderr: IO[str] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def started(
    module: str,
    *arguments: str,
    clock: StartedClock | None,
    folder: Path,
    environment: Mapping[str, str],
    python: str = sys.executable,
    typed: bytes = b"",
    log: IO[str] | None = None,
) -> Process:
    """`python -m MODULE ARGUMENTS`, started in `folder` with nothing but these variables. It reads
    the time from `clock` (None: from the machine) and `typed` from a pipe. Its outputs are pipes,
    or go into `log`."""
    shown = [] if clock is None else [clock.moment.isoformat(), repr(clock.since)]
    with _piped(typed) as stdin:
        if can_be_forked(python, environment):
            return Forked(
                python,
                module,
                arguments,
                shown,
                folder=folder,
                environment=environment,
                stdin=stdin,
                log=log,
            )
        how = [str(CLOCKED), *shown] if shown else ["-m"]
        return subprocess.Popen(
            [python, *how, module, *arguments],
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=log or subprocess.PIPE,
            stderr=log or subprocess.PIPE,
            text=True,
        )


def can_be_forked(python: str, environment: Mapping[str, str]) -> bool:
    """Whether a process with these variables is the same when it is forked."""
    wanted = {name: one for name, one in environment.items() if name.startswith(_FROM_THE_START)}
    return IS_POSSIBLE and wanted.items() <= _obeyed(python).items()


def _obeyed(python: str) -> dict[str, str]:
    """What the server was told when it started; among it where this run has its sources from, if it
    was told."""
    told = {
        "PYTHONWARNINGS": "error",
        "OPENBLAS_NUM_THREADS": "1",  # a process with threads is not to be forked
    }
    if python == sys.executable and "PYTHONPATH" in os.environ:
        told["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return told


class Forked:
    """A process that the server of this run started. It reads the time from `clock`, a moment and
    when that was, or from the machine where that is empty. It reads from the descriptor `stdin`;
    its outputs are pipes, or go into `log`."""

    def __init__(
        self,
        python: str,
        module: str,
        arguments: Sequence[str],
        clock: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: int,
        log: IO[str] | None,
    ) -> None:
        self.returncode: int | Any = None
        self.stdout, out = _output(log)
        self.stderr, err = _output(log)
        self._told = b""
        self._server = socket.socket(socket.AF_UNIX)
        try:
            self._server.connect(str(_address(python)))
            asked = {
                "module": module,
                "arguments": arguments,
                "clock": clock,
                "folder": str(folder),
                "environment": environment,
            }
            socket.send_fds(self._server, [json.dumps(asked).encode()], [stdin, out, err])
        finally:
            os.close(out)
            os.close(err)
        self.pid = self._hear(_SECONDS_TO_IMPORT)

    def poll(self) -> int | None:
        with suppress(BlockingIOError):
            self._wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        try:
            return self._wait(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        texts = ["", ""]
        readers = [
            Thread(target=_read_into, args=(texts, number, pipe), daemon=True)
            for number, pipe in enumerate((self.stdout, self.stderr))
            if pipe is not None
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        self._close()
        return texts[0], texts[1]

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended between the two
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()
        self.wait()

    def __del__(self) -> None:
        self._server.close()
        self._close()

    def _wait(self, timeout: float | None) -> int:
        if self.returncode is None:
            self.returncode = self._hear(timeout)
            self._server.close()
        return self.returncode

    def _hear(self, timeout: float | None) -> int:
        """The next number the server tells. Raises BlockingIOError and TimeoutError."""
        self._server.settimeout(timeout)
        while b"\n" not in self._told:
            chunk = self._server.recv(64)
            if not chunk:
                raise RuntimeError("the server that starts processes is gone")
            self._told += chunk
        number, _, self._told = self._told.partition(b"\n")
        return int(number)

    def _close(self) -> None:
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()


@contextmanager
def _piped(content: bytes) -> Iterator[int]:
    """The descriptor of a pipe from which a process that is started meanwhile reads `content`."""
    reading, writing = os.pipe()
    Thread(target=_pour, args=(content, writing), daemon=True).start()
    try:
        yield reading
    finally:
        os.close(reading)


def _pour(content: bytes, writing: int) -> None:
    with suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
        pipe.write(content)


def _output(log: IO[str] | None) -> tuple[IO[str] | None, int]:
    """What to read an output from, and where to write it to."""
    if log is not None:
        return None, os.dup(log.fileno())
    reading, writing = os.pipe()
    return os.fdopen(reading), writing


def _read_into(texts: list[str], number: int, pipe: IO[str]) -> None:
    with suppress(ValueError):  # closed meanwhile
        texts[number] = pipe.read()


@cache
def _address(python: str) -> Path:
    """Where this test run's server for that Python listens; it is started when first needed."""
    folder = tempfile.TemporaryDirectory(prefix="paperround-forks-")
    address = Path(folder.name) / "server"
    kept = ("HOME", "PATH", "LANG", "TMPDIR")
    server = subprocess.Popen(
        [python, str(SERVER), str(address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **{name: os.environ[name] for name in kept if name in os.environ},
            **_obeyed(python),
        },
    )
    atexit.register(_stop, server, folder)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return address


def _stop(server: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.close()
    server.stdout.close()
    server.wait()
    folder.cleanup()
