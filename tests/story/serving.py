"""A whole installation on the loopback interface: its site, its jobs, its outbox.

Its clock is set by hand, so that a form is as old as a test wants it; its jobs run in their own
threads, as always.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

from paperround.bootstrap import AppContext
from paperround.cli.server import server
from paperround.config import Settings
from paperround.db.schema.tables import metadata
from paperround.db.transactions import SqlDatabase
from paperround.digests.publish import freeze_cuts
from paperround.feeds.ingest import ingest
from paperround.papers.model import ParsedBatch, Record
from paperround.plugins.demo.samples import FEED, batch_at
from paperround.web.app import create_app
from tests.builders import HOUR, NOW
from tests.waiting import until
from tests.web.conftest import HandClock, sql

T = TypeVar("T")
Row = tuple[object, ...]


def free_port() -> int:
    """One that nothing listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass(frozen=True)
class Served:
    """A running installation, and all that a test looks at beside its pages."""

    url: str
    home: AppContext
    clock: HandClock

    def mails(self) -> list[EmailMessage]:
        """What stands in the outbox, as the bytes that were sent, oldest first."""
        files = (self.home.settings.data_dir / "outbox").glob("[!.]*.eml")
        by_age = sorted(files, key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in by_age]

    def mail(self, subject: str) -> EmailMessage:
        """The newest mail whose subject begins so, once there is one."""
        return self._newest(lambda one: str(one["Subject"]).startswith(subject))

    def digest(self) -> EmailMessage:
        """The newest digest, once there is one: of all mails, digests alone belong to a list."""
        return self._newest(lambda one: "List-Id" in one)

    def _newest(self, is_wanted: Callable[[EmailMessage], bool]) -> EmailMessage:
        def look() -> EmailMessage | None:
            found = list(filter(is_wanted, self.mails()))
            return found[-1] if found else None

        return until(look)

    def rest(self) -> None:
        """Let jobs that run come to their end, and start none any more."""
        assert self.home.queue.stop(drain_seconds=10)

    def dump(self) -> dict[str, list[Row]]:
        """Every row of every table, for comparing."""
        with sql(self.home).connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(table.select())]
                for table in metadata.sorted_tables
            }


@contextmanager
def serving(
    folder: Path, records: Sequence[Record] | None = None, *, rate_search_ip: str = "300/m"
) -> Iterator[Served]:
    """An installation in `folder` with today's edition of `records`, by default of the samples."""
    with listening() as (door, url):
        settings = Settings(
            data_dir=folder, public_url=url, rate_signup_ip="off", rate_search_ip=rate_search_ip
        )
        clock = HandClock()
        home = AppContext(settings, clock, demo=True)
        _publish(home, records)
        with served(home, clock, door) as site:
            yield site


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        host, port = door.getsockname()
        yield door, f"http://{host}:{port}"


@contextmanager
def served(home: AppContext, clock: HandClock, door: socket.socket) -> Iterator[Served]:
    """An installation whose site answers at `door`, and whose jobs run."""
    running = server(create_app(home), host="127.0.0.1", port=door.getsockname()[1])
    thread = threading.Thread(target=running.run, kwargs={"sockets": [door]})
    thread.start()
    home.queue.start()
    try:
        yield Served(home.settings.public_url, home, clock)
    finally:
        running.should_exit = True
        thread.join(timeout=30)
        home.queue.stop(drain_seconds=10)
        assert isinstance(home.database, SqlDatabase)
        home.database.close()


def _publish(home: AppContext, records: Sequence[Record] | None) -> None:
    """Ingest the papers and freeze today's edition of them."""
    samples = batch_at(anchor=NOW, now=NOW)
    ingest(
        samples if records is None else ParsedBatch(records=tuple(records)),
        database=home.database,
        feed_name=FEED,
        feed_kind=FEED,
        source="a test",
        captured_at=NOW,
        now=NOW - HOUR,
    )
    [edition] = freeze_cuts(database=home.database, ranker=home.ranker, now=NOW)
    assert edition.papers
