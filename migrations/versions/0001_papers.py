"""Create the tables of feeds, papers, lists and editions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _feeds()
    _runs()
    _rejects()
    _papers()
    _identifiers()
    _paper_versions()
    _listings()
    _observations()
    _lists()
    _editions()
    _edition_papers()
    _shards()


def downgrade() -> None:
    for table in (
        "shards",
        "edition_papers",
        "editions",
        "lists",
        "observations",
        "listings",
        "paper_versions",
        "identifiers",
        "papers",
        "rejects",
        "runs",
        "feeds",
    ):
        op.drop_table(table)


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("settings", plain_json(), nullable=False),
        sa.Column("progress", plain_json(), nullable=True),
        sa.Column("show", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.CheckConstraint("show IN ('full', 'gist', 'link')", name=op.f("ck_feeds_show")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("name", name=op.f("uq_feeds_name")),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("feed_id", row_id(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", plain_json(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", instant(), nullable=False),
        sa.Column("finished_at", instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'unchanged', 'failed')", name=op.f("ck_runs_state")
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_runs_feed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_feed_id_started_at"), "runs", ["feed_id", "started_at"])


def _rejects() -> None:
    op.create_table(
        "rejects",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("feed_id", row_id(), nullable=False),
        sa.Column("run_id", row_id(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_rejects_feed_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_rejects_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejects")),
        sa.UniqueConstraint("feed_id", "digest", name=op.f("uq_rejects_feed_id_digest")),
    )
    op.create_index(op.f("ix_rejects_run_id"), "rejects", ["run_id"])


def _papers() -> None:
    op.create_table(
        "papers",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("identifiers", plain_json(), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("raw_title", sa.Text(), nullable=True),
        sa.Column("raw_abstract", sa.Text(), nullable=True),
        sa.Column("authors", plain_json(), nullable=False),
        sa.Column("categories", plain_json(), nullable=False),
        sa.Column("keywords", plain_json(), nullable=False),
        sa.Column("links", plain_json(), nullable=False),
        sa.Column("counts_from", instant(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("published_at", instant(), nullable=True),
        sa.Column("updated_at", instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", instant(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("submitter", sa.Text(), nullable=True),
        sa.Column("show", sa.Text(), nullable=False),
        sa.Column("first_seen_at", instant(), nullable=False),
        sa.Column("changed_at", instant(), nullable=False),
        sa.CheckConstraint("show IN ('full', 'gist', 'link')", name=op.f("ck_papers_show")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_papers_counts_from"), "papers", ["counts_from"])


def _identifiers() -> None:
    op.create_table(
        "identifiers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_identifiers_paper_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_identifiers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_identifiers_paper_id"), "identifiers", ["paper_id"])


def _paper_versions() -> None:
    op.create_table(
        "paper_versions",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("raw_title", sa.Text(), nullable=True),
        sa.Column("raw_abstract", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("replaced_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_paper_versions_paper_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_versions")),
    )
    op.create_index(op.f("ix_paper_versions_paper_id"), "paper_versions", ["paper_id"])


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("feed_id", row_id(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("first_seen_at", instant(), nullable=False),
        sa.Column("last_seen_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_listings_feed_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_listings_paper_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("paper_id", "feed_id", name=op.f("pk_listings")),
        sqlite_with_rowid=False,
    )


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("captured_at", instant(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("feed_id", row_id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_observations_feed_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_observations_paper_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("paper_id", "signal", "captured_at", name=op.f("pk_observations")),
        sqlite_with_rowid=False,
    )


def _lists() -> None:
    op.create_table(
        "lists",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("feeds", plain_json(), nullable=False),
        sa.Column("categories", plain_json(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("edition_size", sa.Integer(), nullable=False),
        sa.Column("candidate_days", sa.Integer(), nullable=False),
        sa.Column("cuts", plain_json(), nullable=False),
        sa.Column("submitter_cap", sa.Integer(), nullable=False),
        sa.Column("settings", plain_json(), nullable=False),
        sa.Column("paused_at", instant(), nullable=True),
        sa.Column("created_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lists")),
        sa.UniqueConstraint("name", name=op.f("uq_lists_name")),
    )


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("list_id", row_id(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cut", sa.Text(), nullable=False),
        sa.Column("as_of", instant(), nullable=False),
        sa.Column("frozen_at", instant(), nullable=False),
        sa.Column("ranker", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("empty_reason", sa.Text(), nullable=True),
        sa.Column("live_until", instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('frozen', 'planned', 'cancelled')", name=op.f("ck_editions_state")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_editions_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("list_id", "day", "cut", name=op.f("uq_editions_list_id_day_cut")),
    )
    op.create_index(op.f("ix_editions_live_until"), "editions", ["live_until"])


def _edition_papers() -> None:
    op.create_table(
        "edition_papers",
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
        sa.CheckConstraint("show IN ('full', 'gist', 'link')", name=op.f("ck_edition_papers_show")),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["editions.id"],
            name=op.f("fk_edition_papers_edition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_edition_papers_paper_id")
        ),
        sa.PrimaryKeyConstraint("edition_id", "position", name=op.f("pk_edition_papers")),
    )
    op.create_index(op.f("ix_edition_papers_paper_id"), "edition_papers", ["paper_id"])


def _shards() -> None:
    op.create_table(
        "shards",
        sa.Column("edition_id", row_id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("after_id", row_id(), nullable=False),
        sa.Column("through_id", row_id(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("planned_at", instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_shards_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "number", name=op.f("pk_shards")),
    )
