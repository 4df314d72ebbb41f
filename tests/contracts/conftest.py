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
from tests.queues import present, timed_engine, timed_url

__all__ = [
    "database",
    "database_url",
    "engine",
    "postgres",
    "postgres_url",
    "present",
    "sqlite_database",
    "sqlite_template",
    "timed_engine",
    "timed_url",
]
