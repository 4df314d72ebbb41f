"""Write hundreds of thousands of readers in bulk: signing up is not measured here."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import insert

from benchmarks.invented import reader
from paperround.db.dialect import next_ids
from paperround.db.driver import insert_many
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.mapping import person_columns, preference_columns

AT_ONCE = 10_000


def add_readers(
    count: int, database: SqlDatabase, *, wish: Callable[[int], Preferences], now: datetime
) -> None:
    """Add `count` readers to the default list; number `n` has the preferences `wish(n)`."""
    for first in range(0, count, AT_ONCE):
        with database.writing() as work:
            _write(work, range(first, min(first + AT_ONCE, count)), wish, now)


def _write(
    work: Transaction, numbers: range, wish: Callable[[int], Preferences], now: datetime
) -> None:
    trending = work[ListStore].get("trending").id
    people = [reader(number, wish(number)) for number in numbers]
    ids = next_ids(work.connection, db.subscribers, len(people))
    each = list(zip(ids, people, strict=True))
    insert_many(
        work.connection,
        insert(db.subscribers),
        [{"id": id_, **person_columns(one, now)} for id_, one in each],
    )
    insert_many(
        work.connection,
        insert(db.subscriptions),
        [
            {
                **preference_columns(one.preferences),
                "list_id": trending,
                "subscriber_id": id_,
                "state": one.state.value,
                "created_at": now,
                "changed_at": now,
            }
            for id_, one in each
        ],
    )
