"""How often anything was committed that public pages show, counted by triggers: whoever writes, in
whatever process, counts with it, in the same transaction.

    SQLite       one row, which the one writer counts up. Of new papers, listings and votes, which
                 come by the thousand, `count_change` counts once for all that are put in together:
                 a trigger runs for each row
    PostgreSQL   a row for each backend that wrote: nobody waits for anybody. The sum tells. One
                 that counts for the first time takes over what those counted that are gone

What a run of sending writes (deliveries, leases, rates, who was sent what) is on no page, and does
not count. Triggers are nothing that SQLAlchemy could describe: they are made by the statements
below, and by the same ones in a migration.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, MetaData, event, inspect

from paperround.store.columns import metadata

TABLE = "page_changes"
COUNT = f"SELECT CAST(coalesce(sum(changes), 0) AS text) FROM {TABLE}"

SHOWN: Mapping[str, str] = {
    "lists": "name, title, zone, cuts",
    "editions": (
        "day, cut, as_of, frozen_at, ranker, state, empty_reason, quiet_reason, sources, cut_at"
    ),
    "edition_papers": "",
    "papers": "",
    "joined_papers": "",
    "paper_versions": "",
    "observations": "",
    "listings": "listed_on",
    "feeds": (
        "name, kind, enabled, next_at, health, progress, last_good_at, last_news_at, expects_at,"
        " gone_at"
    ),
    "rejects": "",
    "models": "",
}
"""What pages are made of: a change of which columns of a table counts; of any where none is named.
An identifier leads elsewhere only when its paper changes, or is joined."""

NEWS = ("INSERT", "DELETE", "UPDATE")

MANY = {"papers": ("INSERT",), "listings": ("INSERT", "UPDATE"), "observations": ("INSERT",)}
"""What SQLite has no trigger for."""


def _sqlite_trigger(table: str, what: str) -> str:
    of = f" OF {SHOWN[table]}" if what == "UPDATE" and SHOWN[table] else ""
    return (
        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_{table}_{what.lower()} AFTER {what}{of} ON {table}"
        f" BEGIN UPDATE {TABLE} SET changes = changes + 1; END"
    )


def _postgres_trigger(table: str) -> str:
    of = f" OF {SHOWN[table]}" if SHOWN[table] else ""
    return (
        f"CREATE OR REPLACE TRIGGER {TABLE}_{table} AFTER INSERT OR DELETE OR TRUNCATE"
        f" OR UPDATE{of} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION paperround_page_changed()"
    )


_COUNTED = tuple(
    (table, what) for table in SHOWN for what in NEWS if what not in MANY.get(table, ())
)
SQLITE_TRIGGERS = tuple(_sqlite_trigger(table, what) for table, what in _COUNTED)

SQLITE = (
    f"CREATE TABLE {TABLE} (writer INTEGER PRIMARY KEY, changes BIGINT NOT NULL)",
    f"INSERT INTO {TABLE} (writer, changes) VALUES (0, 0)",
    *SQLITE_TRIGGERS,
)

POSTGRES = (
    f"CREATE TABLE {TABLE} (writer integer PRIMARY KEY, changes bigint NOT NULL)",
    f"""CREATE FUNCTION paperround_page_changed() RETURNS trigger LANGUAGE plpgsql
        SET search_path FROM CURRENT AS $$
    BEGIN
        UPDATE {TABLE} SET changes = changes + 1 WHERE writer = pg_backend_pid();
        IF NOT FOUND THEN
            WITH gone AS (
                DELETE FROM {TABLE} WHERE writer IN (
                    SELECT writer FROM {TABLE}
                    WHERE writer NOT IN (SELECT pid FROM pg_stat_activity)
                    FOR UPDATE SKIP LOCKED
                ) RETURNING changes
            )
            INSERT INTO {TABLE} (writer, changes)
                SELECT pg_backend_pid(), 1 + coalesce(sum(changes), 0) FROM gone;
        END IF;
        RETURN NULL;
    END $$""",
    *(_postgres_trigger(table) for table in SHOWN),
)


def is_declared(name: str | None) -> bool:
    """Whether the declared tables may speak of this table: of the count they do not."""
    return name != TABLE


def count_change(connection: Connection) -> None:
    """Count what `MANY` names, after it was written. (PostgreSQL's triggers see to it.)"""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"UPDATE {TABLE} SET changes = changes + 1")


def mend(connection: Connection) -> None:
    """Make the triggers again that SQLite drops with a table that is copied to change it."""
    if connection.dialect.name == "sqlite" and inspect(connection).has_table(TABLE):
        for statement in SQLITE_TRIGGERS:
            connection.exec_driver_sql(statement)


def drift(connection: Connection) -> list[str]:
    """The triggers that a database lacks, in words."""
    if connection.dialect.name == "postgresql":
        there = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        wanted = [f"{TABLE}_{table}" for table in SHOWN]
    else:
        there = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        wanted = [f"{TABLE}_{table}_{what.lower()}" for table, what in _COUNTED]
    found = set(connection.exec_driver_sql(there).scalars())
    return [f"the trigger {name} is missing" for name in wanted if name not in found]


@event.listens_for(metadata, "after_create")
def _make(_metadata: MetaData, connection: Connection, **_: Any) -> None:
    for statement in POSTGRES if connection.dialect.name == "postgresql" else SQLITE:
        connection.exec_driver_sql(statement)
