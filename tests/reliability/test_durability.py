"""The doctor says so when PostgreSQL may forget what it has committed."""

from collections.abc import Iterator

import pytest

from paperround.db import engine as engines
from paperround.db import migrate
from paperround.db.checks import DURABLE
from paperround.doctor.database_check import check_durability, check_integrity
from paperround.doctor.findings import Finding, Level
from tests.databases import PostgresServer, run_on


@pytest.fixture
def fresh_url(postgres: PostgresServer) -> Iterator[str]:
    """A database on the server of the tests, which is fast and forgetful."""
    with postgres.created() as url:
        with engines.opened(url) as engine:
            migrate.upgrade(engine)
        yield url


def said_of(url: str) -> Finding:
    findings, _ = check_integrity(url)
    (found,) = [one for one in findings if one.check == "durability"]
    return found


@pytest.mark.accept("O6", part="a forgetful PostgreSQL")
def test_a_server_that_forgets_is_named_with_its_settings(fresh_url: str) -> None:
    found = said_of(fresh_url)
    assert found.level is Level.FAIL
    for name in DURABLE:
        assert f"{name}=off" in found.says
        assert f"SET {name} = on" in found.way_out


@pytest.mark.accept("O6", part="a forgetful PostgreSQL")
def test_what_counts_is_what_our_own_connections_get(fresh_url: str) -> None:
    name = fresh_url.rpartition("/")[2].partition("?")[0]
    run_on(fresh_url, f"ALTER DATABASE {name} SET synchronous_commit = on")
    found = said_of(fresh_url)
    assert "synchronous_commit" not in found.says
    assert "fsync=off" in found.says


def test_commits_that_may_be_forgotten_warn_and_the_others_are_well() -> None:
    found = check_durability({"synchronous_commit": "off"})
    assert found.level is Level.WARN
    assert "twice" in found.says
    assert check_durability({}).level is Level.OK


def test_sqlite_is_opened_so_that_it_forgets_nothing(database_file: object) -> None:
    assert said_of(f"sqlite:///{database_file}").level is Level.OK


def test_a_server_that_a_line_has_cut_off_is_given_up(postgres_url: str) -> None:
    """By the socket's own options, but for those that the URL sets."""
    with engines.opened(postgres_url) as engine, engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        known = driver.info.get_parameters()
    assert (known["connect_timeout"], known["tcp_user_timeout"]) == ("5", "25000")
    assert (known["keepalives_idle"], known["keepalives_count"]) == ("10", "3")
    slower = engines.create(f"{postgres_url}&connect_timeout=20")
    with slower.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["connect_timeout"] == "20"
    slower.dispose()
