"""Add what a digest says about papers it leaves out: how many were new, and which rose later."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COLUMNS = ("new_papers", "risen")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("deliveries", sa.Column(column, values(), nullable=True))


def downgrade() -> None:
    """Send waiting digests without these lines."""
    for column in reversed(COLUMNS):
        op.drop_column("deliveries", column)


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
