"""Time, processes, queues, and what must hold over all processes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from paperround.domain.work import Job, Line, Lined


class Queue(Protocol):
    """Runs jobs later, elsewhere or in a thread of this process."""

    def register(self, task: str, run: Callable[[Mapping[str, str | int]], None]) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        ...

    def put(self, job: Job) -> bool:
        """Take the job; False when one with its lock waits already that is due as early: one that
        waits for a later time gives up its place. Raises NotFound for an unregistered task."""
        ...

    def run_until_idle(self, *, now: datetime) -> int:
        """Run what is due at `now`, and what that adds, while the caller waits; returns how many
        jobs ran. A job that raises is retried later by its own rule and never stops the others.
        Where PostgreSQL keeps the jobs, its clock says what is due."""
        ...

    def start(self) -> None:
        """Begin running jobs in the background."""
        ...

    def stop(self, *, drain_seconds: float) -> bool:
        """Take nothing new, finish what runs; True when all of it ended in time."""
        ...


class SharedQueue(Queue, Protocol):
    """A queue whose jobs are rows of the database, for every process that uses it."""

    def put_within(self, connection: Any, job: Job) -> bool:
        """Take the job in the transaction that `connection`, the driver's, is in: no commit, no
        job. Raises Conflict when that was ended in favour of another one."""
        ...

    def strangers(self) -> Mapping[str, int]:
        """How many jobs wait of each task that this version does not know. Raises
        DatabaseFailed."""
        ...

    def lined(self) -> Mapping[Line, Lined]:
        """How many jobs of all processes wait and run in each line. Raises DatabaseFailed."""
        ...

    def down(self) -> frozenset[Line]:
        """The lines that this process should serve and does not, just now."""
        ...

    def done(self) -> Mapping[tuple[str, str], int]:
        """How many jobs of each task this process has `done`, and how many `failed`."""
        ...

    def busy(self) -> Mapping[str, int]:
        """How many jobs of each task run in this process."""
        ...


class Pinger(Protocol):
    """Tells a dead-man switch that a run was completed."""

    def ping(self, event: str, *, now: datetime) -> None: ...
