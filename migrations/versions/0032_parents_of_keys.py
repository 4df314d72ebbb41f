"""Add which key made a key, so that what a key made ends with it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("parent", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Forget the parents: the release before knows none."""
    op.drop_column("api_keys", "parent")
