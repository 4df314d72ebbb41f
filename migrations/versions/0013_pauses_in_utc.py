"""Pauses after a restore, which SQLite held without their zone: they are of UTC, as all others."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "UPDATE lists SET paused_at = replace(paused_at, ' ', 'T') || 'Z'"
            " WHERE paused_at LIKE '% %'"
        )


def downgrade() -> None:
    """Both forms are read alike."""
