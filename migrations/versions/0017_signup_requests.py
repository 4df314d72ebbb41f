"""Add the queue of sign-ups, requests for links, and changes of address."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = "signup_requests"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", row_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=True),
        sa.Column("payload", mapping(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("due_at", instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('signup', 'link', 'move')", name=op.f("ck_signup_requests_kind")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_signup_requests_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signup_requests")),
        sqlite_autoincrement=True,
    )
    for column in ("due_at", "folded", "subscriber_id"):
        op.create_index(op.f(f"ix_{TABLE}_{column}"), TABLE, [column])


def downgrade() -> None:
    """Delete queued requests: people have to repeat them."""
    op.drop_table(TABLE)


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def mapping() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
