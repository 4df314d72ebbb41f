"""Tables for the operator's figures: counts by day, and the results of each edition."""

from sqlalchemy import Column, Date, Integer, Table, Text

from paperround.db.dialect import ROW_ID, Json
from paperround.db.schema.columns import instant, key_part, metadata

day_counts = Table(
    "day_counts",
    metadata,
    Column("day", Date, primary_key=True),  # in UTC
    Column("name", Text, primary_key=True),
    Column("list_id", ROW_ID, primary_key=True, autoincrement=False),  # 0: the installation
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

edition_figures = Table(
    "edition_figures",
    metadata,
    key_part("edition_id", "editions"),
    Column("figures", Json, nullable=False),  # without domains of fewer than three people
    instant("counted_at"),
    sqlite_with_rowid=False,
)
