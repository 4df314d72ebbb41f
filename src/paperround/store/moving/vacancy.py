"""Whether a PostgreSQL database can be moved into: it holds nothing that somebody could miss, and
can hold every text."""

from sqlalchemy import Connection, Engine, Table, func, inspect, select

from paperround.domain.errors import Conflict, InvalidInput, SchemaOutOfDate
from paperround.store import queue_schema, revisions
from paperround.store import schema as db
from paperround.store.schema import metadata

_JOBS = f"SELECT count(*) FROM {queue_schema.THEIRS}jobs"


def require_vacant(engine: Engine, place: str) -> None:
    """Raise Conflict when it holds anything that somebody could miss, InvalidInput when it cannot
    hold every text, and SchemaOutOfDate when it is at another revision. The default list that
    `db upgrade` makes does not count."""
    with engine.connect() as connection:
        _require_unicode(connection, place)
    found = revisions.current(engine)
    with engine.connect() as connection:
        if found is None:
            _require_no_tables(connection, place)
        elif found != revisions.head():
            raise SchemaOutOfDate(
                f"{place} is at revision {found}, this version needs {revisions.head()}: name "
                "an empty database (`createdb`), or run `paperround db upgrade` on it first"
            )
        else:
            require_no_rows(connection, place)


def _require_unicode(connection: Connection, place: str) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise InvalidInput(
            f"{place} holds texts in {encoding}, and titles need UTF8: make it with "
            "`createdb --encoding=UTF8 --template=template0`"
        )


def _require_no_tables(connection: Connection, place: str) -> None:
    there = inspect(connection).get_table_names()
    known = {table.name for table in metadata.sorted_tables}
    taken = sorted(name for name in there if name in known or not queue_schema.is_declared(name))
    if taken:
        raise Conflict(
            f"{place} holds a table {taken[0]} that is not Paperround's: name a database "
            "of its own (`createdb`)"
        )


def require_no_rows(connection: Connection, place: str) -> None:
    """Raise Conflict when it holds anything but the default list and slots, which commands take."""
    tables = (table for table in metadata.sorted_tables if table is not db.slots)
    rows = {table.name: _rows(connection, table) for table in tables}
    rows["lists"] -= min(rows["lists"], 1)
    if inspect(connection).has_table(f"{queue_schema.THEIRS}jobs"):
        rows["the queue"] = connection.exec_driver_sql(_JOBS).scalar_one()
    held = [f"{count:,} in {name}" for name, count in rows.items() if count]
    if held:
        raise Conflict(
            f"{place} is not empty ({', '.join(held[:3])}): a move never overwrites; name "
            "an empty database (`createdb`)"
        )


def _rows(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
