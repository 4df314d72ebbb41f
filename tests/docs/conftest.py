"""The installation that the requests of the documentation are sent to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.editions import EditionStore
from tests.builders import HOUR, NOW, new_edition, paper, seed_list
from tests.databases import sqlite_template
from tests.docs.curl import exported
from tests.docs.pages import blocks_in
from tests.sample_database import subscribe
from tests.web.admin import key_for
from tests.web.conftest import Site, running, settings, sql
from tests.web.papers import keep

__all__ = ["settings", "sqlite_template"]

HELD = date(2026, 1, 30)
BEFORE = datetime(2026, 1, 30, tzinfo=UTC)
READERS = ("ada", *(f"reader{number}" for number in range(2, 18)))


@dataclass(frozen=True)
class Documented:
    """The site, and what the variables of the documentation stand for."""

    site: Site
    client: TestClient
    variables: dict[str, str]


@pytest.fixture
def documented(settings: Settings) -> Iterator[Documented]:
    """The site of the examples: two editions, of which one is held, and readers up to number 17."""
    [told] = [one for one in blocks_in("sh") if one.text.startswith("export SITE=")]
    variables = exported(told.text)
    public = settings.model_copy(update={"public_url": variables["SITE"]})
    with running(public) as site:
        mailing_list = seed_list(site.runtime.database)
        dense = paper(1, title="Dense retrieval")
        old = paper(2, identifiers={"arxiv": "2601.00001"}, listed_on=HELD, counts_from=BEFORE)
        papers = keep(site, dense, old)
        today = new_edition(mailing_list, papers[:1], cut="3")
        waiting = new_edition(mailing_list, papers[::-1], day=HELD, cut="1")
        with site.runtime.database.writing() as work:
            work[EditionStore].freeze(today)
            work[EditionStore].freeze(replace(waiting, held_until=NOW + HOUR))
        subscribe(SqlDatabase(sql(site.runtime)), *READERS)
        variables["KEY"] = key_for(site.runtime, *Scope)
        client = TestClient(site.app, base_url=variables["SITE"], raise_server_exceptions=False)
        yield Documented(site, client, variables)
