"""Add how many more papers a digest offers behind its link."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("next_titles", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Forget the numbers: the release before names none."""
    op.drop_column("deliveries", "next_titles")
