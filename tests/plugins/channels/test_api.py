"""The admin API for channels, as a program meets it."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.plugins.channels.model import ChannelKind
from paperround.web.app import create_app
from tests.builders import seed_list
from tests.http.faults import page
from tests.plugins.channels.services import PATHS, Services, services
from tests.web.admin import fields_of, key_for, program
from tests.web.conftest import HandClock, settings, sql

__all__ = ["settings"]

CHANNELS = "/api/v1/admin/channels"

pytestmark = pytest.mark.accept("F25", part="api")


@pytest.fixture
def made() -> Iterator[Services]:
    with services() as found:
        yield found


@pytest.fixture
def home(settings: Settings, made: Services) -> Iterator[AppContext]:
    opened = settings.model_copy(update={"fetch_allow": made.server.at})
    runtime = AppContext(opened, HandClock())
    seed_list(runtime.database)
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture
def admin(home: AppContext) -> TestClient:
    scopes = (Scope.CHANNELS_WRITE, Scope.AUDIT_READ)
    return program(create_app(home), key_for(home, *scopes))


def body(
    made: Services, kind: ChannelKind = ChannelKind.SLACK, **more: object
) -> dict[str, object]:
    return {"kind": kind.value, "hook": f"http://{made.server.at}{PATHS[kind]}", **more}


def test_a_channel_is_created_read_and_listed_masked(admin: TestClient, made: Services) -> None:
    created = admin.post(
        CHANNELS,
        json=body(made, ChannelKind.WEBHOOK, name="lab", hour=9, interests=["keyword:bees"]),
    )
    assert created.status_code == 201, created.text
    answer = created.json()
    assert answer.pop("key").startswith("whsec_")
    assert answer["hook"] == f"{made.server.at}/…body"
    assert (answer["state"], answer["hour"]) == ("active", 9)
    assert answer["interests"] == ["keyword:bees"]
    read = admin.get(created.headers["location"])
    assert read.json() == answer
    assert admin.get(CHANNELS).json()["items"] == [answer]
    assert PATHS[ChannelKind.WEBHOOK] not in created.text + read.text


def test_a_channel_is_changed_and_deleted(admin: TestClient, made: Services) -> None:
    at = admin.post(CHANNELS, json=body(made, topics=["bees"], hour=9)).headers["location"]
    changes: dict[str, object] = {"frequency": "weekly:fri", "hour": None, "size": 3, "topics": []}
    changed = admin.patch(at, json=changes).json()
    assert changed["frequency"] == "weekly:fri"
    assert (changed["hour"], changed["size"], changed["topics"]) == (None, 3, [])
    assert admin.delete(at).status_code == 204
    assert admin.get(at).status_code == 404


def test_a_channel_is_tried_paused_and_resumed(admin: TestClient, made: Services) -> None:
    at = admin.post(CHANNELS, json=body(made)).headers["location"]
    made.answers_with(ChannelKind.SLACK, page(b"no_service", status="404 Not Found"))
    assert admin.post(f"{at}/test").json() == {
        "state": "failed",
        "reason": "gone: Slack says no_service (status 404)",
        "code": 404,
        "reply": "no_service",
    }
    assert admin.post(f"{at}/test").json()["state"] == "sent"
    paused = admin.post(f"{at}/pause").json()
    assert (paused["state"], paused["changed"]) == ("paused", True)
    assert admin.post(f"{at}/pause").json()["changed"] is False
    assert admin.post(f"{at}/resume").json()["state"] == "active"
    deeds = [one["action"] for one in admin.get("/api/v1/admin/audit").json()["items"]]
    assert deeds == [
        "resume channel",
        "pause channel",
        "test channel",
        "test channel",
        "add channel",
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"hook": "https://example.org/services/a/b/c"}, "hook"),
        ({"kind": "pager"}, "kind"),
        ({"name": "Not A Name"}, "name"),
        ({"hour": 24}, "hour"),
        ({"chat": "@papers"}, "chat"),
        ({"key": "whsec_AAAA"}, "key"),
        ({"timezone": "Mars/Crater"}, "timezone"),
        ({"interests": ["keyword:"]}, "interests"),
        ({"frequency": "hourly"}, "frequency"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(
    admin: TestClient, made: Services, wrong: dict[str, object], field: str
) -> None:
    answer = admin.post(CHANNELS, json=body(made) | wrong)
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == [field]
    assert "a-secret-of-slack" not in answer.text


@pytest.mark.accept("I3", part="channels")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "[fd00:ec2::254]"])
def test_a_hook_inside_is_refused_with_the_way_out(
    admin: TestClient, made: Services, host: str
) -> None:
    lab = body(made, ChannelKind.WEBHOOK, name="lab")
    where = admin.post(CHANNELS, json=lab).headers["location"]
    hook = {"hook": f"https://{host}/hook"}
    refused = [admin.post(CHANNELS, json=lab | hook), admin.patch(where, json=hook)]
    for answer in refused:
        assert (answer.status_code, fields_of(answer)) == (422, ["hook"])
        assert "PAPERROUND_FETCH_ALLOW" in answer.json()["detail"]


def test_a_name_and_a_hook_are_taken_once(admin: TestClient, made: Services) -> None:
    assert admin.post(CHANNELS, json=body(made, name="lab")).status_code == 201
    same_hook = admin.post(CHANNELS, json=body(made, name="other"))
    assert fields_of(same_hook) == ["hook"]
    same_name = admin.post(CHANNELS, json=body(made, ChannelKind.DISCORD, name="lab"))
    assert fields_of(same_name) == ["name"]
    for answer in (same_hook, same_name):
        assert (answer.status_code, answer.json()["code"]) == (409, "taken")
    assert admin.post(CHANNELS, json=body(made, list="no-such-list")).status_code == 404


def test_channels_come_page_by_page(admin: TestClient, made: Services) -> None:
    for kind in (ChannelKind.SLACK, ChannelKind.DISCORD, ChannelKind.WEBHOOK):
        assert admin.post(CHANNELS, json=body(made, kind)).status_code == 201
    first = admin.get(CHANNELS, params={"limit": 2}).json()
    more = {"limit": 2, "cursor": first["next_cursor"]}
    second = admin.get(CHANNELS, params=more).json()
    kinds = [one["kind"] for one in first["items"] + second["items"]]
    assert kinds == ["slack", "discord", "webhook"]
    assert second["next_cursor"] is None
