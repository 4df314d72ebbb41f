"""Tables for mailing: subscribers, the ledger, limits, slots, bounces, API keys and channels."""

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from paperround.db.dialect import ROW_ID, Json, UtcDateTime
from paperround.db.schema.columns import (
    instant,
    key_part,
    metadata,
    one_of,
    refers,
    row_id,
    text,
    where,
)

VERDICTS = ("more", "less", "save")
NOTICE_KINDS = ("confirm", "reminder", "change", "preferences", "undo", "test", "alert")

_STATES = "queued claimed in_data sent deferred failed unknown expired skipped".split()
_NO_CLOCK = sql("due_at IS NULL AND state = 'active'")
_WAITING = sql("state IN ('queued', 'deferred')")
_HELD = sql("state IN ('claimed', 'in_data')")
_MISSED = sql("state = 'expired' AND reason = 'missed'")
_UNDELIVERED = sql("state IN ('failed', 'unknown', 'expired') OR reason = 'cancelled'")

subscribers = Table(
    "subscribers",
    metadata,
    row_id(),
    text("kind"),
    text("address", null=True),  # as in emails; these four are null after an erasure
    text("written", null=True),
    text("folded", null=True),
    text("domain", null=True),
    text("state"),
    text("nonce"),
    instant("consent_at", null=True),
    text("consent_source", null=True),
    text("language", null=True),
    instant("created_at"),
    instant("changed_at"),
    instant("erased_at", null=True),
    one_of("state", ("pending", "active", "unsubscribed", "suppressed")),
    UniqueConstraint("kind", "folded"),
    sqlite_autoincrement=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    row_id(),
    refers("list_id", "lists"),
    refers("subscriber_id", "subscribers", delete="CASCADE"),
    text("state"),
    text("timezone", null=True),
    Column("hour", Integer, nullable=True),
    text("frequency"),  # `weekly` for monthly readers, for the previous release
    text("weekday", null=True),
    Column("monthly", Boolean, nullable=True),
    instant("shares_since", null=True),  # null: what they save is not shared on this list
    Column("size", Integer, nullable=True),
    Column("floor", Double, nullable=True),
    text("language", null=True),
    Column("paused_until", Date, nullable=True),
    Column("topics", Json, nullable=False),
    instant("created_at"),
    instant("changed_at"),
    instant("due_at", null=True),  # when the next digest is due; null: not planned yet, or never
    one_of("state", ("pending", "active", "unsubscribed", "suppressed")),
    one_of("frequency", ("daily", "weekdays", "weekly")),
    one_of("weekday", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
    UniqueConstraint("list_id", "subscriber_id"),
    Index(None, "list_id", "id"),  # planning reads a list in pages
    Index("ix_subscriptions_due", "list_id", "due_at"),
    Index("ix_subscriptions_no_clock", "id", **where(_NO_CLOCK)),
    Index(None, "subscriber_id"),
    sqlite_autoincrement=True,
)

interests = Table(
    "interests",
    metadata,
    row_id(),
    refers("subscriber_id", "subscribers", delete="CASCADE"),
    text("kind"),  # `seed` for a statement, for the previous release
    text("value"),
    Column("statement", Boolean, nullable=True),
    Column("weight", Double, nullable=False),
    instant("created_at"),
    one_of("kind", ("topic", "keyword", "author", "category", "seed", "mute")),
    UniqueConstraint("subscriber_id", "kind", "value"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("digest", Text, primary_key=True),
    text("key_id"),
    text("reason"),
    instant("since"),
    instant("lifted_at", null=True),
    sqlite_with_rowid=False,
)


def _sending(table: str, *line: str) -> tuple[Any, ...]:
    """Return the ledger columns: state, claim, attempts, times and the last reply.

    `next_at` is when the row may be tried next: first when it is due, later the next retry. The
    index of due rows starts with the columns `line`, so each of their values has its own queue.
    """
    return (
        text("state"),
        text("reason"),
        instant("due_at"),
        instant("next_at"),
        instant("expires_at"),
        instant("lease_until", null=True),
        text("host", null=True),
        Column("pid", Integer, nullable=True),
        text("started", null=True),
        text("token", null=True),
        Column("attempts", Integer, nullable=False),
        Column("breakdowns", Integer, nullable=False),
        text("message_id"),
        instant("dated"),
        text("key_id"),
        text("nonce"),
        text("domain", null=True),
        Column("code", Integer, nullable=True),
        text("reply", null=True),
        instant("in_data_at", null=True),
        instant("sent_at", null=True),
        instant("created_at"),
        one_of("state", _STATES),
        Index(f"ix_{table}_due", *line, "next_at", "id", **where(_WAITING)),
        Index(f"ix_{table}_ends", "expires_at", **where(_WAITING)),
        Index(f"ix_{table}_leases", "lease_until", **where(_HELD)),
        Index(f"ix_{table}_message_id", "message_id"),
    )


deliveries = Table(
    "deliveries",
    metadata,
    row_id(),
    refers("list_id", "lists"),
    refers("edition_id", "editions"),
    refers("subscriber_id", "subscribers"),
    refers("subscription_id", "subscriptions", delete="SET NULL", null=True),
    text("kind"),
    Column("local_date", Date, nullable=False),
    Column("positions", Json, nullable=False),
    *_sending("deliveries", "list_id"),  # so a paused list does not block the others
    Column("reasons", Json, nullable=True),  # in English, for the previous release
    Column("reason_codes", Json, nullable=True),  # personal reasons by position
    Column("withdrawn", Json, nullable=True),  # earlier papers to report as withdrawn
    Column("parts", Json, nullable=True),  # personal score parts: name -> number per position
    Column("club", Json, nullable=True),  # the journal club of the week, if the email names it
    Column("new_papers", Json, nullable=True),  # how many were new, and are in this digest
    Column("risen", Json, nullable=True),  # papers left out before that rose since
    Column("next_titles", Integer, nullable=True),  # how many, for the previous release
    Column("next_papers", Json, nullable=True),  # papers behind its link; null: none
    text("language", null=True),  # null: English
    one_of("kind", ("digest", "roundup_week", "roundup_month", "replacement")),
    UniqueConstraint("list_id", "subscriber_id", "kind", "local_date"),
    Index(None, "edition_id", "state"),
    Index(None, "subscriber_id"),
    Index(None, "subscription_id"),
    Index("ix_deliveries_waiting", "list_id", "due_at", **where(_WAITING)),
    Index("ix_deliveries_missed", "list_id", "local_date", **where(_MISSED)),
    Index("ix_deliveries_undelivered", "list_id", "local_date", "id", **where(_UNDELIVERED)),
    sqlite_autoincrement=True,
)

notices = Table(
    "notices",
    metadata,
    row_id(),
    text("kind"),
    Column("key", Text, nullable=False, unique=True),
    refers("subscriber_id", "subscribers", delete="SET NULL", null=True),
    text("address", null=True),
    Column("payload", Json, nullable=False),
    *_sending("notices"),
    instant("used_at", null=True),  # when its link was used
    one_of("kind", NOTICE_KINDS),
    Index(None, "subscriber_id"),
    sqlite_autoincrement=True,
)

sent_papers = Table(
    "sent_papers",
    metadata,
    key_part("subscriber_id", "subscribers"),
    key_part("paper_id", "papers"),
    # A delivery may be deleted long before its papers may be sent again.
    refers("delivery_id", "deliveries", delete="SET NULL", null=True),
    Index(None, "delivery_id"),
    Index(None, "paper_id"),
    sqlite_with_rowid=False,
)

told_withdrawals = Table(
    "told_withdrawals",
    metadata,
    key_part("subscriber_id", "subscribers"),
    key_part("paper_id", "papers"),
    refers("delivery_id", "deliveries", delete="SET NULL", null=True),
    Index(None, "delivery_id"),
    Index(None, "paper_id"),
    sqlite_with_rowid=False,
)

past_deliveries = Table(
    "past_deliveries",
    metadata,
    # Delivered digests whose rows were deleted: their ids, and their recipients.
    row_id(),
    refers("list_id", "lists"),
    refers("edition_id", "editions"),
    text("kind"),
    Column("local_date", Date, nullable=False),
    text("key_id"),
    text("message_domain"),
    Column("first_id", ROW_ID, nullable=False),
    Column("last_id", ROW_ID, nullable=False),
    Column("ids", LargeBinary, nullable=False),
    Column("people", LargeBinary, nullable=False),
    Index(None, "first_id", "last_id"),
    Index(None, "edition_id"),
)

past_papers = Table(
    "past_papers",
    metadata,
    # The recipients in deleted rows of `sent_papers`; in several parts for a paper with many.
    key_part("paper_id", "papers"),
    Column("part", Integer, primary_key=True),
    Column("people", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

feedback = Table(
    "feedback",
    metadata,
    row_id(),
    refers("subscriber_id", "subscribers", delete="CASCADE"),
    refers("paper_id", "papers", delete="CASCADE"),
    refers("delivery_id", "deliveries", delete="SET NULL", null=True),
    text("verdict"),
    instant("created_at"),
    text("note", null=True),  # of a saved paper, like its collections
    Column("collections", Json, nullable=True),
    one_of("verdict", VERDICTS),
    UniqueConstraint("subscriber_id", "paper_id", "verdict"),
    Index(None, "created_at"),  # an edition counts the feedback since its papers arrived
    Index(None, "paper_id"),
    Index(None, "delivery_id"),
)

rate_windows = Table(
    "rate_windows",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

limiter = Table(
    "limiter",
    metadata,
    Column("name", Text, primary_key=True),
    instant("next_at"),
    instant("breaker_until", null=True),
    text("host", null=True),
    Column("pid", Integer, nullable=True),
    text("started", null=True),
    sqlite_with_rowid=False,
)

paces = Table(
    "paces",
    metadata,
    Column("name", Text, primary_key=True),  # the relay, the warm-up, or a domain
    instant("free_at", null=True),
    instant("lined_up_to", null=True),
    Column("grown", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("rest_seconds", Integer, nullable=False),
    instant("rests_until", null=True),
    text("reason"),
    instant("pressed_since", null=True),
    instant("pressed_at", null=True),
    instant("changed_at"),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    row_id(),
    text("name"),
    Column("prefix", Text, nullable=False, unique=True),
    text("digest"),
    Column("scopes", Json, nullable=False),
    instant("created_at"),
    instant("expires_at", null=True),
    instant("revoked_at", null=True),
    instant("last_used_at", null=True),
    Column("parent", Integer, nullable=True),  # the key that made it; null: a person did
)

audit = Table(
    "audit",
    metadata,
    row_id(),
    instant("at"),
    text("actor"),  # the prefix of an API key, or the command line
    text("action"),
    text("target"),
    Column("details", Json, nullable=False),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("key", Text, primary_key=True),
    text("print"),
    instant("taken_at"),
    Column("status", Integer, nullable=True),
    Column("headers", Json, nullable=False),
    text("body", null=True),
    Index(None, "taken_at"),
    sqlite_with_rowid=False,
)

signup_requests = Table(
    "signup_requests",
    metadata,
    row_id(),
    text("kind"),
    text("address"),
    text("written"),
    text("folded"),
    text("domain"),
    refers("subscriber_id", "subscribers", delete="CASCADE", null=True),  # for `move`
    Column("payload", Json, nullable=False),
    instant("created_at"),
    instant("due_at"),
    Column("tries", Integer, nullable=False),
    one_of("kind", ("signup", "link", "move")),
    Index(None, "due_at"),
    Index(None, "folded"),
    Index(None, "subscriber_id"),
    sqlite_autoincrement=True,
)

slots = Table(
    "slots",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    instant("taken_at"),
    sqlite_with_rowid=False,
)


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
    text("mail", null=True),  # `delivery/7`: no foreign key, as that row may be deleted earlier
    refers("subscriber_id", "subscribers", delete="CASCADE", null=True),
    text("code"),
    text("said", null=True),
    instant("happened_at"),
    instant("received_at"),
    one_of("kind", ("bounce", "complaint", "auto-reply", "report", "unsubscribe", "quarantined")),
    one_of("evidence", ("none", "auto-reply", "passing", "likely-gone", "gone", "complaint")),
    one_of(
        "did",
        ("stopped", "complained", "unsubscribed", "paused", "noted", "unknown", "quarantined"),
    ),
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
    text("hook"),  # these three are encrypted: they are enough to post, or to sign
    text("chat"),
    text("key"),  # a signing key per line
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
