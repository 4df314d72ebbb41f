"""Listings come in pages, and what is longer is written while it is read: whoever asks for
everything takes no more memory than whoever asks for a little."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.core.errors import DatabaseFailed
from paperround.db.schema.tables import feeds
from paperround.delivery.store.erasure import Erasure
from paperround.editions.model import Edition
from paperround.feeds.files import FEEDS as AT_ONCE
from paperround.feeds.model import LiveFeed
from paperround.feeds.opml import read_opml
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId
from paperround.self_service.erasure import ROWS_PER_PAGE as ROWS_AT_ONCE
from paperround.web.openapi import REFERENCE
from paperround.web.paging import MAX_LIMIT
from tests.web.admin import FEEDS, feed_body, fields_of, key_for, program
from tests.web.conftest import Site, sql

MANY = 1_201
EXPORT = f"{FEEDS}/export"

BOUNDED = {
    "/api/papers/{name}": "the authors of one paper",
    "/api/v1/editions/{list_name}/{day}": "one edition: as many papers as its list says",
    "/api/v1/editions/{list_name}/{day}/{cut}": "one edition",
    "/api/v1/admin/editions/{name}/{date}/{cut}": "one edition",
    "/api/v1/admin/lists/{name}/why": "a few sentences",
    "/api/v1/admin/lists/{name}/missed": "a count for each reason",
    "/api/v1/admin/stats": "figures of 90 days at most",
    "/api/v1/admin/subscribers/{subscriber_id}": "the choices of one person",
    "/api/v1/admin/subscribers/{subscriber_id}/export": "what is kept of one person",
}
"""Answers that hold rows and no pages, with what there are so few of. Name another only when it
cannot grow with the installation."""

STREAMED = {EXPORT: "feeds"}
"""Exports: everything at once, and never all of it in memory."""


# --- every route of the file -------------------------------------------------------------------


def listings(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, operation) of every GET whose answer holds rows."""
    for path, methods in schema["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {})
        content = answer.get("content", {}).get("application/json")
        if content is not None and _holds_rows(content["schema"], schema["components"]["schemas"]):
            yield path, methods["get"]


def _holds_rows(said: Mapping[str, Any], models: Mapping[str, Any]) -> bool:
    """Whether an answer is a list of objects, or holds one; what it is not said of may be one."""
    model = _model(said, models)
    if not model.get("properties"):
        return not _is_plain(model)
    lists = (one for one in model["properties"].values() if one.get("type") == "array")
    return any("$ref" in one["items"] for one in lists)


def _is_plain(model: Mapping[str, Any]) -> bool:
    return model.get("type") in {"string", "integer", "number", "boolean"}


def _model(said: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = models.get(said.get("$ref", "").removeprefix(REFERENCE), said)
    return found


def _parameters(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["schema"] for one in operation.get("parameters", ())}


@pytest.mark.accept("A9")
def test_every_listing_has_a_bound_and_one_that_is_added_needs_one(site: Site) -> None:
    found = dict(listings(site.app.openapi()))
    assert {"/api/v1/papers", "/api/v1/lists", f"{FEEDS}/{{feed_id}}/runs", EXPORT} <= set(found)
    assert found.keys() >= BOUNDED.keys() | STREAMED.keys()
    for path, operation in found.items():
        if path not in BOUNDED.keys() | STREAMED.keys():
            limit = _parameters(operation).get("limit", {})
            assert limit.get("maximum", MAX_LIMIT + 1) <= MAX_LIMIT, f"{path} has no bound"
            assert limit.get("minimum") == 1, path


@pytest.mark.slow
@pytest.mark.accept("A9")
def test_every_listing_refuses_a_larger_page(site: Site, edition: Edition) -> None:
    admin = program(site.app, key_for(site.runtime, *Scope))
    feed = admin.post(FEEDS, json=feed_body()).json()["id"]
    for path, operation in listings(site.app.openapi()):
        if path in BOUNDED or path in STREAMED:
            continue
        limit = _parameters(operation)["limit"]["maximum"]
        asked = path.format(feed_id=feed, subscriber_id=1)
        answer = admin.get(asked, params={"limit": limit + 1})
        assert fields_of(answer) == ["limit"], path
        assert answer.json()["errors"][0]["message"].endswith(f" {limit}")


@pytest.mark.accept("A9")
def test_a_listing_of_everything_goes_on_with_a_cursor(site: Site) -> None:
    for path, operation in listings(site.app.openapi()):
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        model = _model(answer, site.app.openapi()["components"]["schemas"])
        if "items" in model.get("properties", {}) and path not in {*BOUNDED, "/api/v1/trending"}:
            assert "next_cursor" in model["properties"], path
            assert "cursor" in _parameters(operation), path


# --- exports -----------------------------------------------------------------------------------


def grow(site: Site, admin: TestClient) -> None:
    """As many feeds as nobody has."""
    admin.post(FEEDS, json=feed_body("feed-0"))
    with sql(site.runtime).begin() as connection:
        row = dict(connection.execute(feeds.select()).mappings().one())
        del row["id"]
        rows = [{**row, "name": f"feed-{number}"} for number in range(1, MANY)]
        connection.execute(feeds.insert(), rows)


@pytest.mark.accept("A9", part="export")
@pytest.mark.parametrize("form", ["json", "opml"])
def test_an_export_of_feeds_is_read_in_pages_and_sent_in_pieces(
    site: Site, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    admin = program(site.app, key_for(site.runtime, Scope.FEEDS_WRITE))
    grow(site, admin)
    pages: list[int] = []
    read = FeedStore.page

    def noted(self: FeedStore, after: FeedId, *, limit: int) -> list[LiveFeed]:
        found = read(self, after, limit=limit)
        pages.append(len(found))
        return found

    monkeypatch.setattr(FeedStore, "page", noted)
    with admin.stream("GET", EXPORT, params={"format": form}) as answer:
        assert answer.status_code == 200
        assert "content-length" not in answer.headers
        content = b"".join(answer.iter_bytes())
    assert pages == [AT_ONCE, AT_ONCE, MANY - 2 * AT_ONCE, 0]
    assert max(pages) <= MAX_LIMIT
    named = _names(content, form)
    assert named == [f"feed-{number}" for number in range(MANY)]


def _names(content: bytes, form: str) -> list[str]:
    if form == "json":
        return [one["name"] for one in json.loads(content)["feeds"]]
    return [one.label for one in read_opml(content)]


def test_an_export_of_a_database_that_is_down_is_an_error_and_no_empty_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = program(site.app, key_for(site.runtime, Scope.FEEDS_READ))

    def gone(*_: object, **__: object) -> None:
        raise DatabaseFailed("it is down")

    monkeypatch.setattr(FeedStore, "page", gone)
    assert admin.get(EXPORT).status_code == 503


@pytest.mark.accept("A9", part="a person's export")
def test_what_is_kept_of_a_person_is_read_in_pages(
    site: Site, choices_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    read = Erasure.kept_about

    def noted(self: Erasure, *about: Any, limit: int) -> Any:
        asked.append(limit)
        return read(self, *about, limit=limit)

    monkeypatch.setattr(Erasure, "kept_about", noted)
    answer = site.client.post(f"/preferences/{choices_token}", data={"action": "export"})
    kept = answer.json()
    assert set(asked) == {ROWS_AT_ONCE}
    assert ROWS_AT_ONCE <= MAX_LIMIT
    assert kept["subscribers"][0]["address"] == "alice@mail.example"
    assert kept["deliveries"]
    assert kept["quarantine"] == []
