"""Add the zone, UTC, to pauses after a restore, which SQLite stored without one."""

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
    """Do nothing: both forms can be read."""
