"""Add monthly readers. The previous release treats them as weekly ones without a weekday."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("monthly", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Send monthly readers a digest every Monday."""
    op.drop_column("subscriptions", "monthly")
