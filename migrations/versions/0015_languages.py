"""Add the language of a digest. Rows without one are in English."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("language", sa.Text(), nullable=True))


def downgrade() -> None:
    """Send waiting digests in English."""
    op.drop_column("deliveries", "language")
