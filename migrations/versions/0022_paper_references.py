"""Add the references of papers."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = "paper_references"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"],
            ["papers.id"],
            name=op.f("fk_paper_references_paper_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("paper_id", "kind", "value", name=op.f("pk_paper_references")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Delete the references, which the sources can provide again."""
    op.drop_table(TABLE)


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
