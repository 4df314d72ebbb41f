"""Add codes and parameters of reasons and of source states, beside their English texts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JSON_COLUMNS = (
    ("edition_tails", "reason_codes"),
    ("deliveries", "reason_codes"),
    ("editions", "source_codes"),
)


def upgrade() -> None:
    for table in ("edition_papers", "behind_papers"):
        op.add_column(table, sa.Column("reason_codes", sa.Text(), nullable=True))
    for table, column in JSON_COLUMNS:
        op.add_column(table, sa.Column(column, values(), nullable=True))


def downgrade() -> None:
    """Show rows stored in the meantime in English."""
    for table, column in reversed(JSON_COLUMNS):
        op.drop_column(table, column)
    for table in ("behind_papers", "edition_papers"):
        op.drop_column(table, "reason_codes")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
