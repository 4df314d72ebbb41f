"""What a process has to write down and could not yet: the database was away.

    a run ─► heard, or let go ─► in line ─► written, in this order
                                   └─ (the database is away, also at the end of patience) ─► the
                                      next run of the process, which takes up nothing before

Answers of a relay are heard once. Whoever heard them keeps them as long as the process lives, so a
mail is in doubt only where nobody heard an answer.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock

from paperround.domain.errors import Conflict, DatabaseFailed
from paperround.jobs.transactions import Patience, write
from paperround.store.unit_of_work import Database, UnitOfWork

Deed = Callable[[UnitOfWork], object]


@dataclass(slots=True)
class Unwritten:
    """The line of one process, shared by all of its runs. Each adds two at most, and ends then."""

    _line: deque[Deed] = field(default_factory=deque)
    _lock: RLock = field(default_factory=RLock)

    def __len__(self) -> int:
        return len(self._line)

    def write(self, database: Database, do: Deed, patience: Patience) -> None:
        """Write down what must not be forgotten, after all that stands in line before it.

        Each is a transaction. It may come to count although it is done again, so it must be the
        same twice. Raises DatabaseFailed at the end of patience, and Conflict: then it stays in
        line.
        """
        self._line.append(do)
        patience.tried(lambda: self.catch_up(database))

    def catch_up(self, database: Database) -> None:
        """Write down what stands in line. Raises DatabaseFailed and Conflict, and keeps the rest;
        what cannot be written for another reason leaves the line with its error."""
        with self._lock:
            while self._line:
                do = self._line.popleft()
                try:
                    write(database, do)
                except (Conflict, DatabaseFailed):
                    self._line.appendleft(do)
                    raise
