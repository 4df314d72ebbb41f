"""Add notes on saved papers, and their collections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feedback", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("feedback", sa.Column("collections", values(), nullable=True))


def downgrade() -> None:
    """Delete notes and collections; the papers stay saved."""
    op.drop_column("feedback", "collections")
    op.drop_column("feedback", "note")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
