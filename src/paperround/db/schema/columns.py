"""Shared by all tables: constraint names, and helpers for common columns."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData, Text, TextClause
from sqlalchemy.sql.schema import SchemaItem

from paperround.db.dialect import ROW_ID, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def row_id() -> Column[int]:
    """Return the primary key `id`."""
    return Column("id", ROW_ID, primary_key=True)


def refers(name: str, target: str, *, delete: str | None = None, null: bool = False) -> Column[int]:
    """Return a foreign key to the `id` of `target`; `delete` is its ON DELETE action."""
    return Column(name, ROW_ID, ForeignKey(f"{target}.id", ondelete=delete), nullable=null)


def key_part(name: str, target: str) -> Column[int]:
    """Return a foreign key that is part of the primary key, with ON DELETE CASCADE."""
    return Column(name, ROW_ID, ForeignKey(f"{target}.id", ondelete="CASCADE"), primary_key=True)


def text(name: str, *, null: bool = False) -> Column[str]:
    """Return a text column of any length. PostgreSQL and SQLite gain nothing from a limit."""
    return Column(name, Text, nullable=null)


def instant(name: str, *, null: bool = False) -> Column[object]:
    """Return a column for an instant in UTC. Callers pass it: the database's clock is not used."""
    return Column(name, UtcDateTime, nullable=null)


def where(condition: TextClause) -> dict[str, Any]:
    """Return the arguments that make an index partial."""
    return {"sqlite_where": condition, "postgresql_where": condition}


def one_of(column: str, words: Iterable[str]) -> SchemaItem:
    """Return a check that `column` is one of `words` (or NULL if the column allows it)."""
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
