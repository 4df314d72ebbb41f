"""Work by name, for whatever runs it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from paperround.domain.errors import InvalidInput


class Line(StrEnum):
    """Where jobs wait. Every line has hands of its own, so no line waits for another."""

    NOTICES = "notices"
    """Confirmations, links, alerts: what somebody waits for just now."""
    MAIL = "mail"
    """Digests on their way out."""
    POSTS = "posts"
    """The same to channels, whose services may take their time."""
    EDITIONS = "editions"
    """Freezing editions, planning digests, keeping house."""
    PAPERS = "papers"
    """Reading feeds, and whatever else is asked of other people's services about papers."""
    UPKEEP = "upkeep"
    """Mails that came back, and the night's learning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work by name. `arguments` hold ids only: the rows they name are the truth.

    Of jobs with the same `lock` one may run and one may wait: a third is not taken. One that is
    `shared` may run once in every process. Lower `priority` runs first. A job that fails is not
    tried again by itself: the scheduler asks for it again as long as its rows are due.
    """

    task: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)
    lock: str | None = None
    priority: int = 0
    line: Line = Line.UPKEEP
    shared: bool = False


NOTICES = Job(task="notices", lock="notices", priority=-20, line=Line.NOTICES, shared=True)
DELIVER = Job(task="deliver", lock="deliver", priority=-10, line=Line.MAIL, shared=True)
"""The two that rows of the ledgers ask for by being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lined:
    """How many jobs of a line wait, and how many run. `due_since`: since when the first of those
    that wait may run."""

    waiting: int = 0
    running: int = 0
    due_since: datetime | None = field(default=None, compare=False)


def parse_lines(text: str) -> tuple[Line, ...]:
    """The lines that `notices,mail` names, each once. Raises InvalidInput for any other name."""
    known = {line.value: line for line in Line}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"there is no queue {', '.join(unknown)}" if unknown else "no queue is named"
        raise InvalidInput(f"{wrong}; there are: {', '.join(known)}")
    return tuple(dict.fromkeys(known[name] for name in names))


def spoken_lines(lines: Collection[Line]) -> str:
    """Lines as they are typed, in their own order: `notices,mail`."""
    return ",".join(line for line in Line if line in lines)
