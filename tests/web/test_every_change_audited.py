"""Whatever a program changes, the audit says who did it. A route that is added must be named here.

Each request is sent to an installation with a feed, a channel, an edition and a reader, whose
numbers and names stand for those in the route's path.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.access.model import AuditEntry, Scope, by_key
from paperround.access.store import AuditStore
from paperround.config import Settings
from paperround.plugins.channels.model import ChannelKind
from paperround.web.app import create_app
from tests.builders import (
    DAY,
    NOW,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.plugins.channels.services import PATHS, Services, services
from tests.web.admin import FEEDS, Staffed, feed_body, key_for, program
from tests.web.conftest import HandClock, sql

ADMIN = "/api/v1/admin"
CHANNELS = f"{ADMIN}/channels"
PEOPLE = f"{ADMIN}/subscribers"
EMAIL = "ada@example.org"
READERS = ("alice", "bob")
MOST = 500


@dataclass(frozen=True)
class Change:
    """What a route is sent, the action that the audit then has, and the route to use before."""

    action: str
    body: Any = None
    content: bytes | None = None
    before: str = ""


CHANGES = {
    f"POST {FEEDS}": Change("add feed", feed_body("other")),
    f"PATCH {FEEDS}/{{feed_id}}": Change("edit feed", {"enabled": False}),
    f"DELETE {FEEDS}/{{feed_id}}": Change("remove feed"),
    f"POST {FEEDS}/{{feed_id}}/run": Change("run feed"),
    f"POST {FEEDS}/{{feed_id}}/upload": Change(
        "upload papers", content=b'{"id": "2601.00001", "title": "A paper", "summary": "So."}\n'
    ),
    f"POST {FEEDS}/import": Change("add feed", {"feeds": [dict(feed_body("imported"))]}),
    f"POST {CHANNELS}": Change("add channel", {"kind": "webhook", "hook": "(hook)", "name": "new"}),
    f"PATCH {CHANNELS}/{{channel_id}}": Change("change channel", {"size": 5}),
    f"DELETE {CHANNELS}/{{channel_id}}": Change("remove channel"),
    f"POST {CHANNELS}/{{channel_id}}/test": Change("test channel"),
    f"POST {CHANNELS}/{{channel_id}}/pause": Change("pause channel"),
    f"POST {CHANNELS}/{{channel_id}}/resume": Change(
        "resume channel", before=f"POST {CHANNELS}/{{channel_id}}/pause"
    ),
    f"POST {ADMIN}/lists/{{name}}/pause": Change("pause"),
    f"POST {ADMIN}/lists/{{name}}/resume": Change(
        "resume", before=f"POST {ADMIN}/lists/{{name}}/pause"
    ),
    f"POST {ADMIN}/editions/{{name}}/{{date}}/{{cut}}/cancel": Change("cancel"),
    f"POST {ADMIN}/editions/{{name}}/{{date}}/{{cut}}/undo-cancel": Change(
        "undo-cancel", before=f"POST {ADMIN}/editions/{{name}}/{{date}}/{{cut}}/cancel"
    ),
    f"POST {ADMIN}/editions/{{name}}/{{date}}/{{cut}}/send": Change("send edition"),
    f"POST {ADMIN}/lists": Change("create list", {"name": "robots", "title": "Robots"}),
    f"PATCH {ADMIN}/lists/{{name}}": Change("edit list", {"title": "Robots"}),
    f"POST {ADMIN}/lists/{{name}}/archive": Change("archive list"),
    f"POST {ADMIN}/lists/{{name}}/restore": Change(
        "restore list", before=f"POST {ADMIN}/lists/{{name}}/archive"
    ),
    f"POST {ADMIN}/lists/{{name}}/hold": Change("set hold", {"minutes": 60}),
    f"POST {ADMIN}/lists/{{name}}/test-mail": Change("send test mail", {"to": EMAIL}),
    f"POST {PEOPLE}": Change("add person", {"email": EMAIL, "consent_source": "a sheet"}),
    f"POST {PEOPLE}/find": Change("find person", {"email": "alice@"}),
    f"PATCH {PEOPLE}/{{subscriber_id}}": Change("edit choices", {"hour": 8}),
    f"POST {PEOPLE}/{{subscriber_id}}/pause": Change("edit choices", {"until": "2026-09-01"}),
    f"POST {PEOPLE}/{{subscriber_id}}/unsubscribe": Change("unsubscribe"),
    f"POST {PEOPLE}/{{subscriber_id}}/move": Change("move person", {"email": EMAIL}),
    f"DELETE {PEOPLE}/{{subscriber_id}}": Change("erase person"),
    f"POST {ADMIN}/suppressions": Change("add suppression", {"email": EMAIL, "reason": "asked"}),
    f"POST {ADMIN}/suppressions/find": Change("find suppression", {"email": EMAIL}),
    f"POST {ADMIN}/suppressions/lift": Change(
        "lift suppression",
        {"email": EMAIL, "reason": "asked again"},
        before=f"POST {ADMIN}/suppressions",
    ),
    f"POST {ADMIN}/keys": Change("create key", {"name": "robot", "scopes": ["feeds:read"]}),
    f"DELETE {ADMIN}/keys/{{prefix}}": Change("revoke key"),
}
"""Every route that changes something, and how it is made to."""

CHANGES_NOTHING = {f"POST {FEEDS}/preview": "reads the first page of a feed and stores none of it"}
"""Routes of other methods than GET that need no entry, and why."""

ELSEWHERE = {
    **{
        f"POST {ADMIN}/editions/{{name}}/{{date}}/{{cut}}/{what}": "needs a held edition: the tests"
        " of editing"
        for what in ("approve", "drop", "note", "pin")
    },
    f"POST {ADMIN}/lists/{{name}}/missed": "needs a reader whose mail failed: the tests of missed",
    f"POST {PEOPLE}/{{subscriber_id}}/resend": "needs a waiting reader: the tests of the help desk",
}
"""Routes that change something, and what shows that it is audited."""


@dataclass
class Place:
    """An installation, its programs and what is in it."""

    runtime: Staffed
    app: Any
    key: str
    hook: str
    names: dict[str, object]

    @property
    def admin(self) -> TestClient:
        return program(self.app, self.key)

    @property
    def actor(self) -> str:
        return by_key(self.key[3:11])

    def send(self, route: str, change: Change) -> int:
        method, path = route.split(" ")
        url = path.format(**self.names)
        if change.content is not None:
            return self.admin.request(method, url, content=change.content).status_code
        body = change.body
        if isinstance(body, dict):
            body = {name: self.hook if one == "(hook)" else one for name, one in body.items()}
        return self.admin.request(method, url, json=body).status_code

    def entries(self) -> list[AuditEntry]:
        with self.runtime.database.reading() as work:
            return work[AuditStore].page(before=None, limit=MOST)


@pytest.fixture
def made() -> Iterator[Services]:
    with services() as found:
        yield found


@pytest.fixture
def place(settings: Settings, made: Services) -> Iterator[Place]:
    opened = settings.model_copy(update={"fetch_allow": made.server.at})
    runtime = Staffed(opened, HandClock())
    database = runtime.database
    trending = seed_list(database)
    papers = seed_papers(database, 2)
    edition = seed_edition(database, trending, papers)
    people = seed_subscribers(database, trending, READERS)
    plan(database, edition, [new_delivery(one, papers, due_at=NOW) for one in people])
    app, key = create_app(runtime), key_for(runtime, *Scope)
    hook = f"http://{made.server.at}{PATHS[ChannelKind.WEBHOOK]}"
    names: dict[str, object] = {"name": "trending", "date": DAY, "cut": "0", "prefix": ""}
    found = Place(runtime=runtime, app=app, key=key, hook=hook, names=names)
    admin = found.admin
    names["feed_id"] = admin.post(FEEDS, json=feed_body()).json()["id"]
    slack = f"http://{made.server.at}{PATHS[ChannelKind.SLACK]}"
    channel = {"kind": "slack", "hook": slack, "name": "lab"}
    names["channel_id"] = admin.post(CHANNELS, json=channel).json()["id"]
    names["subscriber_id"] = people[0].subscriber_id
    names["prefix"] = key_for(runtime, Scope.FEEDS_READ)[3:11]
    yield found
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


def changing_routes(place: Place) -> set[str]:
    """Every admin route of the OpenAPI file that is no GET."""
    return {
        f"{method.upper()} {path}"
        for path, methods in place.app.openapi()["paths"].items()
        if path.startswith(ADMIN)
        for method in methods
        if method != "get"
    }


@pytest.mark.accept("A5", part="every route is named")
def test_every_route_that_may_change_something_is_named_here(place: Place) -> None:
    assert changing_routes(place) == CHANGES.keys() | CHANGES_NOTHING.keys() | ELSEWHERE.keys()


@pytest.mark.accept("A5", part="routes", mutant="a-deleted-feed-leaves-no-trace")
@pytest.mark.accept("F45", part="audit of routes")
@pytest.mark.parametrize("route", CHANGES)
def test_every_route_that_changes_something_says_in_the_audit_who_did_it(
    place: Place, route: str
) -> None:
    change = CHANGES[route]
    if change.before:
        assert place.send(change.before, CHANGES[change.before]) < 300
    known = len(place.entries())
    assert place.send(route, change) < 300
    new = place.entries()[:-known]
    assert [(one.actor, one.action) for one in new] == [(place.actor, change.action)]
    assert_harmless(place, new[0])


def assert_harmless(place: Place, entry: AuditEntry) -> None:
    """Require that an entry names something, and holds neither an address nor a secret."""
    text = f"{entry.target} {dict(entry.details)}"
    assert entry.target
    assert not re.search(r"\S@\S", text)
    assert not any(secret in text for secret in (place.key[12:], place.hook, "example"))


@pytest.mark.accept("A5", part="refused")
def test_what_is_refused_leaves_no_entry(place: Place) -> None:
    known = len(place.entries())
    feed = f"{FEEDS}/{place.names['feed_id']}"
    assert place.admin.post(FEEDS, json=feed_body()).status_code == 409
    assert place.admin.patch(feed, json={"kind": "no-such"}).status_code == 422
    assert place.admin.delete(f"{FEEDS}/999").status_code == 404
    assert place.admin.delete(f"{ADMIN}/keys/nosuchky").status_code == 404
    taken = {"feeds": [dict(feed_body()), dict(feed_body("x y"))]}
    assert place.admin.post(f"{FEEDS}/import", json=taken).json()["new"] == []
    assert len(place.entries()) == known


@pytest.mark.accept("A5", part="before and after")
def test_an_edit_says_what_it_was_before_and_keeps_addresses_out(place: Place) -> None:
    feed = f"{FEEDS}/{place.names['feed_id']}"
    new = {"name": "ml", "settings": {"categories": "cs.AI"}, "enabled": False}
    assert place.admin.patch(feed, json=new).status_code == 200
    assert place.admin.patch(feed, json=new).status_code == 200
    entry = place.entries()[0]
    assert (entry.action, entry.target) == ("edit feed", "arxiv-ml")
    assert entry.details == {
        "changed": "name, settings, enabled",
        "before": "name arxiv-ml, enabled yes",
        "after": "name ml, enabled no",
    }
