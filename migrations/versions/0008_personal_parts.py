"""Add personal score parts of digests, and papers of digests that their edition does not show."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FROZEN = (
    "edition_id, position, paper_id, title, authors, gist, links, identifiers, score, parts, "
    "reason, votes, comments, show"
)


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("parts", plain_json(), nullable=True))
    _edition_tails()
    _behind_papers()


def downgrade() -> None:
    """Move the additional papers into their editions: waiting digests may contain them."""
    op.execute(f"INSERT INTO edition_papers ({_FROZEN}) SELECT {_FROZEN} FROM behind_papers")
    op.drop_table("behind_papers")
    op.drop_table("edition_tails")
    op.drop_column("deliveries", "parts")


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def _edition_tails() -> None:
    op.create_table(
        "edition_tails",
        sa.Column("edition_id", row_id(), nullable=False),
        sa.Column("places", plain_json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["editions.id"],
            name=op.f("fk_edition_tails_edition_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_tails")),
        sqlite_with_rowid=False,
    )


def _behind_papers() -> None:
    """Create a table like `edition_papers`, for papers in digests that pages do not show."""
    op.create_table(
        "behind_papers",
        sa.Column("edition_id", row_id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", plain_json(), nullable=False),
        sa.Column("gist", sa.Text(), nullable=False),
        sa.Column("links", plain_json(), nullable=False),
        sa.Column("identifiers", plain_json(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("parts", plain_json(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("votes", sa.BigInteger(), nullable=True),
        sa.Column("comments", sa.BigInteger(), nullable=True),
        sa.Column("show", sa.Text(), nullable=False),
        sa.CheckConstraint("show IN ('full', 'gist', 'link')", name=op.f("ck_behind_papers_show")),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["editions.id"],
            name=op.f("fk_behind_papers_edition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_behind_papers_paper_id")
        ),
        sa.PrimaryKeyConstraint("edition_id", "position", name=op.f("pk_behind_papers")),
    )
    op.create_index("ix_behind_papers_paper_id", "behind_papers", ["paper_id"])
