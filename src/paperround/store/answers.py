"""Answers that are kept for a day, so that a request that comes twice acts once. Their bodies rest
sealed: one may hold a secret that is shown once."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from paperround.domain.errors import Misconfigured
from paperround.domain.keys import Answer, Asked, Earlier
from paperround.store import schema as db
from paperround.store.dialect import insert_new
from paperround.store.sealing import Seal


class AnswerStore:
    """Answers that are kept for a day, so that a request that comes twice acts once."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    def take(self, asked: Asked, *, after: datetime, now: datetime) -> bool:
        """True for the first who asks under this key; False for everybody else. Whoever comes while
        another transaction holds the key waits for that one's end. What was taken at `after` or
        before counts no more."""
        key = db.answers.c.key == asked.key
        self._connection.execute(delete(db.answers).where(key, db.answers.c.taken_at <= after))
        taking = insert_new(self._connection, db.answers).returning(db.answers.c.key)
        row = {"key": asked.key, "print": asked.prints[0], "taken_at": now, "headers": {}}
        return self._connection.execute(taking, row).one_or_none() is not None

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Write down what is answered to a request that was taken."""
        self._connection.execute(
            update(db.answers)
            .where(db.answers.c.key == asked.key)
            .values(
                status=answer.status,
                headers=dict(answer.headers),
                body=self._seal.seal(answer.body),
            )
        )

    def find(self, asked: Asked, *, after: datetime) -> Earlier | None:
        """The request that came first under this key, `after` an instant; None when there is none.
        What it asked may be something else."""
        row = self._connection.execute(
            select(db.answers).where(db.answers.c.key == asked.key, db.answers.c.taken_at > after)
        ).one_or_none()
        return None if row is None else self._earlier(row)

    def give_back(self, asked: Asked) -> None:
        """Undo `take`: nothing was done."""
        self._connection.execute(delete(db.answers).where(db.answers.c.key == asked.key))

    def forget(self, *, before: datetime) -> int:
        """Drop what was taken before; returns how many rows went."""
        return self._connection.execute(
            delete(db.answers).where(db.answers.c.taken_at < before)
        ).rowcount

    def _earlier(self, row: Row[Any]) -> Earlier:
        """Whoever lost the secret that sealed an answer knows its request no more, either: what is
        asked now counts as another one."""
        answer = None
        if row.status is not None:
            with suppress(Misconfigured):
                body = self._seal.open(row.body)
                answer = Answer(status=row.status, headers=row.headers, body=body)
        return Earlier(print=row.print, taken_at=row.taken_at, answer=answer)
