"""Add cancelled editions, an index of undelivered digests, and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UNDELIVERED = sa.text("state IN ('failed', 'unknown', 'expired') OR reason = 'cancelled'")


def upgrade() -> None:
    op.add_column("editions", sa.Column("cancelled_at", instant(), nullable=True))
    op.execute("UPDATE deliveries SET reason = 'cancelled' WHERE reason = 'edition-cancelled'")
    op.create_index(
        "ix_deliveries_undelivered",
        "deliveries",
        ["list_id", "local_date", "id"],
        sqlite_where=_UNDELIVERED,
        postgresql_where=_UNDELIVERED,
    )
    op.create_table(
        "audit",
        sa.Column("id", row_number(), nullable=False),
        sa.Column("at", instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("details", plain_json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_index("ix_deliveries_undelivered", table_name="deliveries")
    op.execute("UPDATE deliveries SET reason = 'edition-cancelled' WHERE reason = 'cancelled'")
    op.drop_column("editions", "cancelled_at")


def row_number() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
