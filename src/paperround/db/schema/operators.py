"""Tables for the people who run an installation: their addresses, log-in links and sessions."""

from sqlalchemy import Index, Table, UniqueConstraint

from paperround.db.schema.columns import instant, metadata, refers, row_id, text

operators = Table(
    "operators",
    metadata,
    row_id(),
    text("email"),
    text("folded"),
    instant("created_at"),
    UniqueConstraint("folded"),
    sqlite_autoincrement=True,
)

operator_links = Table(
    "operator_links",
    metadata,
    row_id(),
    refers("operator_id", "operators", delete="CASCADE"),
    instant("created_at"),
    text("key_id"),
    text("nonce"),
    instant("used_at", null=True),
    Index(None, "operator_id"),
    sqlite_autoincrement=True,
)

operator_sessions = Table(
    "operator_sessions",
    metadata,
    row_id(),
    refers("operator_id", "operators", delete="CASCADE"),
    instant("created_at"),
    text("digest"),  # SHA-256 of the session's secret
    instant("seen_at"),
    UniqueConstraint("digest"),
    Index(None, "operator_id"),
    sqlite_autoincrement=True,
)
