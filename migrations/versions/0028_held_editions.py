"""Add holds: how long a list holds editions, until when one is held, and the editor's changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lists", sa.Column("hold_minutes", sa.Integer(), nullable=True))
    op.add_column("editions", sa.Column("held_until", instant(), nullable=True))
    op.add_column("editions", sa.Column("released_at", instant(), nullable=True))
    op.add_column("editions", sa.Column("edits", values(), nullable=True))


def downgrade() -> None:
    """Release held editions at once, as they were ranked."""
    for column in ("edits", "released_at", "held_until"):
        op.drop_column("editions", column)
    op.drop_column("lists", "hold_minutes")


def instant() -> sa.String:
    """Return the type of a column for an instant in UTC."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
