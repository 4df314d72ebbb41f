"""Add shared saves: since when a reader shares, and what editions and digests say about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("shares_since", instant(), nullable=True))
    op.add_column("editions", sa.Column("shared", values(), nullable=True))
    op.add_column("deliveries", sa.Column("club", values(), nullable=True))
    op.create_index("ix_feedback_created_at", "feedback", ["created_at"])


def downgrade() -> None:
    """End all sharing, and send waiting digests without their journal club."""
    op.drop_index("ix_feedback_created_at", "feedback")
    op.drop_column("deliveries", "club")
    op.drop_column("editions", "shared")
    op.drop_column("subscriptions", "shares_since")


def instant() -> sa.String:
    """Return the type of a column for an instant in UTC."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
