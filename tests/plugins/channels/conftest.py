"""A list with papers, channels that lead to a server of this machine, on each database."""

from collections.abc import Iterator

import pytest

from paperround.db.transactions import SqlDatabase
from tests.plugins.channels.services import Services, services
from tests.sample_database import fill, record


@pytest.fixture
def made() -> Iterator[Services]:
    """The services that are posted to."""
    with services() as found:
        yield found


@pytest.fixture
def papers(database: SqlDatabase) -> SqlDatabase:
    """A database with three papers."""
    fill(database, [record(n) for n in range(1, 4)])
    return database
