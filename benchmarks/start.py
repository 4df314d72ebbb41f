"""B17: the startup cost of a command, and how soon a service is ready."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from statistics import median

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


def start_of_the_service() -> list[Measured]:
    """Seconds until `serve` reports that it is ready, as a multiple of importing its libraries."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PAPERROUND_DATA_DIR": folder}
        _seconds_to_ready(environment)  # the first start creates the database
        ratios = [_seconds_to_ready(environment) / _seconds_to_import() for _ in range(ROUNDS)]
    measure = "serve to ready ÷ import fastapi, sqlalchemy (wall)"
    return [Measured(id="B17", measure=measure, value=median(ratios), bar=Bar("at most", 2.5))]


def _seconds_to_import() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import fastapi, sqlalchemy"], check=True)
    return time.perf_counter() - begin


def _seconds_to_ready(environment: dict[str, str]) -> float:
    port = _free_port()
    command = [sys.executable, "-m", "paperround", "serve", "--port", str(port)]
    begin = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as service:
        try:
            while not _is_ready(port):
                assert service.poll() is None, "the service ended before it was ready"
                threading.Event().wait(0.01)
            return time.perf_counter() - begin
        finally:
            service.send_signal(signal.SIGTERM)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
