"""The admin API for editions: holding, changing, approving and sending them, as a program does."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.db.transactions import SqlDatabase
from paperround.digests.publish import freeze_cuts
from paperround.editions.store.lists import ListStore
from paperround.web.app import create_app
from tests.builders import NOW, seed_list
from tests.fakes import NewestFirst
from tests.sample_database import fill, record, subscribe
from tests.web.admin import key_for, program
from tests.web.conftest import HandClock, sql

ADMIN = "/api/v1/admin"
LIST = f"{ADMIN}/lists/trending"


@pytest.fixture
def home(settings: Settings) -> Iterator[AppContext]:
    runtime = AppContext(settings, HandClock())
    yield runtime
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.fixture
def editor(home: AppContext) -> TestClient:
    """A program that edits, over a list whose editions are held for an hour."""
    seed_list(home.database)
    fill(SqlDatabase(sql(home)), [record(1), record(2), record(3)], now=NOW)
    subscribe(SqlDatabase(sql(home)), "ada", "alan")
    scopes = (Scope.EDITIONS_WRITE, Scope.DELIVERIES_WRITE, Scope.AUDIT_READ)
    client = program(create_app(home), key_for(home, *scopes))
    assert client.post(f"{LIST}/hold", json={"minutes": 60}).json() == {
        "list": "trending",
        "minutes": 60,
        "before": 0,
    }
    assert freeze_cuts(database=home.database, ranker=NewestFirst(), now=NOW)
    return client


def held(editor: TestClient) -> tuple[str, Any]:
    """The address of the held edition, and what is said of it."""
    [entry] = editor.get(f"{ADMIN}/editions", params={"list": "trending"}).json()["items"]
    address = f"{ADMIN}/editions/trending/{entry['date']}/{entry['cut']}"
    return address, editor.get(address).json()


@pytest.mark.accept("F55", part="api")
def test_an_edition_is_seen_changed_and_approved(editor: TestClient) -> None:
    address, found = held(editor)
    assert (found["state"], found["paper_count"], found["dropped_count"]) == ("held", 3, 0)
    first, second, third = (one["id"] for one in found["papers"])
    dropped = editor.post(f"{address}/drop", json={"paper": str(first)}).json()
    assert [one["id"] for one in dropped["dropped"]] == [first]
    pinned = editor.post(f"{address}/pin", json={"paper": str(third)}).json()
    assert [(one["id"], one["chosen"]) for one in pinned["papers"]] == [
        (third, True),
        (second, False),
    ]
    assert pinned["papers"][0]["reason"].startswith("Chosen by the editor")
    noted = editor.post(f"{address}/note", json={"text": "Read both."}).json()
    assert noted["note"] == "Read both."
    back = editor.post(f"{address}/drop", json={"paper": str(first), "undo": True}).json()
    assert back["dropped"] == []
    went = editor.post(f"{address}/approve").json()
    assert (went["state"], went["held_until"]) == ("frozen", None)
    late = editor.post(f"{address}/note", json={"text": "Too late."})
    assert (late.status_code, "was released" in late.text) == (422, True)
    actions = [one["action"] for one in editor.get(f"{ADMIN}/audit").json()["items"]]
    assert actions == [
        "approve edition",
        "undo drop",
        "add note",
        "pin paper",
        "drop paper",
        "set hold",
    ]


@pytest.mark.accept("F55", part="api")
@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("drop", {"paper": "4711"}, 404),
        ("drop", {"paper": "1", "position": 1}, 422),
        ("note", {"text": "two\nlines"}, 422),
        ("note", {"text": "x" * 301}, 422),
        ("pin", {"paper": ""}, 422),
    ],
)
def test_what_cannot_be_is_refused(
    editor: TestClient, action: str, body: dict[str, object], status: int
) -> None:
    address, before = held(editor)
    assert editor.post(f"{address}/{action}", json=body).status_code == status
    assert held(editor) == (address, before)


@pytest.mark.accept("F55", part="api")
def test_a_held_edition_is_sent_once_it_is_approved(editor: TestClient, home: AppContext) -> None:
    address, _ = held(editor)
    refused = editor.post(f"{address}/send")
    assert (refused.status_code, "is held" in refused.text) == (409, True)
    editor.post(f"{address}/approve")
    sent = editor.post(f"{address}/send").json()
    assert (sent["planned"], sent["added"], sent["papers"]) == (2, 2, 3)
    assert editor.post(f"{address}/send").json()["added"] == 0
    assert editor.post(f"{address[:-1]}7/send").status_code == 404
    assert editor.post(f"{address}/cancel").json()["skipped"] == 2
    assert editor.post(f"{address}/undo-cancel").json()[0]["queued"] == 2
    with home.database.reading() as work:
        assert work[ListStore].get("trending").hold_minutes == 60


@pytest.mark.accept("F55", part="api")
def test_what_was_missed_is_shown_and_sent(editor: TestClient) -> None:
    address, found = held(editor)
    editor.post(f"{address}/approve")
    editor.post(f"{address}/send")
    editor.post(f"{address}/cancel")
    shown = editor.get(f"{LIST}/missed", params={"date": found["date"]}).json()
    assert (shown["sendable"], shown["planned"]) == (2, 0)
    sent = editor.post(f"{LIST}/missed", json={"date": found["date"]}).json()
    assert sent["planned"] == 2


@pytest.mark.accept("F55", part="api")
def test_a_test_mail_holds_a_held_edition_and_is_audited_without_its_address(
    editor: TestClient,
) -> None:
    sent = editor.post(f"{LIST}/test-mail", json={"to": "editor@example.org"}).json()
    assert (sent["state"], sent["holds"]) == ("sent", "edition")
    found = editor.get(f"{ADMIN}/audit")
    assert found.json()["items"][0]["action"] == "send test mail"
    assert "editor@example.org" not in found.text


@pytest.mark.accept("F55", part="why")
def test_why_nothing_went_out_is_said_in_codes_and_sentences(editor: TestClient) -> None:
    said = editor.get(f"{LIST}/why").json()["reasons"]
    [one] = [one for one in said if one["code"] == "edition.held"]
    assert one["params"]["cut"] in one["text"]
    assert editor.get(f"{LIST}/why", params={"subscriber": 4711}).status_code == 404


@pytest.mark.accept("F55", part="api")
def test_a_key_that_reads_editions_changes_none(editor: TestClient, home: AppContext) -> None:
    address, _ = held(editor)
    reader = program(create_app(home), key_for(home, Scope.EDITIONS_READ))
    assert reader.get(address).status_code == 200
    for action in ("approve", "drop", "pin", "note", "send", "undo-cancel"):
        assert reader.post(f"{address}/{action}").status_code == 403


@pytest.mark.accept("F55", part="page")
def test_the_page_of_an_edition_tells_readers_what_the_editor_did(editor: TestClient) -> None:
    address, found = held(editor)
    page = f"/editions/trending/{found['date']}/{found['cut']}"
    assert editor.get(page).status_code == 404
    first, _, third = (one["id"] for one in found["papers"])
    editor.post(f"{address}/drop", json={"paper": str(first)})
    editor.post(f"{address}/pin", json={"paper": str(third)})
    editor.post(f"{address}/note", json={"text": "Read <both>."})
    editor.post(f"{address}/note", json={"text": "Wrong in figure 2.", "paper": str(third)})
    editor.post(f"{address}/approve")
    shown = editor.get(page).text
    assert "The editor left out 1 paper." in shown
    assert "From the editor: Read &lt;both&gt;." in shown
    assert "From the editor: Wrong in figure 2." in shown
    assert "Chosen by the editor" in shown
    assert found["papers"][0]["title"] not in shown
