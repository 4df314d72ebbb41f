"""The admin API for feeds in the hands of somebody who means ill, or of two at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.feeds.sources.registry import SOURCES
from paperround.web.app import create_app
from tests.feeds.full_feeds import full_feed
from tests.web.admin import FEEDS, Staffed, feed_body, fields_of, key_for, program
from tests.web.conftest import HandClock, sql


@pytest.fixture
def admin(settings: Settings) -> Iterator[TestClient]:
    """A program that may change feeds."""
    runtime = Staffed(settings, HandClock())
    yield program(create_app(runtime), key_for(runtime, Scope.FEEDS_WRITE))
    sql(runtime).dispose()


def create(admin: TestClient, name: str = "arxiv-ml") -> str:
    """The address of a new feed."""
    return str(admin.post(FEEDS, json=feed_body(name)).headers["location"])


@pytest.mark.accept("F09", part="checks")
@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_a_wrong_setting_of_any_source_is_named_by_every_route(
    admin: TestClient, kind: str
) -> None:
    for name in SOURCES[kind].settings:
        settings = {**full_feed(kind).settings, name: "no such\0thing"}
        body = feed_body(kind=kind, settings=settings)
        for path in (FEEDS, f"{FEEDS}/preview"):
            answer = admin.post(path, json=body)
            assert (answer.status_code, fields_of(answer)) == (422, [f"settings.{name}"])


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"colour": 1}, "colour", "Extra inputs are not permitted"),
        ({"id": 7}, "id", "Extra inputs are not permitted"),
        ({"enabled": "yes"}, "enabled", "Input should be a valid boolean"),
        ({"name": None}, "name", "Input should be a valid string"),
        ({"name": ""}, "name", "String should have at least 1 character"),
        ({"settings": {"days": 3}}, "settings.days", "Input should be a valid string"),
        ([], "body", "Send a JSON object, with Content-Type: application/json."),
    ],
)
def test_a_wrong_field_is_named_and_explained(
    admin: TestClient, body: object, field: str, says: str
) -> None:
    answer = admin.patch(create(admin), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "message": says}]


def test_a_body_that_is_no_json_is_told_so(admin: TestClient) -> None:
    where = create(admin)
    plain = admin.patch(where, content=b'{"enabled": true}', headers={"Content-Type": "text/plain"})
    assert "Content-Type: application/json" in plain.json()["errors"][0]["message"]
    as_json = {"Content-Type": "application/json"}
    broken = admin.patch(where, content=b"{bad", headers=as_json)
    assert broken.json()["errors"] == [{"field": "body", "message": "JSON decode error"}]
    missing = admin.patch(where, content=b"", headers=as_json)
    assert missing.json()["errors"] == [{"field": "body", "message": "Field required"}]


@pytest.mark.parametrize("path", ["/import", "/{}/upload"])
def test_a_form_around_a_file_is_refused_with_the_way_to_send_it(
    admin: TestClient, path: str
) -> None:
    number = create(admin).rpartition("/")[2]
    answer = admin.post(FEEDS + path.format(number), files={"file": b"title\nA paper\n"})
    assert answer.status_code == 415
    assert "curl --data-binary @FILE" in answer.json()["detail"]


def test_an_empty_upload_and_a_list_of_feeds_are_no_unknown_formats(admin: TestClient) -> None:
    where = create(admin)
    empty = admin.post(f"{where}/upload", content=b" \n")
    assert (fields_of(empty), empty.json()["detail"][:17]) == (["format"], "the file is empty")
    said_so = admin.post(f"{where}/upload", params={"format": "jsonl"}, content=b"")
    assert said_so.json()["records"] == 0
    opml = b'<opml version="2.0"><body><outline xmlUrl="https://rss.arxiv.org/rss/cs.AI"/></body></opml>'
    listed = admin.post(f"{where}/upload", content=opml)
    assert listed.status_code == 422
    assert "list of feeds (OPML)" in listed.json()["detail"]


@pytest.mark.parametrize(
    "name",
    ["ｆｅｅｄ", "féed", "feed\u200b", "\u202edeef", "feed\0", "../x", "a b", "", "-x", "x\n", "🗞"],
)
def test_a_name_that_could_deceive_is_refused(admin: TestClient, name: str) -> None:
    where = create(admin)
    assert fields_of(admin.post(FEEDS, json=feed_body(name))) == ["name"]
    assert fields_of(admin.patch(where, json={"name": name})) == ["name"]


@pytest.mark.accept("F42", part="codes", mutant="a-taken-name-is-no-conflict")
def test_a_taken_name_is_a_conflict_for_a_new_feed_and_for_a_change(admin: TestClient) -> None:
    create(admin, "first")
    where = create(admin, "second")
    for answer in (
        admin.post(FEEDS, json=feed_body("first")),
        admin.patch(where, json={"name": "first"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "taken")
        assert fields_of(answer) == ["name"]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "=", "ZmVlZHM6MA", "ZmVlZHM6OTk5OTk5OTk5OTk5OTk5OTk5OTk", "cnVuczox", "\0", "é" * 9],
)
def test_a_cursor_that_was_tampered_with_is_refused(admin: TestClient, cursor: str) -> None:
    answer = admin.get(FEEDS, params={"cursor": cursor})
    assert (answer.status_code, fields_of(answer)) == (422, ["cursor"])


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", str(2**63), "9" * 400, "%00"])
def test_a_number_that_no_row_has_is_refused(admin: TestClient, number: str) -> None:
    for answer in (
        admin.get(f"{FEEDS}/{number}"),
        admin.patch(f"{FEEDS}/{number}", json={"enabled": False}),
        admin.delete(f"{FEEDS}/{number}"),
    ):
        assert answer.status_code == 422


@pytest.mark.accept("F09", part="concurrent changes")
def test_changes_at_once_to_different_fields_are_all_kept(admin: TestClient) -> None:
    where = create(admin)
    changes: list[dict[str, Any]] = [
        {"show": "gist"},
        {"enabled": False},
        {"settings": {"categories": "cs.CL"}},
        {"name": "renamed"},
    ]

    def change(body: dict[str, Any]) -> int:
        return admin.patch(where, json=body).status_code

    for _ in range(5):
        admin.patch(where, json=feed_body(show=None, enabled=True))
        with ThreadPoolExecutor(len(changes)) as threads:
            assert set(threads.map(change, changes)) == {200}
        feed = admin.get(where).json()
        assert {key: feed[key] for change in changes for key in change} == {
            key: value for change in changes for key, value in change.items()
        }
