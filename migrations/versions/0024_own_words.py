"""What readers write of their work, whose rows are titles of papers to the previous release."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("interests", sa.Column("statement", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """What readers wrote of their work becomes titles of papers they gave."""
    op.drop_column("interests", "statement")
