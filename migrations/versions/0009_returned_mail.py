"""Add bounces and complaints, bounce scores of readers, and the quarantine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _returned()
    _standings()
    _quarantine()


def downgrade() -> None:
    for table in ("quarantine", "standings", "returned"):
        op.drop_table(table)


def row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def instant() -> sa.String:
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def of_a_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["subscriber_id"],
        ["subscribers.id"],
        name=op.f(f"fk_{table}_subscriber_id"),
        ondelete="CASCADE",
    )


def _returned() -> None:
    op.create_table(
        "returned",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text(), nullable=True),
        sa.Column("subscriber_id", row_id(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("happened_at", instant(), nullable=False),
        sa.Column("received_at", instant(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('bounce', 'complaint', 'auto-reply', 'report', 'unsubscribe', 'quarantined')",
            name=op.f("ck_returned_kind"),
        ),
        sa.CheckConstraint(
            "evidence IN ('none', 'auto-reply', 'passing', 'likely-gone', 'gone', 'complaint')",
            name=op.f("ck_returned_evidence"),
        ),
        sa.CheckConstraint(
            "did IN ('stopped', 'complained', 'unsubscribed', 'paused', 'noted', 'unknown', "
            "'quarantined')",
            name=op.f("ck_returned_did"),
        ),
        of_a_person("returned"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned")),
        sa.UniqueConstraint("way", "event_id", name=op.f("uq_returned_way_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_returned_subscriber_id", "returned", ["subscriber_id"])
    op.create_index("ix_returned_received_at", "returned", ["received_at"])


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("subscriber_id", row_id(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.Column("likely_on", sa.Date(), nullable=True),
        sa.Column("likely_mail", sa.Text(), nullable=True),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("resting_until", sa.Date(), nullable=True),
        sa.Column("changed_at", instant(), nullable=False),
        of_a_person("standings"),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_standings")),
        sqlite_with_rowid=False,
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", row_id(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("subscriber_id", row_id(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", instant(), nullable=False),
        of_a_person("quarantine"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("way", "event_id", name=op.f("uq_quarantine_way_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quarantine_subscriber_id", "quarantine", ["subscriber_id"])
    op.create_index("ix_quarantine_received_at", "quarantine", ["received_at"])
