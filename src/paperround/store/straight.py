"""Statements that go straight to the driver: the few that every mail goes through.

SQLAlchemy makes a context, a result and its events for each statement, which costs several times
what a short one does. Errors are those that it would raise.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Parameters = Any
"""As the driver takes them: a tuple or a mapping."""


def run(connection: Connection, statement: str, parameters: Parameters = ()) -> list[Any]:
    """Run `statement` and return its rows as the driver gives them."""
    if _is_listened_to(connection):
        found = connection.exec_driver_sql(statement, parameters)
        rows: list[Any] = list(found) if found.returns_rows else []
        return rows
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, statement, error) from error
    finally:
        cursor.close()


def run_many(connection: Connection, statement: str, rows: Sequence[Parameters]) -> int:
    """Run `statement` for each of `rows`; returns how many rows it changed in all."""
    if _is_listened_to(connection):
        return connection.exec_driver_sql(statement, list(rows)).rowcount
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, statement, error) from error
    finally:
        cursor.close()


def _is_listened_to(connection: Connection) -> bool:
    """Whether somebody wants to know of each statement: then it has to pass by SQLAlchemy."""
    return bool(connection.dispatch.before_cursor_execute)


def _named(connection: Connection, statement: str, error: Any) -> Any:
    """The driver's error as SQLAlchemy names it. A connection that is gone is not used again."""
    dialect, driver = connection.dialect, connection.connection.dbapi_connection
    is_lost = dialect.is_disconnect(error, driver, None)
    named: Any = DBAPIError.instance(
        statement,
        None,  # they hold addresses, and errors end up in logs
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    if is_lost:
        connection.invalidate(error)
    return named
