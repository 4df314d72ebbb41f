"""Many threads at once, or one transaction in the middle of another: what they must not lose."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from paperround.core.errors import Conflict
from paperround.db.transactions import Database, Transaction

THREADS = 8
LOST = "lost"
Result = TypeVar("Result")


def at_once(count: int, do: Callable[[int], Result]) -> list[Result | str]:
    """Run `do(0)`, `do(1)`, ... in as many threads, started together; a Conflict is `lost`."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Result | str:
        barrier.wait()
        try:
            return do(number)
        except Conflict:
            return LOST

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@contextmanager
def just_before(
    engine: Engine,
    words: str | tuple[str, ...],
    database: Database,
    meanwhile: Callable[[Transaction], object],
) -> Iterator[list[str]]:
    """Commit `meanwhile` in a transaction of its own just before the first statement that begins
    with `words` (or some of them), when whoever sends it has read already."""
    seen: list[str] = []

    def interrupt(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(words) and not seen:
            seen.append(statement)
            with database.writing() as work:
                meanwhile(work)

    event.listen(engine, "before_cursor_execute", interrupt)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", interrupt)
    assert seen, "nothing was interrupted"


def require_wait(work: Transaction, do: Callable[[], object]) -> None:
    """`do` waits for another transaction of PostgreSQL; `work`, which it is done in, is lost."""
    assert isinstance(work, Transaction)
    work.connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
    with pytest.raises(OperationalError, match="lock timeout"):
        do()
