"""Which processes make up an installation of many machines, and whether somebody does everything.

A worker and a scheduler leave a sign of life every few seconds. Where none is fresh nobody is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.deliveries import Worker
from paperround.domain.work import Line, spoken_lines

FRESH = timedelta(seconds=30)
"""How old the last sign of life of a process may be that lives. Signs come every ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who lives. `workers` says what each worker serves, by its name (`host/number`)."""

    schedulers: tuple[str, ...] = ()
    workers: Mapping[str, frozenset[Line]]

    def serving(self, line: Line) -> int:
        """How many workers serve a line."""
        return sum(line in lines for lines in self.workers.values())

    @property
    def unserved(self) -> tuple[Line, ...]:
        """The lines that nobody serves: what waits there is not done."""
        return tuple(line for line in Line if not self.serving(line))

    @property
    def problem(self) -> str | None:
        """What is missing, with the way out; None when nothing is."""
        if not self.schedulers:
            return "no scheduler runs: start `paperround scheduler`"
        if self.unserved:
            lines = spoken_lines(self.unserved)
            return f"no worker serves {lines}: start `paperround worker --queues {lines}`"
        return None


def name_of(process: Worker) -> str:
    """What a process is called among others: `host/number`."""
    return f"{process.host}/{process.pid}"


def sign_of(process: Worker, lines: tuple[Line, ...]) -> str:
    """The name of a worker's sign of life, which says what it serves."""
    return f"{name_of(process)}/{spoken_lines(lines)}"


def staff_of(
    schedulers: Mapping[str, datetime], workers: Mapping[str, datetime], *, now: datetime
) -> Staff:
    """Who lives at `now`, by the signs of life that were left."""
    known = {line.value: line for line in Line}  # a newer worker may serve what we do not know
    serving = {}
    for sign in sorted(sign for sign, at in workers.items() if is_fresh(at, now)):
        name, _, lines = sign.rpartition("/")
        serving[name] = frozenset(known[one] for one in lines.split(",") if one in known)
    return Staff(
        schedulers=tuple(sorted(name for name, at in schedulers.items() if is_fresh(at, now))),
        workers=serving,
    )


def is_fresh(sign: datetime, now: datetime) -> bool:
    """Whether whoever left this sign of life still lives, as far as it tells."""
    return now - sign <= FRESH
