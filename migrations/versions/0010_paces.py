"""Add the sending rates and pauses of the relay and of each domain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("free_at", instant(), nullable=True),
        sa.Column("lined_up_to", instant(), nullable=True),
        sa.Column("grown", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("rest_seconds", sa.Integer(), nullable=False),
        sa.Column("rests_until", instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pressed_since", instant(), nullable=True),
        sa.Column("pressed_at", instant(), nullable=True),
        sa.Column("changed_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Reset the rates; no email is lost."""
    op.drop_table("paces")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
