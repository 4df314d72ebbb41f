"""Requests that may come twice act once, and are answered the same for a day.

    within the database    what is done and its answer are one transaction: a process that dies
                           leaves both or neither
    outside of it, too     the request is written down, done, then its answer is: a process that
                           dies leaves a request of which nobody knows whether it was done, so it
                           is never done again

Only what succeeded is kept: you can mend a request that was refused, and send it again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from paperround.access.model import IdempotentRequest, StoredResponse
from paperround.access.store import AnswerStore
from paperround.core.errors import Conflict, InvalidInput
from paperround.db.transactions import Database, SqlDatabase, Transaction, tried, write

KEPT_ANSWERS = timedelta(hours=24)

KEY = "Idempotency-Key"


def once(
    database: SqlDatabase,
    asked: IdempotentRequest,
    do: Callable[[], StoredResponse],
    *,
    now: datetime,
) -> tuple[StoredResponse, bool]:
    """Return what `do` answers, and True; or what was answered before, and False. All that `do`
    writes in this context is one transaction with its answer, done again when it lost a race.

    Raises InvalidInput when something else was asked under this key.
    """

    def attempt() -> tuple[StoredResponse, bool]:
        with database.together() as work:
            if not work[AnswerStore].take(asked, after=now - KEPT_ANSWERS, now=now):
                return _earlier(work, asked, now), False
            answer = do()
            work[AnswerStore].keep(asked, answer)
            return answer, True

    return tried(attempt)


def once_outside(
    database: Database, asked: IdempotentRequest, do: Callable[[], StoredResponse], *, now: datetime
) -> tuple[StoredResponse, bool]:
    """The same for what is done outside the database too, and takes its time.

    Raises InvalidInput when something else was asked under this key, and Conflict while the first
    request has no answer yet.
    """
    since = now - KEPT_ANSWERS
    if not write(database, lambda work: work[AnswerStore].take(asked, after=since, now=now)):
        with database.reading() as work:
            return _earlier(work, asked, now), False
    try:
        answer = do()
    except Exception:
        write(database, lambda work: work[AnswerStore].give_back(asked))
        raise
    write(database, lambda work: work[AnswerStore].keep(asked, answer))
    return answer, True


def _earlier(work: Transaction, asked: IdempotentRequest, now: datetime) -> StoredResponse:
    """What was answered to the request that came first under this key."""
    earlier = work[AnswerStore].find(asked, after=now - KEPT_ANSWERS)
    if earlier is not None and earlier.print not in asked.prints:
        raise InvalidInput(
            f"this {KEY} was used for another request: each request needs a key of its own",
            code=KEY,
        )
    if earlier is None or earlier.answer is None:
        raise Conflict(
            f"a request with this {KEY} has no answer: it is still worked on, or was begun and "
            "never answered. Send it again later, or look what became of it and use another key"
        )
    return earlier.answer
