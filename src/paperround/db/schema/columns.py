"""What the tables share: the naming of constraints, and columns that many of them carry."""

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, Column, ForeignKey, MetaData, Text
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
    """The table's own number."""
    return Column("id", ROW_ID, primary_key=True)


def refers(name: str, target: str, *, delete: str | None = None, null: bool = False) -> Column[int]:
    """A reference to the `id` of `target`; `delete` says what follows when that row goes."""
    return Column(name, ROW_ID, ForeignKey(f"{target}.id", ondelete=delete), nullable=null)


def key_part(name: str, target: str) -> Column[int]:
    """A reference that is part of the primary key and goes with the row it names."""
    return Column(name, ROW_ID, ForeignKey(f"{target}.id", ondelete="CASCADE"), primary_key=True)


def text(name: str, *, null: bool = False) -> Column[str]:
    """Text of any length. PostgreSQL and SQLite gain nothing from a limit."""
    return Column(name, Text, nullable=null)


def instant(name: str, *, null: bool = False) -> Column[object]:
    """An instant in UTC. Every one is handed in: the database's own clock is never read."""
    return Column(name, UtcDateTime, nullable=null)


def one_of(column: str, words: Iterable[str]) -> SchemaItem:
    """`column` holds one of `words` (or NULL where the column allows it)."""
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
