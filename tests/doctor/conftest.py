"""An installation that is well, for tests to hurt in one place."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.doctor.examination import examine
from paperround.doctor.findings import Finding, Level
from paperround.feeds.model import FeedHealth, LiveFeed, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.tick import SCHEDULER
from tests.builders import HOUR, NOW, seed_edition, seed_list, seed_papers
from tests.databases import sqlite_template
from tests.fakes import FakeClient, FakeResolver
from tests.faults import SmtpSink
from tests.http.faults import FaultServer, page, says

__all__ = ["sqlite_template"]

SECRET = "a secret that is only used by these tests"
ALIVE = says(page(b'{"status": "alive"}'))


@dataclass
class Home:
    """An installation. What `changes` says of its settings is planted."""

    folder: Path
    settings: Mapping[str, Any]
    runtimes: list[AppContext] = field(default_factory=list)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    client: FakeClient = field(default_factory=lambda: FakeClient(NOW))

    def runtime(self, **changes: object) -> AppContext:
        made = AppContext(Settings(**{**self.settings, **changes}), FixedClock(NOW))
        vars(made).update(resolver=self.resolver, client=self.client)
        self.runtimes.append(made)
        return made

    @property
    def database(self) -> SqlDatabase:
        made = self.runtimes[0].database
        assert isinstance(made, SqlDatabase)
        return made

    def sql(self, statement: str) -> None:
        """Change the file by hand, as nobody should."""
        with closing(sqlite3.connect(self.folder / "data" / "paperround.db")) as connection:
            connection.execute(statement)
            connection.commit()

    def examine(self, **changes: object) -> list[Finding]:
        return examine(self.runtime(**changes), now=NOW)

    def faults(self, **changes: object) -> dict[str, Finding]:
        """What the doctor objects to, by the name of the check."""
        bad = (Level.WARN, Level.FAIL)
        return {one.check: one for one in self.examine(**changes) if one.level in bad}


@pytest.fixture
def relay() -> Iterator[SmtpSink]:
    """A relay on this machine that takes everything."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def site() -> Iterator[FaultServer]:
    """A site that answers as ours does."""
    with FaultServer({"/": says(page(b"a page")), "/healthz": ALIVE}) as server:
        yield server


@pytest.fixture
def home(
    tmp_path: Path,
    sqlite_template: Path,
    relay: SmtpSink,
    site: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Home]:
    """An installation with a feed, an edition, a tick a minute ago, a site and a relay."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(sqlite_template, tmp_path / "data" / "paperround.db")
    settings = {
        "data_dir": tmp_path / "data",
        "public_url": site.url().rstrip("/"),
        "secret_key": SECRET,
        "smtp_url": relay.url,
        "mail_from": "Papers <papers@mail.example.org>",
        "contact": "ada@mail.example.org",
    }
    made = Home(tmp_path, settings)
    made.runtime()
    _fill(made.database)
    yield made
    for runtime in made.runtimes:
        if "database" in vars(runtime):
            runtime.database.close()


def _fill(database: SqlDatabase) -> None:
    seed_edition(database, seed_list(database), seed_papers(database, 3))
    with database.writing() as work:
        feed = work[FeedStore].create(NewFeed(name="arxiv", kind="arxiv"), now=NOW)
        work[FeedStore].record_poll(polled(feed, FeedHealth.FRESH))
        work[SlotStore].beat(SCHEDULER, now=NOW - timedelta(minutes=1))


def polled(feed: LiveFeed, health: FeedHealth, reason: str = "3 new") -> LiveFeed:
    """The feed after a poll."""
    is_failed = health is FeedHealth.FAILED
    return replace(
        feed,
        health=health,
        reason=reason,
        failures=int(is_failed),
        next_at=NOW + HOUR,
        last_good_at=feed.last_good_at if is_failed else NOW,
    )
