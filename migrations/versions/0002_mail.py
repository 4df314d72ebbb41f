"""Create the tables of subscribers, the ledger, limits and slots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATES = (
    "state IN ('queued', 'claimed', 'in_data', 'sent', 'deferred', 'failed', 'unknown', "
    "'expired', 'skipped')"
)
WAITING = sa.text("state IN ('queued', 'deferred')")
HELD = sa.text("state IN ('claimed', 'in_data')")


def upgrade() -> None:
    _subscribers()
    _subscriptions()
    _interests()
    _suppressions()
    _deliveries()
    _notices()
    _sent_papers()
    _feedback()
    _rate_windows()
    _limiter()
    _slots()


def downgrade() -> None:
    for table in (
        "slots",
        "limiter",
        "rate_windows",
        "feedback",
        "sent_papers",
        "notices",
        "deliveries",
        "suppressions",
        "interests",
        "subscriptions",
        "subscribers",
    ):
        op.drop_table(table)


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def plain_json() -> sa.Text:
    return sa.Text().with_variant(postgresql.JSON(), "postgresql")


def _subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("written", sa.Text(), nullable=True),
        sa.Column("folded", sa.Text(), nullable=True),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("consent_at", instant(), nullable=True),
        sa.Column("consent_source", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("changed_at", instant(), nullable=False),
        sa.Column("erased_at", instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'unsubscribed', 'suppressed')",
            name=op.f("ck_subscribers_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("kind", "folded", name=op.f("uq_subscribers_kind_folded")),
        sqlite_autoincrement=True,
    )


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("list_id", row_id(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("floor", sa.Double(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("topics", plain_json(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.Column("changed_at", instant(), nullable=False),
        sa.CheckConstraint(
            "frequency IN ('daily', 'weekdays', 'weekly')", name=op.f("ck_subscriptions_frequency")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'unsubscribed', 'suppressed')",
            name=op.f("ck_subscriptions_state"),
        ),
        sa.CheckConstraint(
            "weekday IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')",
            name=op.f("ck_subscriptions_weekday"),
        ),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_subscriptions_list_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_subscriptions_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint(
            "list_id", "subscriber_id", name=op.f("uq_subscriptions_list_id_subscriber_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subscriptions_list_id_id"), "subscriptions", ["list_id", "id"])
    op.create_index(op.f("ix_subscriptions_subscriber_id"), "subscriptions", ["subscriber_id"])


def _interests() -> None:
    op.create_table(
        "interests",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('topic', 'keyword', 'author', 'category', 'seed', 'mute')",
            name=op.f("ck_interests_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_interests_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interests")),
        sa.UniqueConstraint(
            "subscriber_id", "kind", "value", name=op.f("uq_interests_subscriber_id_kind_value")
        ),
    )


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", instant(), nullable=False),
        sa.Column("lifted_at", instant(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_suppressions")),
        sqlite_with_rowid=False,
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("list_id", row_id(), nullable=False),
        sa.Column("edition_id", row_id(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("subscription_id", row_id(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("positions", plain_json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", instant(), nullable=False),
        sa.Column("next_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=False),
        sa.Column("lease_until", instant(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("started", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("breakdowns", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("dated", instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("in_data_at", instant(), nullable=True),
        sa.Column("sent_at", instant(), nullable=True),
        sa.Column("created_at", instant(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('digest', 'roundup_week', 'roundup_month', 'replacement')",
            name=op.f("ck_deliveries_kind"),
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_deliveries_edition_id")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_deliveries_list_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_deliveries_subscriber_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_deliveries_subscription_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "list_id",
            "subscriber_id",
            "kind",
            "local_date",
            name=op.f("uq_deliveries_list_id_subscriber_id_kind_local_date"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_at", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(op.f("ix_deliveries_edition_id_state"), "deliveries", ["edition_id", "state"])
    op.create_index(
        "ix_deliveries_ends",
        "deliveries",
        ["expires_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_deliveries_leases",
        "deliveries",
        ["lease_until"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_index("ix_deliveries_message_id", "deliveries", ["message_id"])
    op.create_index(op.f("ix_deliveries_subscriber_id"), "deliveries", ["subscriber_id"])
    op.create_index(op.f("ix_deliveries_subscription_id"), "deliveries", ["subscription_id"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("payload", plain_json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", instant(), nullable=False),
        sa.Column("next_at", instant(), nullable=False),
        sa.Column("expires_at", instant(), nullable=False),
        sa.Column("lease_until", instant(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("started", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("breakdowns", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("dated", instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("in_data_at", instant(), nullable=True),
        sa.Column("sent_at", instant(), nullable=True),
        sa.Column("created_at", instant(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('confirm', 'reminder', 'change', 'preferences', 'undo', 'test', 'alert')",
            name=op.f("ck_notices_kind"),
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_notices_state")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_notices_subscriber_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notices_due",
        "notices",
        ["next_at", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_notices_ends", "notices", ["expires_at"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_index(
        "ix_notices_leases", "notices", ["lease_until"], sqlite_where=HELD, postgresql_where=HELD
    )
    op.create_index("ix_notices_message_id", "notices", ["message_id"])
    op.create_index(op.f("ix_notices_subscriber_id"), "notices", ["subscriber_id"])


def _sent_papers() -> None:
    op.create_table(
        "sent_papers",
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("delivery_id", row_id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_sent_papers_delivery_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_sent_papers_paper_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_sent_papers_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "paper_id", name=op.f("pk_sent_papers")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sent_papers_delivery_id"), "sent_papers", ["delivery_id"])
    op.create_index(op.f("ix_sent_papers_paper_id"), "sent_papers", ["paper_id"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("paper_id", row_id(), nullable=False),
        sa.Column("delivery_id", row_id(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("created_at", instant(), nullable=False),
        sa.CheckConstraint("verdict IN ('more', 'less', 'save')", name=op.f("ck_feedback_verdict")),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_feedback_delivery_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name=op.f("fk_feedback_paper_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_feedback_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint(
            "subscriber_id",
            "paper_id",
            "verdict",
            name=op.f("uq_feedback_subscriber_id_paper_id_verdict"),
        ),
    )
    op.create_index(op.f("ix_feedback_delivery_id"), "feedback", ["delivery_id"])
    op.create_index(op.f("ix_feedback_paper_id"), "feedback", ["paper_id"])


def _rate_windows() -> None:
    op.create_table(
        "rate_windows",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_start", instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window_start", name=op.f("pk_rate_windows")),
        sqlite_with_rowid=False,
    )


def _limiter() -> None:
    op.create_table(
        "limiter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", instant(), nullable=False),
        sa.Column("breaker_until", instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_limiter")),
        sqlite_with_rowid=False,
    )


def _slots() -> None:
    op.create_table(
        "slots",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("taken_at", instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "slot", name=op.f("pk_slots")),
        sqlite_with_rowid=False,
    )
