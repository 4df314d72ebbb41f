"""For which paper which service was asked, and when it is asked again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrichments",
        sa.Column("paper_id", row_number(), nullable=False),
        sa.Column("enricher", sa.Text(), nullable=False),
        sa.Column("asked_at", instant(), nullable=False),
        sa.Column("next_at", instant(), nullable=True),
        sa.PrimaryKeyConstraint("paper_id", "enricher", name="pk_enrichments"),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name="fk_enrichments_paper_id", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("enrichments")


def row_number() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
