"""Tables of channels: where each leads, how it stands, and how far its posts have got."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from paperround.store.columns import instant, key_part, metadata, text

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
