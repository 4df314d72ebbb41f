"""Idempotency keys: a repeated request acts once, and gets the same response for a day.

    effect in the database only    effect and response are one transaction: a process that dies
                                   leaves both or neither
    effect outside it, too         the request is stored, executed, then its response is stored: a
                                   process that dies leaves a request that may have been executed,
                                   so it never is again

Only successful responses are stored: you can correct a refused request and send it again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from paperround.access.model import IdempotentRequest, StoredResponse
from paperround.access.store import AnswerStore
from paperround.core.errors import Conflict, InvalidInput
from paperround.db.transactions import Database, SqlDatabase, Transaction, run_with_retries, write

KEPT_ANSWERS = timedelta(hours=24)

KEY = "Idempotency-Key"


def once(
    database: SqlDatabase,
    request: IdempotentRequest,
    do: Callable[[], StoredResponse],
    *,
    now: datetime,
) -> tuple[StoredResponse, bool]:
    """Return what `do` returns, and True; or the stored response, and False.

    Everything `do` writes in this context is one transaction with its response, retried if it lost
    a race. Raises InvalidInput if the key was used for a different request.
    """

    def attempt() -> tuple[StoredResponse, bool]:
        with database.together() as work:
            if not work[AnswerStore].claim(request, after=now - KEPT_ANSWERS, now=now):
                return _stored_response(work, request), False
            response = do()
            work[AnswerStore].save(request, response)
            return response, True

    return run_with_retries(attempt)


def run_once_outside(
    database: Database,
    request: IdempotentRequest,
    do: Callable[[], StoredResponse],
    *,
    now: datetime,
) -> tuple[StoredResponse, bool]:
    """Do the same for effects outside the database, which may take time.

    Raises InvalidInput if the key was used for a different request, and Conflict while the first
    request has no response.
    """
    since = now - KEPT_ANSWERS
    if not write(database, lambda work: work[AnswerStore].claim(request, after=since, now=now)):
        with database.reading() as work:
            return _stored_response(work, request), False
    try:
        response = do()
    except Exception:
        write(database, lambda work: work[AnswerStore].release(request))
        raise
    write(database, lambda work: work[AnswerStore].save(request, response))
    return response, True


def _stored_response(work: Transaction, request: IdempotentRequest) -> StoredResponse:
    """Return the stored response of the first request with this key."""
    first, response = work[AnswerStore].find(request) or (None, None)
    if first is not None and first not in request.prints:
        raise InvalidInput(
            f"this {KEY} was used for another request: each request needs its own key",
            code=KEY,
        )
    if response is None:
        raise Conflict(
            f"a request with this {KEY} has no response: it is still in progress, or it was "
            "interrupted. Retry later, or check its effect and use another key"
        )
    return response
