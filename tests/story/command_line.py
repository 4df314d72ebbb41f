"""Running the `paperround` command as a person would: another process, an empty home."""

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from paperround.core.clock import StartedClock
from tests.builders import NOW
from tests.story.forked import Process, started

STORY_PYTHON = os.environ.get("PAPERROUND_STORY_PYTHON", sys.executable)
"""The Python whose Paperround is tried: this one's, or that of an environment with the wheel."""
SOURCE = (
    {"PYTHONPATH": os.environ["PYTHONPATH"]}
    if sys.executable == STORY_PYTHON and "PYTHONPATH" in os.environ
    else {}
)
"""Where this run has its sources from, for a process with an environment of its own."""

CLOCK = StartedClock(NOW)
"""What all processes of a test run read. It starts on a Monday morning when the run starts, so that
no test depends on what day it is."""

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "sample"


@dataclass(frozen=True)
class CommandLine:
    """A folder to run commands in, the settings they run with, and the clock they read."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    clock: StartedClock | None = CLOCK

    def start(self, *arguments: str, typed: bytes = b"", log: IO[str] | None = None) -> Process:
        """Start `paperround ARGUMENTS` and return the process, which reads `typed` from a pipe. All
        it says goes into `log`, if there is one: a pipe that nobody reads fills up."""
        environment = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "PYTHONWARNINGS": "error",
            "PAPERROUND_ENRICH": "off",  # no test reaches the network
            **{f"PAPERROUND_{name}": value for name, value in self.settings.items()},
        }
        return started(
            "paperround",
            *arguments,
            clock=self.clock,
            python=STORY_PYTHON,
            folder=self.folder,
            environment=environment | self.environment,
            typed=typed,
            log=log,
        )

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """Run to the end; the standard output. Fails on another exit code, showing why."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode == exit_code, f"{arguments}: {process.returncode}\n{out}\n{err}"
        return out if exit_code == 0 else err

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run with `--json`; the one object it prints."""
        answer = json.loads(self.run(*arguments, "--json"))
        assert isinstance(answer, dict)
        return answer

    @property
    def outbox(self) -> list[Path]:
        """The mails in the local outbox."""
        return sorted((self.folder / "paperround-data" / "outbox").glob("*.eml"))
