"""Notes on saved papers, and the collections they are in."""

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
    """Papers stay saved, without notes and collections."""
    op.drop_column("feedback", "collections")
    op.drop_column("feedback", "note")


def values() -> sa.Text:
    """JSON."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
