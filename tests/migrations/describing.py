"""A database's whole schema as lines that can be compared: constraints, indexes, triggers."""

import re

from sqlalchemy import Connection, Engine

_PARTS = re.compile(r",\s*\n")

_POSTGRES = (
    """SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
              || coalesce(column_default, '')
       FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
)


def described(engine: Engine) -> list[str]:
    """One line for every column, constraint, index and trigger, sorted; the tool's own table left
    out."""
    with engine.connect() as connection:
        lines = (
            _postgres(connection) if engine.dialect.name == "postgresql" else _sqlite(connection)
        )
    return sorted(line for line in lines if "alembic_version" not in line)


def _postgres(connection: Connection) -> list[str]:
    return [str(row[0]) for query in _POSTGRES for row in connection.exec_driver_sql(query)]


def _sqlite(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return [
        f"{name}: {' '.join(part.split())}"
        for name, sql in found
        for part in _PARTS.split(_bare(sql))
    ]


def _bare(sql: str) -> str:
    """The statement with its brackets on lines of their own, so that its parts are lines too."""
    opening, _, rest = sql.partition("(\n")
    body, _, options = rest.rpartition("\n)")
    return f"{opening},\n{body},\n{options}" if body else sql
