"""A PostgreSQL server to measure with, which syncs every commit, and the CPU time of its
processes."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from benchmarks.invented import NOW
from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from tests.databases import PostgresServer, postgres_server, run_on

DURABLE = "-c listen_addresses='' -c shared_buffers=256MB -c max_connections=200"
"""All other settings are PostgreSQL's defaults: `fsync` and `synchronous_commit` are on."""

NoServer = pytest.skip.Exception
_numbers = count(1)
_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES, _CHILDREN = 1, slice(11, 13), slice(11, 15)
"""Places in /proc/PID/stat after the command name (proc(5)): the parent; the ticks of the process
itself; and with them those of its children that have ended."""


@contextmanager
def server_to_measure(id_: str) -> Iterator[PostgresServer | None]:
    """Start a server; None if that is impossible, after printing what is not measured."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server(DURABLE))
        except NoServer as reason:
            print(f"{id_} on PostgreSQL is left out: {reason}")
            yield None
            return
        yield server


@contextmanager
def migrated(server: PostgresServer) -> Iterator[str]:
    """The URL of a new database with all tables and the default list."""
    with server.created() as url:
        with engines.opened(url) as engine:
            migrate.upgrade(engine)
            with SqlDatabase(engine).writing() as work:
                work[ListStore].ensure_default(zone="UTC", now=NOW)
        yield url


@contextmanager
def copy_of(server: PostgresServer, url: str) -> Iterator[str]:
    """The URL of a copy of a database, which must have no connections."""
    name = f"paperround_copy_{os.getpid()}_{next(_numbers)}"
    run_on(server.url, f"CREATE DATABASE {name} TEMPLATE {make_url(url).database}")
    try:
        yield make_url(server.url).set(database=name).render_as_string(hide_password=False)
    finally:
        run_on(server.url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def opened(url: str) -> Iterator[SqlDatabase]:
    """The database at `url`."""
    with engines.opened(url) as engine:
        yield SqlDatabase(engine)


def address_of(url: str) -> str:
    """The URL in the form of PostgreSQL's own programs and drivers."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def tidy(url: str) -> None:
    """Vacuum and analyse, as PostgreSQL's autovacuum does after a while."""
    run_on(url, "VACUUM ANALYZE")


def cpu_of_server(url: str) -> float:
    """CPU seconds of all processes of the server since its start, in steps of 10 ms; 0 for a server
    on another machine."""
    with psycopg.connect(address_of(url)) as connection:
        backend = connection.info.backend_pid
        if not _is_postgres(backend):
            return 0.0
        postmaster = int(_stat(backend)[_PARENT])
        ticks = sum(map(int, _stat(postmaster)[_CHILDREN]))
        for process in Path("/proc").glob("[0-9]*"):
            fields = _stat(int(process.name))
            if fields and int(fields[_PARENT]) == postmaster:
                ticks += sum(map(int, fields[_TIMES]))
    return ticks / _TICKS


def log_of_server(url: str) -> float:
    """Bytes of write-ahead log that the server has written since it was created."""
    with psycopg.connect(address_of(url)) as connection:
        asked = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8"
        return float(connection.execute(asked).fetchall()[0][0])


def size_of(url: str) -> float:
    """Bytes of the database at `url`."""
    with psycopg.connect(address_of(url)) as connection:
        asked = "SELECT pg_database_size(current_database())::float8"
        return float(connection.execute(asked).fetchall()[0][0])


def cpu_of(pid: int) -> float:
    """CPU seconds of one process; 0 for one that is gone."""
    fields = _stat(pid)
    return sum(map(int, fields[_TIMES])) / _TICKS if fields else 0.0


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "postgres"
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []
