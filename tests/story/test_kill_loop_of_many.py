"""Three senders share one PostgreSQL; they and the server are killed over and over."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import make_url

from tests.databases import PostgresServer, postgres_server
from tests.reliability.accounts import require_balance_at
from tests.story.crowd import Crowd
from tests.story.killing import KillingSink, journalled, planned_home
from tests.story.many import NAMED

DURABLE = (
    "-c listen_addresses='' -c max_connections=60 -c shared_buffers=32MB"
    " -c synchronous_commit=on -c fsync=on"
)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own, which keeps its promises when it is killed."""
    with postgres_server(DURABLE) as found:
        if found.crash is None:
            pytest.skip("the PostgreSQL that TEST_DATABASE_URL names is not ours to kill")
        yield found


def survive(
    server: PostgresServer, folder: Path, *, readers: int, kills: int, crashes: int
) -> Crowd:
    """Deliver to all readers through everything; the books balance at the end."""
    journal = folder / "journal"
    assert server.crash is not None
    with server.created() as url, KillingSink(journal=journal, holds=True) as sink:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        settings = {**NAMED, "SMTP_URL": sink.url, "DATABASE_URL": address}
        home = planned_home(folder, settings, readers)
        chance = Random(20260305)  # noqa: S311 - the same aims every time
        crowd = Crowd(home, sink, server.crash, chance)
        crowd.run(kills=kills, crashes=crashes)
        taken, in_doubt = journalled(journal), crowd.most_in_doubt
        require_balance_at(address, planned=readers, taken=taken, in_doubt=in_doubt)
    totals = crowd.totals
    assert totals["sent"] + totals["unknown"] == readers
    assert totals["unknown"] <= in_doubt
    assert crowd.ends["killed"] >= kills
    assert crowd.ends["crash"] == crashes
    return crowd


@pytest.mark.accept("R4", part="short")
@pytest.mark.accept("R2", part="many senders")
def test_a_few_kills_of_three_senders_and_a_crash_of_their_server_lose_and_double_nothing(
    server: PostgresServer, tmp_path: Path
) -> None:
    survive(server, tmp_path, readers=300, kills=3, crashes=1)


@pytest.mark.long
@pytest.mark.accept("R4")
def test_two_hundred_kills_of_three_senders_and_forty_crashes_lose_and_double_nothing(
    server: PostgresServer, tmp_path: Path
) -> None:
    crowd = survive(server, tmp_path, readers=8000, kills=200, crashes=40)
    assert crowd.ends["lost the database"] >= 20
