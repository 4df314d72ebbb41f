"""Jobs that a transaction asks for by what it writes: a mail that waits, and nobody to send it."""

from collections.abc import Sequence

from paperround.domain.work import Job


class Asks:
    """What one transaction asks for."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Ask for `job`, once however often."""
        self._jobs[job.task] = job

    def jobs(self) -> Sequence[Job]:
        """What was asked for, in an order that is the same for everybody: whoever put them in
        another would wait for each other."""
        return [self._jobs[task] for task in sorted(self._jobs)]
