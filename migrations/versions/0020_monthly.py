"""Monthly readers, who are weekly ones without a weekday to the previous release."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("monthly", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Monthly readers get a digest every Monday."""
    op.drop_column("subscriptions", "monthly")
