"""Add merged papers, and the withdrawals that people were notified of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _joined_papers()
    _told_withdrawals()
    only = sa.text("withdrawn_at IS NOT NULL")
    op.create_index(
        "ix_papers_withdrawn",
        "papers",
        ["withdrawn_at"],
        sqlite_where=only,
        postgresql_where=only,
    )
    op.add_column("deliveries", sa.Column("withdrawn", plain_json(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "withdrawn")
    op.drop_index("ix_papers_withdrawn", "papers")
    op.drop_table("told_withdrawals")
    op.drop_table("joined_papers")


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def _joined_papers() -> None:
    op.create_table(
        "joined_papers",
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("into_id", row_id(), nullable=False),
        sa.Column("joined_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["into_id"], ["papers.id"], name=op.f("fk_joined_papers_into_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_joined_papers_paper_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("paper_id", name=op.f("pk_joined_papers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_joined_papers_into_id"), "joined_papers", ["into_id"])


def _told_withdrawals() -> None:
    op.create_table(
        "told_withdrawals",
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("delivery_id", row_id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_told_withdrawals_delivery_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"],
            ["papers.id"],
            name=op.f("fk_told_withdrawals_paper_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_told_withdrawals_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "paper_id", name=op.f("pk_told_withdrawals")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_told_withdrawals_delivery_id"), "told_withdrawals", ["delivery_id"])
    op.create_index(op.f("ix_told_withdrawals_paper_id"), "told_withdrawals", ["paper_id"])
