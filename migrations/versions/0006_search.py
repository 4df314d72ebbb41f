"""Add the search index of papers, and fill it with the existing ones."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SHORTEST, LONGEST, CHUNK = 4, 30, 5000

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

SQLITE_GONE = (
    *(f"DROP TRIGGER papers_search_{what}" for what in ("update", "delete")),
    "DROP TABLE papers_search",
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

POSTGRES_GONE = (
    "ALTER TABLE papers DROP COLUMN search",
    "DROP FUNCTION paperround_names(json)",
    "DROP FUNCTION paperround_words(text)",
    "DROP TEXT SEARCH CONFIGURATION paperround",
    "DROP TEXT SEARCH DICTIONARY paperround",
)


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_search_words"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    make = POSTGRES if connection.dialect.name == "postgresql" else SQLITE
    for statement in make:
        connection.exec_driver_sql(statement)
    _fill_words(connection)


def downgrade() -> None:
    connection = op.get_bind()
    gone = POSTGRES_GONE if connection.dialect.name == "postgresql" else SQLITE_GONE
    for statement in gone:
        connection.exec_driver_sql(statement)
    op.drop_table("search_words")


def _fill_words(connection: sa.Connection) -> None:
    """Store the words of existing titles, for spelling suggestions."""
    papers = sa.table("papers", sa.column("id"), sa.column("title"))
    words = sa.table("search_words", sa.column("word"))
    titles = connection.execute(sa.select(papers.c.title)).scalars()
    known = sorted({word for title in titles for word in _words(title)})
    for start in range(0, len(known), CHUNK):
        rows = [{"word": word} for word in known[start : start + CHUNK]]
        connection.execute(sa.insert(words), rows)


def _words(title: str) -> list[str]:
    found = re.findall(r"[^\W\d_]+", title.lower())
    return [word for word in found if SHORTEST <= len(word) <= LONGEST]
