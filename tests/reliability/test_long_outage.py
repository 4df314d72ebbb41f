"""PostgreSQL cannot be reached for longer than a sender waits for it; nobody restarts Paperround.

The process has heard what the relay said of the mails that were at their dots. Once the line is
back it writes that down, sends the rest, and nothing is in doubt.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from paperround.db.transactions import RETRY_WAITS
from tests.databases import PostgresServer
from tests.reliability.accounts import require_balance_at
from tests.reliability.bad_lines import server_of, through
from tests.reliability.fleet import EXPECTED, home_in, surprises
from tests.reliability.installation import SETTINGS, durable_server, prepare
from tests.reliability.mindful import MindfulSink
from tests.reliability.proxy import Proxy
from tests.reliability.restarts import is_over, served
from tests.story.command_line import CLOCK
from tests.story.serving import free_port
from tests.waiting import until

READERS = 40
OUTAGE = sum(RETRY_WAITS) + 15
"""Seconds: by then the longest wait is over, and so are some runs that found nobody."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with durable_server() as found:
        yield found


@pytest.mark.long
@pytest.mark.accept("R2", part="a long outage")
def test_a_site_that_outlives_a_long_outage_has_no_mail_in_doubt(
    server: PostgresServer, tmp_path: Path
) -> None:
    port, log, is_away = free_port(), tmp_path / "log", Event()
    with server.created() as url, Proxy(server_of(url)) as line:

        def goes_away() -> None:
            line.pull_the_plug()
            is_away.set()

        with MindfulSink("dot", goes_away) as sink:
            prepare(url, tmp_path / "data", readers=READERS, now=CLOCK.now())
            reached = {
                "DATABASE_URL": through(line, url),
                "SMTP_URL": sink.url,
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
            }
            with served(home_in(tmp_path, SETTINGS | reached), port, log) as process:
                until(is_away.is_set, process=process)
                Event().wait(OUTAGE)
                before = len(sink.messages)
                line.plug_in()
                until(lambda: is_over(url, READERS), process=process)
            taken = Counter(one.message_id for one in sink.messages)
        assert 0 < before < READERS
        require_balance_at(url, planned=READERS, taken=taken, in_doubt=0)
    assert all(error in EXPECTED for error in surprises(log.read_text()))
