"""Run migrations on the given connection, else on the configured database."""

from alembic import context
from sqlalchemy import Connection

from paperround.config import load_settings
from paperround.db import engine, migrate


def database_url() -> str:
    """Return the URL given as `-x url=...`, else that of Paperround's settings."""
    return context.get_x_argument(as_dictionary=True).get("url") or load_settings().database


def run_on(connection: Connection) -> None:
    """Run the migrations in the current transaction of `connection`."""
    context.configure(connection=connection, **migrate.OPTIONS)
    context.run_migrations()


def main() -> None:
    """Run all pending migrations in one transaction: a kill leaves the old or the new schema."""
    if context.is_offline_mode():
        raise SystemExit("migrations look at the data they move: run them on a database")
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        run_on(given)
        return
    migrate.run_with_lock_retries(engine.create(database_url()), run_on)


main()
