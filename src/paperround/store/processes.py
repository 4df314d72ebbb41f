"""Who asks, and whether whoever asked before still lives."""

from typing import Protocol

from paperround.domain.deliveries import Worker


class Processes(Protocol):
    """Knows this process, and whether another one still lives."""

    def current(self) -> Worker: ...

    def is_dead(self, worker: Worker) -> bool: ...
