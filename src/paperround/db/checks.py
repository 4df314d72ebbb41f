"""Check a database: file damage, dangling references, and unsafe settings."""

from collections import Counter

from sqlalchemy import Engine, Text, column, select, table
from sqlalchemy.exc import DBAPIError

from paperround.db.dialect import is_damage
from paperround.db.revisions import translate_errors

MOST_LINES = 5

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings that must be on in PostgreSQL
(https://www.postgresql.org/docs/current/runtime-config-wal.html): without the first two a system
crash can corrupt the database, without the last one it loses the newest commits."""


def find_damage(engine: Engine) -> list[str]:
    """Return what is damaged in a SQLite file, at most five lines.

    Raises Misconfigured when it cannot be opened for another reason.
    """
    if engine.dialect.name != "sqlite":
        return []
    with translate_errors(engine):
        try:
            with engine.connect() as connection:
                found = connection.exec_driver_sql(f"PRAGMA quick_check({MOST_LINES})").scalars()
                return [" ".join(line.split()) for line in found if line != "ok"]
        except DBAPIError as error:
            if is_damage(error):  # too damaged to run the check
                return [str(error.orig)]
            raise


def unsafe_settings(engine: Engine) -> dict[str, str]:
    """Return the settings with which PostgreSQL may lose commits; empty on SQLite.

    Reads the settings of Paperround's own connections.
    """
    if engine.dialect.name != "postgresql":
        return {}
    looking = (
        select(column("name", Text), column("setting", Text))
        .select_from(table("pg_settings"))
        .where(column("name").in_(DURABLE), column("setting") == "off")
    )
    with engine.connect() as connection:
        return {row.name: row.setting for row in connection.execute(looking)}


def dangling_references(engine: Engine) -> dict[str, int]:
    """Count the rows that refer to missing rows, by table; empty on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return {}
    with engine.connect() as connection:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return dict(Counter(row[0] for row in broken))
