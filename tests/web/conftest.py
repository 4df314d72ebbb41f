"""A site on an empty database, with a clock that is set by hand and nobody on the network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.tokens import Purpose
from paperround.db.schema.tables import metadata, signup_requests
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.plan import plan_due
from paperround.editions.model import DigestKind, Edition
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.app import create_app
from tests.builders import NOW, address, seed_subscribers
from tests.databases import sqlite_template
from tests.routes_once import RoutesOnce
from tests.web.published import Published

__all__ = ["sqlite_template"]

RoutesOnce().start()

PUBLIC_URL = "https://papers.example"


@dataclass
class HandClock:
    """Stands still until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Site:
    """The application and all that a test looks at beside it."""

    app: FastAPI
    runtime: AppContext
    clock: HandClock
    client: TestClient

    def stamp(self) -> str:
        """The stamp of a form that was opened two seconds before."""
        page = self.client.get("/").text
        self.clock.move(seconds=2)
        return page.partition('name="stamp" value="')[2].partition('"')[0]

    def ask(self, email: str = "ada@mail.example", **fields: str) -> str:
        """Send the form as a person would; returns the page."""
        answer = self.client.post(
            "/subscribe", data={"email": email, "stamp": self.stamp(), **fields}
        )
        assert answer.status_code == 200, answer.text
        self.work()
        return answer.text

    def work(self) -> None:
        """Work on what was asked, as a running site does at once."""
        with self.runtime.requests_first():
            pass

    def notice_token(self, name: str, kind: SystemMailKind, purpose: Purpose) -> str:
        """The token of the latest notice of a kind that was written to somebody."""
        self.work()
        with self.runtime.database.reading() as work:
            person = work[SubscriberStore].find(address(name))
            assert person is not None
            notice = work[NoticeLedger].latest(person.id, kind)
        assert notice is not None
        return self.runtime.signup_context.keys.token(purpose, notice.id, notice.nonce)

    def due(self, name: str) -> datetime:
        """From when on what somebody asked for is worked on."""
        column = signup_requests.c
        query = select(column.due_at).where(column.folded == address(name).folded)
        with sql(self.runtime).connect() as connection:
            due_at: datetime = connection.execute(query).scalar_one()
        return due_at

    def dump(self) -> dict[str, list[object]]:
        """Every row of every table, for comparing."""
        with sql(self.runtime).connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(table.select())]
                for table in metadata.sorted_tables
            }


def sql(runtime: AppContext) -> Engine:
    """The engine under the runtime's database."""
    assert isinstance(runtime.database, SqlDatabase)
    return runtime.database._engine


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """An installation behind https, without limits that tests would run into."""
    shutil.copy(sqlite_template, tmp_path / "paperround.db")
    return Settings(
        data_dir=tmp_path,
        public_url=PUBLIC_URL,
        secret_key="a secret that is only used by these tests",
        rate_signup_ip="off",
        rate_signup_net="off",
    )


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """The site, not started: nothing ticks, nothing is sent."""
    with running(settings) as one:
        yield one


@contextmanager
def running(settings: Settings, *, demo: bool = False, cache_seconds: float = 0) -> Iterator[Site]:
    """The site of an installation with these settings; by default it caches no page."""
    clock = HandClock()
    runtime = AppContext(settings, clock, demo=demo)
    app = create_app(runtime, cache_seconds=cache_seconds)
    with TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False) as client:
        yield Site(app=app, runtime=runtime, clock=clock, client=client)
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture(scope="session")
def sample_editions(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Databases with an edition, to copy."""
    return Published(tmp_path_factory.mktemp("editions"))


@pytest.fixture
def edition(site: Site, sample_editions: Published) -> Edition:
    """Today's edition of the sample papers, frozen at its last cut."""
    return sample_editions.publish(site.runtime, sql(site.runtime))


@pytest.fixture
def digest_token(site: Site, edition: Edition) -> str:
    """The token of a digest that is planned for Alice."""
    database = site.runtime.database
    with database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    [subscription] = seed_subscribers(database, mailing_list, ("alice",))
    with database.writing() as work:
        work[SubscriberStore].schedule({subscription.id: NOW - timedelta(minutes=1)})
    plan_due(
        database=database,
        identity=site.runtime.identity,
        hours=site.runtime.tick_context.hours,
        now=NOW,
    )
    with database.reading() as work:
        row = work[Ledger].find(
            mailing_list.id, subscription.subscriber_id, DigestKind.DIGEST, NOW.date()
        )
    assert row is not None
    assert row.positions
    return site.runtime.signup_context.keys.token(Purpose.UNSUBSCRIBE, row.row, row.nonce)


@pytest.fixture
def choices_token(site: Site, digest_token: str) -> str:
    """The token of a link to her choices that Alice was mailed just now."""
    site.client.post(f"/preferences/{digest_token}", data={"action": "link"})
    return site.notice_token("alice", SystemMailKind.PREFERENCES, Purpose.PREFERENCES)


@pytest.fixture
def limited_site(settings: Settings) -> Iterator[Site]:
    """A site that takes six requests from one client, and three from one without a form of ours."""
    with running(settings.model_copy(update={"rate_signup_ip": "6/10m"})) as one:
        yield one


@pytest.fixture
def crowded_site(settings: Settings) -> Iterator[Site]:
    """A site that thinks that one sign-up is a crowd."""
    with running(settings.model_copy(update={"rate_signup_total": "1/h"})) as one:
        yield one
