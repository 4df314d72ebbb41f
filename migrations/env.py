"""Runs migrations: on the connection that was handed in, else on the configured database."""

from alembic import context
from sqlalchemy import Connection

from paperround.config import load_settings
from paperround.db import engine, migrate


def database_url() -> str:
    """`-x url=...` when given, else what Paperround's settings say."""
    return context.get_x_argument(as_dictionary=True).get("url") or load_settings().database


def run_on(connection: Connection) -> None:
    """Run the migrations in the transaction that `connection` is in."""
    context.configure(connection=connection, **migrate.OPTIONS)
    context.run_migrations()


def main() -> None:
    """Everything pending is one transaction: a kill leaves the old state or the new one."""
    if context.is_offline_mode():
        raise SystemExit("migrations look at the data they move: run them on a database")
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        run_on(given)
        return
    migrate.run_with_lock_retries(engine.create(database_url()), run_on)


main()
