"""Add statements of readers about their work. The previous release treats them as paper titles."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("interests", sa.Column("statement", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Turn statements into titles of papers that the readers gave."""
    op.drop_column("interests", "statement")
