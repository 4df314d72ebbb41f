"""Count commits of anything that public pages show, by triggers."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SHOWN = {
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
NEWS = ("INSERT", "DELETE", "UPDATE")
MANY = {"papers": ("INSERT",), "listings": ("INSERT", "UPDATE"), "observations": ("INSERT",)}
TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'page_changes%'"
COUNTED = [(table, what) for table in SHOWN for what in NEWS if what not in MANY.get(table, ())]

FUNCTION = """CREATE FUNCTION paperround_page_changed() RETURNS trigger LANGUAGE plpgsql
        SET search_path FROM CURRENT AS $$
    BEGIN
        UPDATE page_changes SET changes = changes + 1 WHERE writer = pg_backend_pid();
        IF NOT FOUND THEN
            WITH gone AS (
                DELETE FROM page_changes WHERE writer IN (
                    SELECT writer FROM page_changes
                    WHERE writer NOT IN (SELECT pid FROM pg_stat_activity)
                    FOR UPDATE SKIP LOCKED
                ) RETURNING changes
            )
            INSERT INTO page_changes (writer, changes)
                SELECT pg_backend_pid(), 1 + coalesce(sum(changes), 0) FROM gone;
        END IF;
        RETURN NULL;
    END $$"""


def upgrade() -> None:
    connection = op.get_bind()
    statements = _postgres() if connection.dialect.name == "postgresql" else _sqlite()
    for statement in statements:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in SHOWN:
            connection.exec_driver_sql(f"DROP TRIGGER page_changes_{table} ON {table}")
        connection.exec_driver_sql("DROP FUNCTION paperround_page_changed()")
    else:
        for name in connection.exec_driver_sql(TRIGGERS).scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql("DROP TABLE page_changes")


def _sqlite() -> list[str]:
    return [
        "CREATE TABLE page_changes (writer INTEGER PRIMARY KEY, changes BIGINT NOT NULL)",
        "INSERT INTO page_changes (writer, changes) VALUES (0, 0)",
        *(
            f"CREATE TRIGGER IF NOT EXISTS page_changes_{table}_{what.lower()} AFTER {what}"
            f"{f' OF {SHOWN[table]}' if what == 'UPDATE' and SHOWN[table] else ''} ON {table}"
            " BEGIN UPDATE page_changes SET changes = changes + 1; END"
            for table, what in COUNTED
        ),
    ]


def _postgres() -> list[str]:
    return [
        "CREATE TABLE page_changes (writer integer PRIMARY KEY, changes bigint NOT NULL)",
        FUNCTION,
        *(
            f"CREATE OR REPLACE TRIGGER page_changes_{table} AFTER INSERT OR DELETE OR TRUNCATE"
            f" OR UPDATE{f' OF {columns}' if columns else ''} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION paperround_page_changed()"
            for table, columns in SHOWN.items()
        ),
    ]
