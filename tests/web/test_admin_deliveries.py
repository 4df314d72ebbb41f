"""The admin API for deliveries and the stop button, as a program meets it."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.delivery.store.ledger import Ledger
from paperround.editions.model import DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.web.app import create_app
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    lease,
    move,
    new_delivery,
    plan,
    seed_edition,
    seed_list,
    seed_papers,
    seed_subscribers,
)
from tests.web.admin import key_for, program
from tests.web.conftest import HandClock, sql

ADMIN = "/api/v1/admin"
CANCEL = f"{ADMIN}/editions/trending/{DAY}/0/cancel"
REPLY = "5.1.1 <alice@mail.example> is not known here"


@pytest.fixture
def home(settings: Settings) -> Iterator[AppContext]:
    runtime = AppContext(settings, HandClock())
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture
def admin(home: AppContext) -> TestClient:
    """A program that may stop deliveries, over a list of three readers whose first was refused."""
    database = home.database
    trending = seed_list(database)
    papers = seed_papers(database, 2)
    edition = seed_edition(database, trending, papers)
    people = seed_subscribers(database, trending, ("alice", "bob", "charlie"))
    plan(database, edition, [new_delivery(one, papers, due_at=NOW) for one in people])
    with database.writing() as work:
        [first] = work[Ledger].claim(lease("t1", until=NOW + HOUR), limit=1, now=NOW)
        refused = replace(move(first, DeliveryState.FAILED), code=550, reply=REPLY)
        work[Ledger].settle([refused], now=NOW)
    scopes = (Scope.DELIVERIES_WRITE, Scope.AUDIT_READ)
    return program(create_app(home), key_for(home, *scopes))


def states(admin: TestClient) -> list[str]:
    return [one["state"] for one in admin.get(f"{ADMIN}/deliveries").json()["items"]]


@pytest.mark.accept("F34", part="history API")
def test_deliveries_are_listed_newest_first_and_a_page_at_a_time(admin: TestClient) -> None:
    first = admin.get(f"{ADMIN}/deliveries", params={"limit": 2}).json()
    rest = admin.get(
        f"{ADMIN}/deliveries", params={"limit": 2, "cursor": first["next_cursor"]}
    ).json()
    ids = [one["id"] for one in [*first["items"], *rest["items"]]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["next_cursor"]) == (3, None)


@pytest.mark.accept("F34", part="history API")
def test_they_can_be_asked_for_by_list_date_and_state(admin: TestClient) -> None:
    asked = {"list": "trending", "date": DAY.isoformat(), "state": "failed"}
    [one] = admin.get(f"{ADMIN}/deliveries", params=asked).json()["items"]
    assert (one["state"], one["code"], one["papers"], one["attempts"]) == ("failed", 550, 2, 1)
    assert one["edition"] == {"date": DAY.isoformat(), "cut": "0"}
    assert admin.get(f"{ADMIN}/deliveries", params={"date": "2020-01-01"}).json()["items"] == []
    assert admin.get(f"{ADMIN}/deliveries", params={"list": "other"}).status_code == 404
    assert admin.get(f"{ADMIN}/deliveries", params={"state": "lost"}).status_code == 422


@pytest.mark.accept("F34", part="history API")
def test_no_answer_holds_an_address(admin: TestClient) -> None:
    answer = admin.get(f"{ADMIN}/deliveries", params={"state": "failed"})
    [one] = answer.json()["items"]
    assert one["reply"] == "5.1.1 <(address)> is not known here"
    own = admin.get(f"{ADMIN}/subscribers/{one['subscriber']}/deliveries")
    assert "@mail.example" not in answer.text.replace(one["message_id"], "")
    assert "@mail.example" not in own.text.replace(one["message_id"], "")


@pytest.mark.accept("F34", part="history API")
def test_a_persons_history_names_the_papers(admin: TestClient) -> None:
    [one] = admin.get(f"{ADMIN}/deliveries", params={"state": "failed"}).json()["items"]
    [own] = admin.get(f"{ADMIN}/subscribers/{one['subscriber']}/deliveries").json()["items"]
    assert own["titles"] == ["A study of 1 things", "A study of 2 things"]
    assert own["message_id"] == one["message_id"]
    assert admin.get(f"{ADMIN}/subscribers/999/deliveries").status_code == 404


@pytest.mark.accept("F34", part="stop API")
def test_a_list_is_paused_and_resumed_and_both_are_written_down(
    admin: TestClient, home: AppContext
) -> None:
    paused = admin.post(f"{ADMIN}/lists/trending/pause")
    assert paused.json() == {"list": "trending", "paused": True, "changed": True}
    assert admin.post(f"{ADMIN}/lists/trending/pause").json()["changed"] is False
    with home.database.reading() as work:
        assert work[ListStore].get("trending").paused_at == NOW
    assert admin.post(f"{ADMIN}/lists/trending/resume").json()["changed"] is True
    assert admin.post(f"{ADMIN}/lists/other/pause").status_code == 404
    found = admin.get(f"{ADMIN}/audit").json()["items"]
    assert [one["action"] for one in found] == ["resume", "pause"]
    assert found[0]["actor"].startswith("key ")


@pytest.mark.accept("F34", part="stop API")
def test_an_edition_is_cancelled_once_and_who_did_it_is_written_down(admin: TestClient) -> None:
    ended = admin.post(CANCEL).json()
    assert (ended["skipped"], ended["gone"], ended["fresh"]) == (2, 0, True)
    assert states(admin) == ["skipped", "skipped", "failed"]
    again = admin.post(CANCEL).json()
    assert (again["skipped"], again["fresh"]) == (0, False)
    [deed] = admin.get(f"{ADMIN}/audit").json()["items"]
    assert (deed["action"], deed["target"]) == ("cancel", f"trending/{DAY}/0")
    assert deed["details"] == {"skipped": 2, "gone": 0}
    assert admin.post(CANCEL.replace("/0/", "/3/")).status_code == 404
    assert admin.post(CANCEL.replace(DAY.isoformat(), "today")).status_code == 422


def test_no_address_is_logged(admin: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        admin.get(f"{ADMIN}/deliveries")
        admin.post(CANCEL)
    assert "@mail.example" not in caplog.text
