"""The admin API for feeds in the hands of somebody who means ill, or of two at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.config import Settings
from paperround.domain.keys import Scope
from paperround.sources.choices import CHOICES
from paperround.sources.live import SOURCES
from paperround.web.app import create_app
from tests.web.admin import FEEDS, Staffed, feed_body, fields_of, key_for, program
from tests.web.conftest import HandClock, sql


@pytest.fixture
def admin(settings: Settings) -> Iterator[TestClient]:
    """A program that may change feeds."""
    runtime = Staffed(settings, HandClock())
    yield program(create_app(runtime), key_for(runtime, Scope.FEEDS_WRITE))
    sql(runtime).dispose()


def create(admin: TestClient) -> str:
    """The address of a new feed."""
    return str(admin.post(FEEDS, json=feed_body()).headers["location"])


@pytest.mark.accept("F09", part="checks")
@pytest.mark.parametrize("kind", sorted(CHOICES))
def test_a_wrong_setting_of_any_source_is_named_by_every_route(
    admin: TestClient, kind: str
) -> None:
    for name in SOURCES[kind].settings:
        settings = {"categories": "cs.LG", "sets": "cs", name: "no such thing"}
        settings = {key: settings[key] for key in settings if key in SOURCES[kind].settings}
        if kind == "biorxiv" and name != "categories":
            del settings["categories"]
        body = feed_body(kind=kind, settings=settings)
        for path in (FEEDS, f"{FEEDS}/preview"):
            answer = admin.post(path, json=body)
            assert (answer.status_code, fields_of(answer)) == (422, [f"settings.{name}"])


@pytest.mark.parametrize(
    "name",
    ["ｆｅｅｄ", "féed", "feed\u200b", "\u202edeef", "feed\0", "../x", "a b", "", "-x", "x\n", "🗞"],
)
def test_a_name_that_could_deceive_is_refused(admin: TestClient, name: str) -> None:
    where = create(admin)
    assert fields_of(admin.post(FEEDS, json=feed_body(name))) == ["name"]
    assert fields_of(admin.patch(where, json={"name": name})) == ["name"]


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
