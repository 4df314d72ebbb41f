"""The search index of titles, abstracts and authors, and the words for spelling suggestions.

    SQLite       the FTS5 table `papers_search` with `papers` as content. `index_new` adds new
                 papers in bulk; triggers handle updates and deletions
    PostgreSQL   the generated column `papers.search` with a GIN index

A trigger for each new paper would take four times as long, because FTS5 flushes after each trigger.
SQLAlchemy cannot describe either index: the statements below create them, here and in a migration.
"""

from typing import Any

from sqlalchemy import Column, Connection, Table, Text, event, inspect

from paperround.db.schema.columns import metadata
from paperround.db.schema.papers import papers

INDEX = "papers_search"
CONFIGURATION = "paperround"

search_words = Table(
    "search_words",
    metadata,
    # The words of titles, as spelling suggestions.
    Column("word", Text, primary_key=True),
    sqlite_with_rowid=False,
)

_OLD = "INSERT INTO papers_search (papers_search, rowid, title, abstract, authors) VALUES ('delete', old.id, old.title, old.abstract, old.authors)"  # noqa: E501 - one statement
_NEW = "INSERT INTO papers_search (rowid, title, abstract, authors) VALUES (new.id, new.title, new.abstract, new.authors)"  # noqa: E501 - one statement
_DIFFERS = " OR ".join(f"old.{name} IS NOT new.{name}" for name in ("title", "abstract", "authors"))

SQLITE_TRIGGERS = (
    f"CREATE TRIGGER IF NOT EXISTS papers_search_delete AFTER DELETE ON papers BEGIN {_OLD}; END",
    (
        "CREATE TRIGGER IF NOT EXISTS papers_search_update"
        f" AFTER UPDATE OF title, abstract, authors ON papers WHEN {_DIFFERS}"
        f" BEGIN {_OLD}; {_NEW}; END"
    ),
)

SQLITE = (
    (
        "CREATE VIRTUAL TABLE papers_search USING fts5 (title, abstract, authors, content='papers',"
        " content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')"
    ),
    *SQLITE_TRIGGERS,
    "INSERT INTO papers_search (papers_search) VALUES ('rebuild')",
)

POSTGRES = (
    # The stemmer of `english` without stop words, so that phrases of stop words can be found.
    "CREATE TEXT SEARCH DICTIONARY paperround (TEMPLATE = pg_catalog.snowball, Language = english)",
    "CREATE TEXT SEARCH CONFIGURATION paperround (COPY = pg_catalog.english)",
    (
        "ALTER TEXT SEARCH CONFIGURATION paperround ALTER MAPPING FOR asciiword, word, numword,"
        " asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH paperround"
    ),
    # Strip accents and punctuation, so that the parser sees words, not file or host names.
    (
        r"CREATE FUNCTION paperround_words(text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql"
        r" RETURN regexp_replace(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g'),"
        r" '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f]+', ' ', 'g')"
    ),
    (
        "CREATE FUNCTION paperround_names(json) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql"
        " RETURN (SELECT string_agg(name, ' ') FROM json_array_elements_text($1) AS one (name))"
    ),
    (
        "ALTER TABLE papers ADD COLUMN search tsvector GENERATED ALWAYS AS ("
        "setweight(to_tsvector('paperround', paperround_words(title)), 'A')"
        " || setweight(to_tsvector('paperround', paperround_words(abstract)), 'B')"
        " || setweight(to_tsvector('paperround',"
        " paperround_words(coalesce(paperround_names(authors), ''))), 'C')) STORED"
    ),
    "CREATE INDEX ix_papers_search ON papers USING gin (search)",
)


def is_declared(name: str | None, kind: str, parents: Any) -> bool:
    """Whether the metadata declares this object; it does not declare the search index."""
    if kind == "table":
        return name is None or not name.startswith(INDEX)
    if kind == "column":
        return (parents.get("table_name"), name) != ("papers", "search")
    return name != "ix_papers_search"


def recreate_triggers(connection: Connection) -> None:
    """Recreate the triggers, which SQLite drops when a migration copies the table."""
    if connection.dialect.name == "sqlite" and inspect(connection).has_table(INDEX):
        for statement in SQLITE_TRIGGERS:
            connection.exec_driver_sql(statement)


@event.listens_for(papers, "after_create")
def _make(_table: Table, connection: Connection, **_: Any) -> None:
    for statement in POSTGRES if connection.dialect.name == "postgresql" else SQLITE:
        connection.exec_driver_sql(statement)
