"""Three senders on one PostgreSQL that are killed one after the other, and whose server is too."""

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.story.command_line import CommandLine
from tests.story.forked import Process
from tests.story.killing import KillingSink

WORKERS = 3


@dataclass
class Crowd:
    """Keeps WORKERS senders at work while they are killed, and their database crashes."""

    home: CommandLine
    sink: KillingSink
    crash: Callable[[], None]
    chance: Random
    at_work: list[Process] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    totals: dict[str, Any] = field(default_factory=dict)

    def run(self, *, kills: int, crashes: int) -> None:
        """Kill `kills` senders, and now and then the server, then let those at work finish and one
        more see to what the dead ones held."""
        between = kills // (crashes + 1)
        while self.ends["killed"] < kills:
            assert self.ends["done"] <= WORKERS, "the mail ran out before everybody had died"
            self._fill_up()
            self._kill_one()
            if self.ends["crash"] < min(crashes, self.ends["killed"] // between):
                self._crash()
        self.sink.spare()
        for worker in list(self.at_work):
            self._gone(worker)
        self.totals = self.home.json("deliver", "--until-empty")

    @property
    def most_in_doubt(self) -> int:
        """Rows that may be unknown: each sender that ended without a word had as many connections,
        and each of those one mail whose answer it waited for."""
        connections = int(self.home.settings["SMTP_CONNECTIONS"])
        return connections * (self.ends["killed"] + self.ends["lost the database"])

    def _fill_up(self) -> None:
        for worker in [one for one in self.at_work if one.poll() is not None]:
            self._gone(worker)
        while len(self.at_work) < WORKERS:
            self.at_work.append(self.home.start("deliver", "--until-empty"))

    def _kill_one(self) -> None:
        """It dies at one of the next steps that anybody takes in a conversation with the relay."""
        victim = self.at_work[0]
        self.sink.aim(victim.pid, self.chance.randint(1, 60))
        self._gone(victim)

    def _crash(self) -> None:
        """The server ends as if its machine had, in the middle of their work. Who notices, ends
        with one clear line; who is between two transactions, goes on."""
        self.sink.spare()
        self.crash()
        self.ends["crash"] += 1

    def _gone(self, worker: Process) -> None:
        _, error = worker.communicate(timeout=300)
        self.at_work.remove(worker)
        if worker.returncode == -signal.SIGKILL:
            self.ends["killed"] += 1
            return
        self.sink.spare()
        if worker.returncode:
            assert worker.returncode == 1, error
            assert "Traceback" not in error, error
            self.ends["lost the database"] += 1
        else:
            self.ends["done"] += 1
