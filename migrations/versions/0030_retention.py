"""Add a compact record of digests and sent papers whose rows are deleted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
    op.create_table(
        "past_deliveries",
        sa.Column("id", row_id, nullable=False),
        sa.Column("list_id", row_id, nullable=False),
        sa.Column("edition_id", row_id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("message_domain", sa.Text(), nullable=False),
        sa.Column("first_id", row_id, nullable=False),
        sa.Column("last_id", row_id, nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_past_deliveries_list_id"),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_past_deliveries_edition_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_past_deliveries"),
    )
    op.create_index(
        "ix_past_deliveries_first_id_last_id", "past_deliveries", ["first_id", "last_id"]
    )
    op.create_index("ix_past_deliveries_edition_id", "past_deliveries", ["edition_id"])
    op.create_table(
        "past_papers",
        sa.Column("paper_id", row_id, nullable=False, autoincrement=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name="fk_past_papers_paper_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("paper_id", "part", name="pk_past_papers"),
        sqlite_with_rowid=False,
    )
    op.add_column("editions", sa.Column("compacted_at", instant, nullable=True))
    whole = sa.text("compacted_at IS NULL")
    op.create_index(
        "ix_editions_whole",
        "editions",
        ["cut_at"],
        sqlite_where=whole,
        postgresql_where=whole,
    )


def downgrade() -> None:
    """Delete the record: links in these digests stop working, and their papers may be sent
    again."""
    op.drop_index("ix_editions_whole", table_name="editions")
    op.drop_column("editions", "compacted_at")
    op.drop_table("past_papers")
    op.drop_table("past_deliveries")
