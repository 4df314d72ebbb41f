"""Run the processes of an installation on several machines, as a supervisor would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.postgres import address_of, cpu_of
from paperround.config import Settings

POLITE = 60.0
"""Seconds that a process may take to stop."""

CONNECTIONS = 10
"""Connections of each worker to the relay."""


@dataclass(frozen=True)
class Role:
    """A running process with its name and its output."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def cpu(self) -> float:
        """Its CPU seconds so far."""
        return cpu_of(self.process.pid)

    def require(self) -> None:
        """Raise RuntimeError with its output if it has exited."""
        if self.process.poll() is not None:
            said = self.log.read_text("utf-8")[-2000:]
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {said}")

    def stop(self) -> None:
        """Stop it, and wait until it has exited."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=POLITE)


@contextmanager
def role(name: str, settings: Settings, *arguments: str) -> Iterator[Role]:
    """Run `paperround ARGUMENTS` in the installation of `settings`, and stop it at the end of the
    block."""
    log = settings.data_dir / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "paperround", *arguments],
            cwd=settings.data_dir,
            env=_environment(settings),
            stdout=said,
            stderr=said,
        )
    try:
        yield Role(name, process, log)
    finally:
        process.kill()
        process.wait()


def feed_settings(
    url: str, folder: Path, relay: int, *, connections: int = CONNECTIONS
) -> Settings:
    """Settings of an installation on the PostgreSQL database at `url` that sends to a local
    port."""
    return Settings(
        data_dir=folder,
        database_url=address_of(url),
        secret_key="only-for-measuring-" * 2,
        smtp_url=f"smtp://127.0.0.1:{relay}",
        smtp_connections=connections,
        enrich="off",
        operator="A benchmark",
        contact="keeper@example.org",
        postal_address="1 Paper Street, Pressburg",
        mail_from="Papers <digest@papers.example.org>",
        public_url="http://localhost:8000",
    )


def _environment(settings: Settings) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if "PAPERROUND" not in name}
    told = settings.model_dump(mode="json", exclude_unset=True)
    named = {f"PAPERROUND_{name.upper()}": str(value) for name, value in told.items()}
    return mine | named
