"""A database's whole schema as lines that can be compared: constraints, indexes, triggers."""

from sqlalchemy import Connection, Engine

from paperround.db.schema.tables import RETIRED

_POSTGRES = (
    """SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
              || coalesce(column_default, '')
       FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
)

_FUNCTIONS = (
    "SELECT oid::regprocedure || ' ' || md5(regexp_replace(prosrc, '\\s+', '', 'g')) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace"
)
_NOT_OURS = ("alembic_version", "procrastinate_", "queue_migrations", *RETIRED)


def described(engine: Engine) -> list[str]:
    """One line for every column, constraint, index and trigger, sorted; the tool's own table, those
    of the queue and retired ones left out."""
    with engine.connect() as connection:
        lines = (
            _postgres(connection) if engine.dialect.name == "postgresql" else _sqlite(connection)
        )
    return sorted(line for line in lines if not any(name in line for name in _NOT_OURS))


def described_queue(engine: Engine) -> list[str]:
    """The same of the queue's tables alone, with its functions; only on PostgreSQL."""
    with engine.connect() as connection:
        functions = connection.exec_driver_sql(_FUNCTIONS).scalars()
        lines = {*_postgres(connection), *functions}
    return sorted(line for line in lines if "procrastinate_" in line)


def _postgres(connection: Connection) -> list[str]:
    return [str(row[0]) for query in _POSTGRES for row in connection.exec_driver_sql(query)]


def _sqlite(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return [
        f"{name}: {part}"
        for name, sql in found
        for part in _parts(sql)
        if name != "sqlite_sequence"  # SQLite's own, which stays once there was a number to keep
    ]


def _parts(sql: str) -> list[str]:
    """What a statement says: before, within (a part for each comma) and after its brackets.

    Spaces and the quotes around a name say nothing: they tell only whether a table was made at
    once, got a column later, or was copied to change it.
    """
    depth, marked = 0, []
    for letter in sql.replace('"', ""):
        depth += (letter == "(") - (letter == ")")
        outer = (depth, letter) in ((1, "("), (1, ","), (0, ")"))
        marked.append("\n" if outer else " " if letter.isspace() else letter)
    return [" ".join(part.split()) for part in "".join(marked).split("\n")]
