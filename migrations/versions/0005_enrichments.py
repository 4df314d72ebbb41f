"""Add enrichments, the feeds that withdrew a paper, leases of feeds, holders of turns, and the
papers of a run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RUN_STATES = ("running", "done", "unchanged", "failed")


def upgrade() -> None:
    op.add_column("papers", sa.Column("withdrawn_by", plain_json(), nullable=True))
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
    op.drop_column("limiter", "failures")  # it was never read
    op.add_column("limiter", sa.Column("host", sa.Text(), nullable=True))
    op.add_column("limiter", sa.Column("pid", sa.Integer(), nullable=True))
    op.add_column("limiter", sa.Column("started", sa.Text(), nullable=True))
    _feeds()
    _runs((*RUN_STATES, "put-off"))
    op.add_column("runs", sa.Column("names", plain_json(), nullable=True))
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    named = sa.text("names IS NOT NULL")
    op.create_index(
        "ix_runs_named", "runs", ["started_at"], sqlite_where=named, postgresql_where=named
    )
    op.create_index("ix_listings_first_seen_at_feed_id", "listings", ["first_seen_at", "feed_id"])


def downgrade() -> None:
    op.drop_index("ix_listings_first_seen_at_feed_id", "listings")
    op.drop_index("ix_runs_named", "runs")
    op.drop_index("ix_runs_started_at", "runs")
    op.drop_column("runs", "names")
    op.execute("UPDATE runs SET state = 'done' WHERE state = 'put-off'")
    _runs(RUN_STATES)
    for column in ("lease", "leased_until", "lent_to", "gone_at"):
        op.drop_column("feeds", column)
    for column in ("started", "pid", "host"):
        op.drop_column("limiter", column)
    op.add_column(
        "limiter", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    with op.batch_alter_table("limiter") as limiter:
        limiter.alter_column("failures", server_default=None)  # it was only for existing rows
    op.drop_table("enrichments")
    op.drop_column("papers", "withdrawn_by")


def row_number() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def _feeds() -> None:
    for name in ("leased_until", "gone_at"):
        op.add_column("feeds", sa.Column(name, instant(), nullable=True))
    op.add_column("feeds", sa.Column("lent_to", plain_json(), nullable=True))
    op.add_column("feeds", sa.Column("lease", sa.Integer(), nullable=True))
    op.execute("UPDATE feeds SET lease = 0")
    with op.batch_alter_table("feeds") as feeds:
        feeds.alter_column("lease", existing_type=sa.Integer(), nullable=False)


def _runs(states: tuple[str, ...]) -> None:
    """Set the states that a run may have."""
    words = ", ".join(f"'{state}'" for state in states)
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("ck_runs_state"), type_="check")
        runs.create_check_constraint(op.f("ck_runs_state"), f"state IN ({words})")
