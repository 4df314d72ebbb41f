"""An export on its way over a socket: it begins before it is whole, and one that breaks is never
taken for a whole one."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from threading import Event
from typing import Any

import pytest

from paperround.access.model import Scope
from paperround.core.errors import DatabaseFailed
from paperround.db.schema.tables import feeds
from paperround.delivery.store.erasure import Erasure
from paperround.feeds.files import FEEDS as AT_ONCE
from paperround.feeds.formats.xml import NotWellFormed
from paperround.feeds.model import LiveFeed
from paperround.feeds.opml import read_opml
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId
from paperround.web import templates
from tests.web.admin import FEEDS, bearer, feed_body, key_for, program
from tests.web.conftest import PUBLIC_URL, Site, sql
from tests.web.serving import served

MANY = 2 * AT_ONCE + 1
EXPORT = f"{FEEDS}/export"
HOST = PUBLIC_URL.removeprefix("https://")
PATIENCE = 20
"""Seconds after which a test gives up on an answer that does not come."""

READERS: Mapping[str, Callable[[bytes], object]] = {"json": json.loads, "opml": read_opml}


@pytest.fixture
def key(site: Site) -> str:
    """The key of somebody who may read the feeds, of which there are three pages."""
    key = key_for(site.runtime, Scope.FEEDS_WRITE)
    program(site.app, key).post(FEEDS, json=feed_body("feed-0"))
    with sql(site.runtime).begin() as connection:
        row = dict(connection.execute(feeds.select()).mappings().one())
        del row["id"]
        rows = [{**row, "name": f"feed-{number}"} for number in range(1, MANY)]
        connection.execute(feeds.insert(), rows)
    return key


@contextmanager
def asked(
    site: Site, method: str, path: str, body: str | None = None, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """The answer of a real server, its head read."""
    with served(site.app) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        with closing(connection):
            connection.request(method, path, body, {"Host": HOST, **headers})
            yield connection.getresponse()


def exported(site: Site, key: str, form: str) -> AbstractContextManager[http.client.HTTPResponse]:
    return asked(site, "GET", f"{EXPORT}?format={form}", **bearer(key))


def breaking(monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Have the database go away when that page of the feeds is read."""
    read, pages = FeedStore.page, iter(range(MANY))

    def broken(self: FeedStore, after: FeedId, *, limit: int) -> list[LiveFeed]:
        if next(pages) == page:
            raise DatabaseFailed("it went away")
        return read(self, after, limit=limit)

    monkeypatch.setattr(FeedStore, "page", broken)


@pytest.mark.accept("A9", part="on a socket")
def test_an_export_begins_before_its_end_is_read(
    site: Site, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, has_begun = FeedStore.page, Event()

    def waited_for(self: FeedStore, after: FeedId, *, limit: int) -> list[LiveFeed]:
        if after:  # no page but the first before something of it has arrived
            assert has_begun.wait(PATIENCE)
        return read(self, after, limit=limit)

    monkeypatch.setattr(FeedStore, "page", waited_for)
    with exported(site, key, "json") as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        beginning = answer.read(1)
        has_begun.set()
        whole = json.loads(beginning + answer.read())
    assert [one["name"] for one in whole["feeds"]] == [f"feed-{number}" for number in range(MANY)]


@pytest.mark.accept("A9", part="broken off")
@pytest.mark.parametrize("form", ["json", "opml"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_export_that_fails_late_is_broken_off_and_reads_as_no_file(
    site: Site, key: str, monkeypatch: pytest.MonkeyPatch, form: str, page: int
) -> None:
    breaking(monkeypatch, page)
    with exported(site, key, form) as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    assert b"feed-0" in broken.value.partial
    assert f'feed-{page * AT_ONCE}"'.encode() not in broken.value.partial
    with pytest.raises((json.JSONDecodeError, NotWellFormed)):
        READERS[form](broken.value.partial)


@pytest.mark.accept("A9", part="broken off")
def test_what_is_kept_of_a_person_is_broken_off_when_it_fails_late(
    site: Site, choices_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, tables = Erasure.kept_about, iter(range(MANY))

    def broken(self: Erasure, *about: Any, limit: int) -> Any:
        if next(tables) == 1:
            raise DatabaseFailed("it went away")
        return read(self, *about, limit=limit)

    monkeypatch.setattr(Erasure, "kept_about", broken)
    monkeypatch.setattr(templates, "CHUNK_SIZE", 1)  # nobody has more than one chunk
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/preferences/{choices_token}"
    with asked(site, "POST", path, "action=export", **kind) as answer:
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead) as broken_off:
            answer.read()
    assert b"alice@mail.example" in broken_off.value.partial
