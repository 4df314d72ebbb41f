"""Add details of frozen papers that digests show: listing, organization, stars, lead."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = ("edition_papers", "behind_papers")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("details", values(), nullable=True))


def downgrade() -> None:
    """Send waiting digests without these details."""
    for table in reversed(TABLES):
        op.drop_column(table, "details")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
