"""Workers and schedulers on one PostgreSQL, as an operator's supervisor keeps them running.

FLEET says what they are. Whoever is gone is started again; how it ended is counted. Before the
fleet retires none may end otherwise than killed, or without its database when it began, and none
may be surprised by anything but that.
"""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.story.command_line import CommandLine
from tests.story.forked import Process

CONNECTIONS = 3
"""To the relay, of each process."""

POLITE = 60.0
"""Seconds that a process may take to end when it is asked to."""

EXPECTED = ("paperround.core.errors.DatabaseFailed:", "paperround.core.errors.Conflict:")


@dataclass(frozen=True, slots=True)
class Crew:
    """So many processes of one command."""

    name: str
    command: tuple[str, ...]
    count: int


FLEET = (
    Crew("worker", ("worker",), 3),
    Crew("scheduler", ("scheduler",), 2),
)


@dataclass
class Member:
    """One of the processes, and the file that all it says goes into."""

    crew: Crew
    process: Process
    log: Path

    @property
    def is_gone(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Fleet:
    """Keeps the processes of `crews` running in `home`."""

    home: CommandLine
    chance: Random
    crews: Sequence[Crew] = FLEET
    members: list[Member] = field(default_factory=list)
    paused: list[Member] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    started: int = 0

    def tend(self) -> None:
        """Look how the ones that are gone ended, and start others in their place."""
        for one in [one for one in self.members if one.is_gone]:
            self._end(one, (1, -signal.SIGKILL))
        for crew in self.crews:
            there = sum(one.crew is crew for one in self.members)
            for _ in range(crew.count - there):
                self._start(crew)

    def kill(self) -> str:
        """One of those at work is gone in the middle of it."""
        victim = self._somebody()
        victim.process.kill()
        victim.process.wait()
        return victim.crew.name

    def pause(self) -> Member:
        """One of those at work is stopped where it stands, and knows nothing of it."""
        sleeper = self._somebody()
        sleeper.process.send_signal(signal.SIGSTOP)
        self.paused.append(sleeper)
        self.ends["paused"] += 1
        return sleeper

    def wake(self, sleeper: Member) -> None:
        """It goes on as if nothing had been."""
        self.paused.remove(sleeper)
        if not sleeper.is_gone:
            sleeper.process.send_signal(signal.SIGCONT)

    def retire(self) -> None:
        """Everybody is asked to stop, and does."""
        for one in list(self.paused):
            self.wake(one)
        for one in self.members:
            one.process.terminate()
        for one in list(self.members):
            one.process.wait(timeout=POLITE)
            self._end(one, (0, 1, -signal.SIGKILL, -signal.SIGTERM))

    def abandon(self) -> None:
        """Nobody is left, whatever went wrong."""
        for one in self.members:
            one.process.kill()
            one.process.wait()

    def _somebody(self) -> Member:
        awake = [one for one in self.members if one not in self.paused and not one.is_gone]
        return self.chance.choice(awake or self.members)

    def _start(self, crew: Crew) -> None:
        self.started += 1
        log = self.home.folder / f"{crew.name}-{self.started}.log"
        with log.open("w") as file:
            process = self.home.start(*crew.command, log=file)
        self.members.append(Member(crew, process, log))

    def _end(self, one: Member, codes: Sequence[int]) -> None:
        self.members.remove(one)
        if one in self.paused:
            self.paused.remove(one)
        said, code = one.log.read_text(), one.process.returncode
        about = f"{one.crew.name} ended with {code}: {said}"
        assert all(error in EXPECTED for error in surprises(said)), about
        assert code in codes, about
        self.ends[{0: "well", 1: "without its database"}.get(code, "killed")] += 1


def surprises(said: str) -> list[str]:
    """The errors whose tracebacks a process has written, by the first word of their last line."""
    found, is_traceback = [], False
    for line in said.splitlines():
        if line.startswith("Traceback"):
            is_traceback = True
        elif is_traceback and line[:1].strip() and not line.startswith("The above exception"):
            found.append(line.split(" ")[0])
            is_traceback = False
    return found


def home_in(folder: Path, settings: dict[str, str]) -> CommandLine:
    """Where the processes run; from the sources that this test runs from, if it does."""
    path = os.environ.get("PYTHONPATH")
    return CommandLine(folder, settings, {"PYTHONPATH": path} if path else {})
