"""Migrating back, which no command of Paperround does."""

from alembic import command
from sqlalchemy import Connection, Engine

from paperround.db.migrate import alembic_config, run_with_lock_retries
from paperround.db.schema import queue


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate back to `revision`; `base` is an empty database."""

    def run(connection: Connection) -> None:
        command.downgrade(alembic_config(connection), revision)
        if revision == "base":
            queue.remove(connection)

    run_with_lock_retries(engine, run)
