"""How long editions of a list are held, until when one is, and what an editor changed of it."""

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
    """Held editions go out at once, as they were ranked."""
    for column in ("edits", "released_at", "held_until"):
        op.drop_column("editions", column)
    op.drop_column("lists", "hold_minutes")


def instant() -> sa.String:
    """An instant in UTC."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def values() -> sa.Text:
    """JSON."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
