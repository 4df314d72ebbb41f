"""Tables for feeds, papers, lists, editions and models."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from sqlalchemy.sql.schema import SchemaItem

from paperround.db.dialect import ROW_ID, Json
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

_WITHDRAWN = sql("withdrawn_at IS NOT NULL")
_NAMED = sql("names IS NOT NULL")
_WHOLE = sql("compacted_at IS NULL")

RUN_STATES = ("running", "done", "unchanged", "failed", "put-off")

feeds = Table(
    "feeds",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    text("kind"),
    text("url", null=True),
    Column("settings", Json, nullable=False),
    Column("progress", Json, nullable=True),  # validators and cursor of the next fetch
    text("show", null=True),
    Column("enabled", Boolean, nullable=False),
    instant("next_at", null=True),
    Column("failures", Integer, nullable=False),
    instant("created_at"),
    text("health"),
    text("reason"),
    instant("expects_at", null=True),  # when the next batch is overdue
    instant("last_good_at", null=True),
    instant("last_news_at", null=True),
    Column("lease", Integer, nullable=False),  # the number of the poll that may write
    instant("leased_until", null=True),
    Column("lent_to", Json, nullable=True),  # the process that polls the feed
    instant("gone_at", null=True),  # when the source was gone, and the feed was disabled
    one_of("show", ("full", "gist", "link")),
    one_of("health", ("new", "fresh", "empty", "stale", "holiday", "failed", "paused")),
)

runs = Table(
    "runs",
    metadata,
    row_id(),
    refers("feed_id", "feeds", delete="CASCADE"),
    text("source"),
    text("state"),
    Column("counts", Json, nullable=True),  # also contains the health after the run
    text("error", null=True),
    instant("started_at"),
    instant("finished_at", null=True),
    Column("names", Json, nullable=True),  # of some of its papers, kept for some weeks
    one_of("state", RUN_STATES),
    Index(None, "feed_id", "started_at"),
    Index(None, "started_at"),
    Index("ix_runs_named", "started_at", **where(_NAMED)),
)

rejects = Table(
    "rejects",
    metadata,
    row_id(),
    refers("feed_id", "feeds", delete="CASCADE"),
    refers("run_id", "runs", delete="CASCADE"),
    text("digest"),
    text("reason"),
    text("detail"),
    Column("position", Integer, nullable=False),
    text("excerpt"),
    instant("created_at"),
    UniqueConstraint("feed_id", "digest"),
    Index(None, "run_id"),
)

papers = Table(
    "papers",
    metadata,
    row_id(),
    text("canonical"),
    Column("identifiers", Json, nullable=False),
    text("title_key"),
    text("title"),
    text("abstract"),
    text("raw_title", null=True),  # raw texts are retired; the previous release writes them
    text("raw_abstract", null=True),
    Column("authors", Json, nullable=False),
    Column("categories", Json, nullable=False),
    Column("keywords", Json, nullable=False),
    Column("links", Json, nullable=False),
    instant("counts_from"),
    Column("listed_on", Date, nullable=True),
    instant("published_at", null=True),
    instant("updated_at", null=True),
    Column("version", Integer, nullable=True),
    instant("withdrawn_at", null=True),
    Column("withdrawn_by", Json, nullable=True),  # the feeds that reported it, if known
    text("comment", null=True),
    text("licence", null=True),
    text("organization", null=True),
    text("submitter", null=True),
    text("show"),
    instant("first_seen_at"),
    instant("changed_at"),
    one_of("show", ("full", "gist", "link")),
    Index(None, "counts_from"),
    Index("ix_papers_withdrawn", "withdrawn_at", **where(_WITHDRAWN)),
    sqlite_autoincrement=True,
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    refers("paper_id", "papers", delete="CASCADE"),
    Index(None, "paper_id"),
    sqlite_with_rowid=False,
)

joined_papers = Table(
    "joined_papers",
    metadata,
    # Duplicate papers. Their rows stay for foreign keys that refer to them.
    key_part("paper_id", "papers"),
    refers("into_id", "papers", delete="CASCADE"),  # never a duplicate itself
    instant("joined_at"),
    Index(None, "into_id"),
    sqlite_with_rowid=False,
)

paper_versions = Table(
    "paper_versions",
    metadata,
    row_id(),
    refers("paper_id", "papers", delete="CASCADE"),
    text("title"),
    text("abstract"),
    text("raw_title", null=True),
    text("raw_abstract", null=True),
    Column("version", Integer, nullable=True),
    instant("replaced_at"),
    Index(None, "paper_id"),
)

listings = Table(
    "listings",
    metadata,
    key_part("paper_id", "papers"),
    key_part("feed_id", "feeds"),
    Column("listed_on", Date, nullable=True),
    text("fingerprint"),
    instant("first_seen_at"),
    instant("last_seen_at"),
    Index(None, "first_seen_at", "feed_id"),
    sqlite_with_rowid=False,
)

observations = Table(
    "observations",
    metadata,
    key_part("paper_id", "papers"),
    Column("signal", Text, primary_key=True),
    Column("captured_at", instant("captured_at").type, primary_key=True),
    Column("value", BigInteger, nullable=False),
    refers("feed_id", "feeds", delete="SET NULL", null=True),
    sqlite_with_rowid=False,
)

enrichments = Table(
    "enrichments",
    metadata,
    key_part("paper_id", "papers"),
    Column("enricher", Text, primary_key=True),
    instant("asked_at", null=True),  # null: claimed, but not requested yet
    instant("next_at", null=True),  # null: never again
    sqlite_with_rowid=False,
)

paper_references = Table(
    "paper_references",
    metadata,
    # What a paper cites: every identifier that a source gives for each cited work.
    key_part("paper_id", "papers"),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    sqlite_with_rowid=False,
)

lists = Table(
    "lists",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    text("title"),
    text("zone"),
    Column("feeds", Json, nullable=False),
    Column("categories", Json, nullable=False),
    Column("size", Integer, nullable=False),
    Column("edition_size", Integer, nullable=False),
    Column("candidate_days", Integer, nullable=False),
    Column("cuts", Json, nullable=False),
    Column("submitter_cap", Integer, nullable=False),
    Column("settings", Json, nullable=False),
    instant("paused_at", null=True),
    instant("created_at"),
    instant("not_before", null=True),
    Column("hold_minutes", Integer, nullable=True),  # null: editions are not held
    text("description", null=True),  # from here on null in rows of the release before
    text("search", null=True),
    Column("default_hour", Integer, nullable=True),
    Column("frequencies", Json, nullable=True),
    Column("languages", Json, nullable=True),
    Column("look", Json, nullable=True),
    text("signup", null=True),
    Column("domains", Json, nullable=True),
    Column("private", Boolean, nullable=True),
    Column("has_own_zone", Boolean, nullable=True),  # an operator chose it, not the settings
    instant("archived_at", null=True),
)

editions = Table(
    "editions",
    metadata,
    row_id(),
    refers("list_id", "lists"),
    Column("day", Date, nullable=False),
    text("cut"),
    instant("as_of"),
    instant("frozen_at"),
    text("ranker"),
    text("state"),
    text("empty_reason", null=True),
    instant("live_until", null=True),  # when the last digest planned so far expires
    text("quiet_reason", null=True),
    Column("sources", Json, nullable=False),  # in English, for the release before
    Column("source_codes", Json, nullable=True),
    instant("cut_at"),
    instant("cancelled_at", null=True),
    Column("shared", Json, nullable=True),  # how many readers saved each paper, kept for some days
    instant("held_until", null=True),  # null: it is out, or was never held
    instant("released_at", null=True),  # when a held one went out
    Column("edits", Json, nullable=True),  # what an editor changed while it was held
    instant("compacted_at", null=True),  # when the rows of its digests were deleted
    one_of("state", ("frozen", "planned", "cancelled")),
    UniqueConstraint("list_id", "day", "cut"),
    Index(None, "live_until"),
    Index("ix_editions_cut", "list_id", "cut_at"),
    Index("ix_editions_whole", "cut_at", **where(_WHOLE)),
)


def _frozen_papers() -> tuple[SchemaItem, ...]:
    """Return columns for frozen papers, by position in a ranking."""
    return (
        key_part("edition_id", "editions"),
        Column("position", Integer, primary_key=True),
        refers("paper_id", "papers"),
        text("title"),
        Column("authors", Json, nullable=False),
        text("gist"),
        Column("links", Json, nullable=False),
        Column("identifiers", Json, nullable=False),
        Column("score", Double, nullable=False),
        Column("parts", Json, nullable=False),
        text("reason"),  # in English, for the previous release
        text("reason_codes", null=True),
        Column("votes", BigInteger, nullable=True),
        Column("comments", BigInteger, nullable=True),
        text("show"),
        Column("details", Json, nullable=True),  # null in editions of earlier versions
        one_of("show", ("full", "gist", "link")),
        Index(None, "paper_id"),
    )


edition_papers = Table("edition_papers", metadata, *_frozen_papers())

behind_papers = Table("behind_papers", metadata, *_frozen_papers())  # in digests, not on pages

edition_tails = Table(
    "edition_tails",
    metadata,
    key_part("edition_id", "editions"),
    Column("places", Json, nullable=False),  # ranks below those that the edition shows
    Column("reason_codes", Json, nullable=True),  # for each place
    sqlite_with_rowid=False,
)

shards = Table(
    "shards",
    metadata,
    key_part("edition_id", "editions"),
    Column("number", Integer, primary_key=True),
    Column("after_id", ROW_ID, nullable=False),
    Column("through_id", ROW_ID, nullable=False),
    Column("rows", Integer, nullable=False),
    instant("planned_at"),
)

models = Table(
    "models",
    metadata,
    # Trained models. Rows are immutable, and ids are never reused.
    row_id(),
    text("name"),
    text("version"),
    instant("fitted_at"),
    instant("as_of"),  # the training data ends here
    Column("outcomes", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    text("digest"),
    Column("content", LargeBinary, nullable=False),
    Index(None, "name", "as_of"),
    sqlite_autoincrement=True,
)
