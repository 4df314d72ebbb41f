"""A PostgreSQL database with as many ledger rows as an installation has after years, and a watch on
the locks that others would have to wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sqlalchemy import Engine

from tests.migrations.filling import fill

PEOPLE = 10_000
AT = "'2026-03-02T08:00:00Z'::timestamptz"

_CROWD = (
    f"""INSERT INTO subscribers (kind, address, written, folded, domain, state, nonce, created_at,
            changed_at)
        SELECT 'email', a, a, a, 'crowd.example', 'active', 'n' || n, {AT}, {AT}
        FROM generate_series(1, %(people)s) AS n,
            LATERAL (SELECT n || '@crowd.example' AS a) AS one""",
    f"""INSERT INTO subscriptions (list_id, subscriber_id, state, frequency, topics, created_at,
            changed_at)
        SELECT (SELECT min(id) FROM lists), id, 'active', 'daily', '[]', {AT}, {AT}
        FROM subscribers WHERE domain = 'crowd.example'""",
    f"""INSERT INTO editions (list_id, day, cut, as_of, frozen_at, ranker, state, sources, cut_at)
        SELECT (SELECT min(id) FROM lists), '2020-01-01'::date + n, '0', {AT}, {AT}, 'r', 'planned',
            '[]', {AT}
        FROM generate_series(1, %(days)s) AS n""",
    f"""INSERT INTO deliveries (list_id, edition_id, subscriber_id, subscription_id, kind,
            local_date, positions, state, reason, due_at, next_at, expires_at, attempts, breakdowns,
            message_id, dated, key_id, nonce, domain, code, reply, sent_at, created_at)
        SELECT one.list_id, edition.id, one.subscriber_id, one.id, 'digest', edition.day, '[1,2,3]',
            'sent', '', {AT}, {AT}, {AT}, 1, 0, edition.id || '-' || one.id || '@papers.example',
            {AT}, 'k001', 'n' || one.id, 'crowd.example', 250, '2.0.0 queued as 4F1B2C', {AT}, {AT}
        FROM subscriptions AS one
        JOIN subscribers AS person
            ON person.id = one.subscriber_id AND person.domain = 'crowd.example'
        CROSS JOIN editions AS edition WHERE edition.day < '2026-01-01'""",
    """INSERT INTO sent_papers (subscriber_id, paper_id, delivery_id)
        SELECT subscriber_id, paper.id, min(deliveries.id)
        FROM deliveries
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM papers) AS paper
            ON paper.place = deliveries.edition_id
        WHERE domain = 'crowd.example' GROUP BY subscriber_id, paper.id""",
    "ANALYZE",
)


def crowd(engine: Engine, rows: int) -> None:
    """Rows in every table, and `rows` mails in the ledger."""
    people = min(PEOPLE, rows // 20)
    fill(engine, papers=2_000)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in _CROWD:
            parameters = {"people": people, "days": rows // people}
            connection.exec_driver_sql(statement, parameters if "%(" in statement else None)


@dataclass
class Watch:
    """How long each table was locked so that nobody could even read it, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def longest(self) -> float:
        """The longest of all; 0 when none was seen."""
        return max(self.seconds.values(), default=0.0)


_LOCKED = """
    SELECT relation.relname FROM pg_locks AS lock JOIN pg_class AS relation
        ON relation.oid = lock.relation
    WHERE lock.mode = 'AccessExclusiveLock' AND lock.granted AND relation.relkind = 'r'
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""A table that is being made is not in the catalogue that others see, and nobody waits for it."""


@contextmanager
def watched(engine: Engine) -> Iterator[Watch]:
    """Look at the locks all the time from a connection of its own."""
    watch, over = Watch(), threading.Event()
    thread = threading.Thread(target=_look, args=(engine, watch, over))
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _look(engine: Engine, watch: Watch, over: threading.Event) -> None:
    since: dict[str, float] = {}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not over.is_set():
            held: set[Any] = set(connection.exec_driver_sql(_LOCKED).scalars())
            now = perf_counter()
            since = {name: since.get(name, now) for name in held}
            for name, start in since.items():
                watch.seconds[name] = max(watch.seconds.get(name, 0.0), now - start)
            over.wait(0.01)
