"""What digests show of a frozen paper besides its texts: listing, organization, stars, lead."""

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
    """Mails that wait are made without these facts, in the order they were planned."""
    for table in reversed(TABLES):
        op.drop_column(table, "details")


def values() -> sa.Text:
    """JSON."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
