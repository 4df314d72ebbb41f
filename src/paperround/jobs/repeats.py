"""Requests that may come twice act once, and are answered the same for a day.

    within the database    what is done and its answer are one transaction: a process that dies
                           leaves both or neither
    outside of it, too     the request is written down, done, then its answer is: a process that
                           dies leaves a request of which nobody knows whether it was done, so it
                           is never done again

Whoever asks the same meanwhile waits for the answer. Only what succeeded is kept: a request that
was refused may be sent again, and mended.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from paperround.domain.errors import Conflict, InvalidInput
from paperround.domain.repeats import Answer, Asked, Earlier
from paperround.jobs.transactions import rest, tried, write
from paperround.store.unit_of_work import Database, SqlDatabase, UnitOfWork

KEPT_ANSWERS = timedelta(hours=24)

KEY = "Idempotency-Key"

LOOK_EVERY = 0.1
LOOKS = 600
"""How often somebody looks for an answer that another request works on: for a minute."""

LONGEST_WORK = timedelta(minutes=5)
"""Nobody works on a request for longer: one without an answer is not waited for."""


class _Known(Exception):
    """Somebody asked under this key before."""


def once(
    database: SqlDatabase, asked: Asked, do: Callable[[], Answer], *, now: datetime
) -> tuple[Answer, bool]:
    """What `do` answers, and True; or what was answered before, and False. All that `do` writes,
    in this context, is one transaction with its answer; it is done again when that lost a race.

    Raises InvalidInput when something else was asked under this key.
    """
    known = _found(database, asked, now)
    if known is not None:
        return known, False
    try:
        return tried(lambda: _done(database, asked, do, now)), True
    except _Known:
        return _answered(database, asked, now), False


def _done(database: SqlDatabase, asked: Asked, do: Callable[[], Answer], now: datetime) -> Answer:
    with database.together(partial(_take, asked, now)) as whole:
        answer = do()
        whole().answers.keep(asked, answer)
        return answer


def _take(asked: Asked, now: datetime, work: UnitOfWork) -> None:
    if not work.answers.take(asked, after=now - KEPT_ANSWERS, now=now):
        raise _Known


def once_outside(
    database: Database,
    asked: Asked,
    do: Callable[[], Answer],
    *,
    now: datetime,
    pause: Callable[[float], None] = rest,
) -> tuple[Answer, bool]:
    """The same for what is done outside the database too, and takes its time.

    Raises InvalidInput when something else was asked under this key, and Conflict when it was begun
    and has no answer.
    """
    try:
        write(database, partial(_take, asked, now))
    except _Known:
        return _answered(database, asked, now, pause=pause), False
    try:
        answer = do()
    except Exception:
        write(database, lambda work: work.answers.give_back(asked))
        raise
    write(database, lambda work: work.answers.keep(asked, answer))
    return answer, True


def _answered(
    database: Database,
    asked: Asked,
    now: datetime,
    *,
    pause: Callable[[float], None] = rest,
) -> Answer:
    """What is answered to whoever came first, once it is."""
    for _ in range(LOOKS):
        with database.reading() as work:
            earlier = work.answers.find(asked, after=now - KEPT_ANSWERS)
        if earlier is None:
            raise Conflict(f"the request that had this {KEY} was refused: send yours again")
        known = _same(earlier, asked)
        if known is not None:
            return known
        if earlier.taken_at < now - LONGEST_WORK:
            break
        pause(LOOK_EVERY)
    raise Conflict(
        f"a request with this {KEY} was begun and never answered: look what became of it, then use "
        "another key"
    )


def _found(database: Database, asked: Asked, now: datetime) -> Answer | None:
    with database.reading() as work:
        earlier = work.answers.find(asked, after=now - KEPT_ANSWERS)
    return None if earlier is None else _same(earlier, asked)


def _same(earlier: Earlier, asked: Asked) -> Answer | None:
    if earlier.print not in asked.prints:
        raise InvalidInput(
            f"this {KEY} was used for another request: each request needs a key of its own",
            code=KEY,
        )
    return earlier.answer
