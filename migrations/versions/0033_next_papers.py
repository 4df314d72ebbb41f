"""Add which papers a digest offers behind its link, so that they stay as they were mailed."""

import sqlalchemy as sa
from alembic import op

from paperround.db.dialect import Json

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("next_papers", Json(), nullable=True))


def downgrade() -> None:
    """Forget the papers: the release before finds them when the page is opened."""
    op.drop_column("deliveries", "next_papers")
