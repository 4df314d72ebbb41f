"""Tables of what comes back: events, what is held against an address, mails nobody understood."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from paperround.domain.bounces import Evidence
from paperround.domain.returns import Did, Kind
from paperround.store.columns import instant, key_part, metadata, one_of, refers, row_id, text

returned = Table(
    "returned",
    metadata,
    row_id(),
    text("way"),
    text("event_id"),
    text("kind"),
    text("evidence"),
    text("proof"),
    text("did"),
    text("mail", null=True),  # `delivery/7`: the row may be forgotten before this one
    refers("subscriber_id", "subscribers", delete="CASCADE", null=True),
    text("code"),
    text("said", null=True),
    instant("happened_at"),
    instant("received_at"),
    one_of("kind", Kind),
    one_of("evidence", Evidence),
    one_of("did", Did),
    UniqueConstraint("way", "event_id"),
    Index(None, "subscriber_id"),
    Index(None, "received_at"),
    sqlite_autoincrement=True,
)

standings = Table(
    "standings",
    metadata,
    key_part("subscriber_id", "subscribers"),
    Column("points", Integer, nullable=False),
    Column("counted_on", Date, nullable=True),
    Column("likely_on", Date, nullable=True),
    text("likely_mail", null=True),
    Column("rests", Integer, nullable=False),
    Column("resting_until", Date, nullable=True),
    instant("changed_at"),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    row_id(),
    text("way"),
    text("event_id"),
    text("why"),
    refers("subscriber_id", "subscribers", delete="CASCADE", null=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    instant("received_at"),
    UniqueConstraint("way", "event_id"),
    Index(None, "subscriber_id"),
    Index(None, "received_at"),
    sqlite_autoincrement=True,
)


channels = Table(
    "channels",
    metadata,
    key_part("subscriber_id", "subscribers"),
    Column("name", Text, nullable=False, unique=True),
    text("hook"),  # these three rest sealed: whoever could read them could post, or sign
    text("chat"),
    text("key"),  # within, a line for each that signs: see store/channels.py
    instant("created_at"),
    instant("paused_at", null=True),
    instant("stopped_at", null=True),
    text("stopped_why"),
    sqlite_with_rowid=False,
)

post_progress = Table(
    "post_progress",
    metadata,
    key_part("delivery_id", "deliveries"),
    Column("taken", Integer, nullable=False),
    CheckConstraint("taken > 0", name="taken"),
    sqlite_with_rowid=False,
)
