"""Contract tests run on every database."""

from tests.databases import (
    database,
    database_url,
    engine,
    postgres,
    postgres_url,
    sqlite_database,
    sqlite_template,
)

__all__ = [
    "database",
    "database_url",
    "engine",
    "postgres",
    "postgres_url",
    "sqlite_database",
    "sqlite_template",
]
