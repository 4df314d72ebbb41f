"""Add due instants, cuts, the health of feeds, and API keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WAITING = "state IN ('queued', 'deferred')"
MISSED = "state = 'expired' AND reason = 'missed'"
NO_CLOCK = "due_at IS NULL AND state = 'active'"
HEALTH = "health IN ('new', 'fresh', 'empty', 'stale', 'holiday', 'failed', 'paused')"


def upgrade() -> None:
    _feeds()
    _lists_and_editions()
    _subscriptions_and_mail()
    _lines()
    _keys()


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_index("ix_subscriptions_no_clock", "subscriptions")
    for name in ("missed", "waiting", "due"):
        op.drop_index(f"ix_deliveries_{name}", "deliveries")
    partial("ix_deliveries_due", "deliveries", ["next_at", "id"], WAITING)
    op.drop_column("notices", "used_at")
    op.drop_column("deliveries", "reasons")
    op.drop_index("ix_subscriptions_due", "subscriptions")
    op.drop_column("subscriptions", "due_at")
    op.drop_index("ix_editions_cut", "editions")
    for column in ("cut_at", "sources", "quiet_reason"):
        op.drop_column("editions", column)
    op.drop_column("lists", "not_before")
    with op.batch_alter_table("feeds") as feeds:
        feeds.drop_constraint("health", type_="check")
        for column in ("health", "reason", "expects_at", "last_good_at", "last_news_at"):
            feeds.drop_column(column)


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    """Create an index of the rows that match `where`."""
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _feeds() -> None:
    """Add the health of feeds. Existing feeds become `new`: they were read from files."""
    op.add_column("feeds", sa.Column("health", sa.Text(), nullable=True))
    op.add_column("feeds", sa.Column("reason", sa.Text(), nullable=True))
    for name in ("expects_at", "last_good_at", "last_news_at"):
        op.add_column("feeds", sa.Column(name, instant(), nullable=True))
    op.execute("UPDATE feeds SET health = 'new', reason = ''")
    with op.batch_alter_table("feeds") as feeds:
        feeds.alter_column("health", existing_type=sa.Text(), nullable=False)
        feeds.alter_column("reason", existing_type=sa.Text(), nullable=False)
        feeds.create_check_constraint("health", HEALTH)


def _lists_and_editions() -> None:
    """Add cuts. Editions frozen before there were cuts get the instant their data ends."""
    op.add_column("lists", sa.Column("not_before", instant(), nullable=True))
    op.add_column("editions", sa.Column("quiet_reason", sa.Text(), nullable=True))
    op.add_column("editions", sa.Column("sources", plain_json(), nullable=True))
    op.add_column("editions", sa.Column("cut_at", instant(), nullable=True))
    op.execute("UPDATE editions SET cut_at = as_of, sources = '[]'")
    with op.batch_alter_table("editions") as editions:
        editions.alter_column("sources", existing_type=plain_json(), nullable=False)
        editions.alter_column("cut_at", existing_type=instant(), nullable=False)
    op.create_index("ix_editions_cut", "editions", ["list_id", "cut_at"])


def _subscriptions_and_mail() -> None:
    op.add_column("subscriptions", sa.Column("due_at", instant(), nullable=True))
    op.create_index("ix_subscriptions_due", "subscriptions", ["list_id", "due_at"])
    op.add_column("deliveries", sa.Column("reasons", plain_json(), nullable=True))
    op.add_column("notices", sa.Column("used_at", instant(), nullable=True))


def _lines() -> None:
    """Index waiting emails by list, so that a paused list does not slow down the others."""
    op.drop_index("ix_deliveries_due", "deliveries")
    partial("ix_deliveries_due", "deliveries", ["list_id", "next_at", "id"], WAITING)
    partial("ix_deliveries_waiting", "deliveries", ["list_id", "due_at"], WAITING)
    partial("ix_deliveries_missed", "deliveries", ["list_id", "local_date"], MISSED)
    partial("ix_subscriptions_no_clock", "subscriptions", ["id"], NO_CLOCK)


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", plain_json(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=True),
        sa.Column("revoked_at", instant(), nullable=True),
        sa.Column("last_used_at", instant(), nullable=True),
        sa.UniqueConstraint("prefix", name="uq_api_keys_prefix"),
    )
