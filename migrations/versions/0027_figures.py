"""Add figures for the operator: counts by day, and the outcomes of each edition."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("list_id", row_id(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "name", "list_id", name=op.f("pk_day_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "edition_figures",
        sa.Column("edition_id", row_id(), nullable=False),
        sa.Column("figures", values(), nullable=False),
        sa.Column("counted_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["editions.id"],
            name=op.f("fk_edition_figures_edition_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_figures")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Delete the figures. Those of editions can be counted again, those of days cannot."""
    op.drop_table("edition_figures")
    op.drop_table("day_counts")


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    """Return the type of a column for an instant in UTC."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def values() -> sa.Text:
    """Return the type of a JSON column."""
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")
