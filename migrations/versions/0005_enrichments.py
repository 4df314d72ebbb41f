"""For which paper which service was asked, when it is asked again, who asks one now, and who
withdrew a paper."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    withdrawn_by = sa.Text().with_variant(postgresql.JSON(), "postgresql")
    op.add_column("papers", sa.Column("withdrawn_by", withdrawn_by, nullable=True))
    op.create_table(
        "enrichments",
        sa.Column("paper_id", row_number(), nullable=False),
        sa.Column("enricher", sa.Text(), nullable=False),
        sa.Column("asked_at", instant(), nullable=True),
        sa.Column("next_at", instant(), nullable=True),
        sa.PrimaryKeyConstraint("paper_id", "enricher", name="pk_enrichments"),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name="fk_enrichments_paper_id", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.drop_column("limiter", "failures")  # nobody ever read it
    op.add_column("limiter", sa.Column("host", sa.Text(), nullable=True))
    op.add_column("limiter", sa.Column("pid", sa.Integer(), nullable=True))
    op.add_column("limiter", sa.Column("started", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("started", "pid", "host"):
        op.drop_column("limiter", column)
    op.add_column(
        "limiter", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.drop_table("enrichments")
    op.drop_column("papers", "withdrawn_by")


def row_number() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
