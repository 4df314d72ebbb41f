"""Indexes and references that are made once all rows are there: row by row they would cost several
times as much as the rows themselves. What is to be made stands in a table until it is."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, text

from paperround.store.schema import metadata

CREATE = "CREATE TABLE moving_later (position serial PRIMARY KEY, statement text NOT NULL)"
DROP = "DROP TABLE moving_later"

_INDEXES = """
    SELECT indexname AS name, indexdef AS statement FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = ANY(:tables)
      AND indexname NOT IN (SELECT conname FROM pg_constraint)
    ORDER BY indexname
"""
_REFERENCES = """
    SELECT conname AS name, conrelid::regclass::text AS of,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid)) AS statement
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
      AND conrelid::regclass::text = ANY(:tables)
    ORDER BY conname
"""
_ENOUGH = "SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '128MB'"


def put_off(connection: Connection) -> None:
    """Drop every index that is no key, and every reference, and write down how to make them."""
    connection.exec_driver_sql(CREATE)
    tables = {"tables": [table.name for table in metadata.sorted_tables]}
    indexes = connection.execute(text(_INDEXES), tables).all()
    references = connection.execute(text(_REFERENCES), tables).all()
    for row in references:
        connection.exec_driver_sql(f'ALTER TABLE {row.of} DROP CONSTRAINT "{row.name}"')
    for row in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{row.name}"')
    for row in (*indexes, *references):  # references are checked by the keys, which are there
        connection.execute(
            text("INSERT INTO moving_later (statement) VALUES (:statement)"),
            {"statement": row.statement},
        )


def waiting(engine: Engine) -> int:
    """How many are still to be made."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM moving_later")).scalar_one())


def make(engine: Engine, advance: Callable[[int], Any]) -> None:
    """Make what waits, each in a transaction of its own."""
    while _make_next(engine):
        advance(1)


def _make_next(engine: Engine) -> bool:
    with engine.begin() as connection:
        connection.exec_driver_sql(_ENOUGH)
        row = connection.execute(
            text("SELECT position, statement FROM moving_later ORDER BY position LIMIT 1")
        ).one_or_none()
        if row is None:
            return False
        connection.exec_driver_sql(row.statement.replace("%", "%%"))
        connection.execute(
            text("DELETE FROM moving_later WHERE position = :position"), {"position": row.position}
        )
    return True
