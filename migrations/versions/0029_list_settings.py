"""Add settings of lists: description, search, hours, languages, look and readers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in columns():
        op.add_column("lists", column)


def downgrade() -> None:
    """Make every list open, public and live again, with the look of the installation."""
    for column in reversed(columns()):
        op.drop_column("lists", column.name)


def columns() -> list[sa.Column[Any]]:
    """Return the new columns, which are null in rows of the previous release."""
    json = sa.Text().with_variant(postgresql.JSON(), "postgresql")
    instant = sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
    return [
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("search", sa.Text(), nullable=True),
        sa.Column("default_hour", sa.Integer(), nullable=True),
        sa.Column("frequencies", json, nullable=True),
        sa.Column("languages", json, nullable=True),
        sa.Column("look", json, nullable=True),
        sa.Column("signup", sa.Text(), nullable=True),
        sa.Column("domains", json, nullable=True),
        sa.Column("private", sa.Boolean(), nullable=True),
        sa.Column("has_own_zone", sa.Boolean(), nullable=True),
        sa.Column("archived_at", instant, nullable=True),
    ]
