"""Add channels: their targets, their states, and the progress of their posts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("subscriber_id", row_number(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("paused_at", instant(), nullable=True),
        sa.Column("stopped_at", instant(), nullable=True),
        sa.Column("stopped_why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_channels_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_channels")),
        sa.UniqueConstraint("name", name=op.f("uq_channels_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "post_progress",
        sa.Column("delivery_id", row_number(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken > 0", name=op.f("ck_post_progress_taken")),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_post_progress_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_post_progress")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Delete channels and their secrets. Their subscribers stay without an address, so nothing is
    planned for them or sent."""
    op.execute(
        "UPDATE deliveries SET state = 'skipped', reason = 'unsubscribed' WHERE state IN"
        " ('queued', 'deferred') AND subscriber_id IN (SELECT subscriber_id FROM channels)"
    )
    op.execute(
        "UPDATE subscribers SET state = 'unsubscribed', folded = NULL WHERE id IN"
        " (SELECT subscriber_id FROM channels)"
    )
    op.drop_table("post_progress")
    op.drop_table("channels")


def row_number() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
