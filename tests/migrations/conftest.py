"""Migration tests run on every database."""

from tests.databases import (
    database_url,
    empty_database_url,
    empty_engine,
    engine,
    postgres,
    postgres_url,
    sqlite_template,
)

__all__ = [
    "database_url",
    "empty_database_url",
    "empty_engine",
    "engine",
    "postgres",
    "postgres_url",
    "sqlite_template",
]
