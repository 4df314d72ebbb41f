"""Add operators, their log-in links, and their sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operators",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("folded", name=op.f("uq_operators_folded")),
        sqlite_autoincrement=True,
    )
    _owned(
        "operator_links",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("used_at", instant(), nullable=True),
    )
    _owned(
        "operator_sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seen_at", instant(), nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_operator_sessions_digest")),
    )


def downgrade() -> None:
    """Log everybody out; operators have to be added again."""
    for table in ("operator_sessions", "operator_links", "operators"):
        op.drop_table(table)


def _owned(name: str, *more: sa.Column[object] | sa.UniqueConstraint) -> None:
    """Create a table whose rows are deleted with their operator."""
    op.create_table(
        name,
        sa.Column("id", row_id(), nullable=False),
        sa.Column("operator_id", row_id(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        *more,
        sa.ForeignKeyConstraint(
            ["operator_id"],
            ["operators.id"],
            name=op.f(f"fk_{name}_operator_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{name}_operator_id"), name, ["operator_id"])


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
