"""The admin API for people, suppressions and bounces, and the same on the command line."""

import base64
import json
import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from paperround.access.model import Scope
from paperround.bounces.store import ReturnStore
from paperround.cli.app import app as cli
from paperround.cli.options import runtime
from paperround.editions.store.lists import ListStore
from tests.builders import NOW, returned_event, seed_subscribers
from tests.web.admin import fields_of, key_for, program
from tests.web.conftest import Site
from tests.web.operators import add, logged_in

ADMIN = "/api/v1/admin"
PEOPLE = f"{ADMIN}/subscribers"
REPORT = (
    b"From: MAILER-DAEMON@mail.example\r\nSubject: =?utf-8?B?"
    + base64.b64encode(b"about alice@mail.example")
    + b"?=\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(b"No such user: alice@mail.example")
)


@pytest.fixture
def desk(site: Site) -> TestClient:
    """A help desk over two readers, alice and bob."""
    with site.runtime.database.reading() as work:
        trending = work[ListStore].get("trending")
    seed_subscribers(site.runtime.database, trending, ("alice", "bob"))
    scopes = (
        Scope.SUBSCRIBERS_WRITE,
        Scope.SUPPRESSIONS_WRITE,
        Scope.AUDIT_READ,
    )
    return program(site.app, key_for(site.runtime, *scopes))


def found(desk: TestClient, text: str = "alice") -> int:
    [one] = desk.post(f"{PEOPLE}/find", json={"email": text}).json()["items"]
    number: int = one["id"]
    return number


@pytest.mark.accept("F56", part="API")
def test_a_person_is_found_read_and_changed(desk: TestClient) -> None:
    person = f"{PEOPLE}/{found(desk)}"
    first = desk.get(person).json()
    assert (first["email"], first["state"]) == ("alice@mail.example", "active")
    assert first["says"] == ["trending: gets digests daily at 07:00 UTC."]
    changes = {"frequency": "weekly:tue", "interests": [{"kind": "keyword", "value": "graphs"}]}
    assert desk.patch(person, json=changes).json()["changed"] is True
    after = desk.get(person).json()
    assert after["interests"] == changes["interests"]
    assert after["subscriptions"][0]["frequency"] == "weekly:tue"
    assert desk.post(f"{person}/pause", json={"until": "2026-12-01"}).json()["changed"] is True
    assert desk.post(f"{person}/pause", json={"until": None}).json()["changed"] is True
    assert desk.post(f"{person}/move", json={"email": "new@mail.example"}).status_code == 202
    assert desk.post(f"{person}/unsubscribe").json()["lists"] == ["trending"]
    page = desk.get(f"{person}/timeline", params={"limit": 2}).json()
    rest = desk.get(f"{person}/timeline", params={"cursor": page["next_cursor"]}).json()
    assert len(page["items"]) == 2
    assert rest["items"][-1]["text"].startswith("They agreed to get email")
    assert desk.get(f"{person}/export").json()["subscribers"][0]["address"] == first["email"]
    assert desk.delete(person).status_code == 204
    assert desk.get(person).status_code == 404


@pytest.mark.accept("S22", part="read")
def test_every_reading_of_a_person_is_audited(site: Site, desk: TestClient) -> None:
    number = found(desk)
    add(site)
    operator = logged_in(site)
    pages = [f"{PEOPLE}/{number}", f"{PEOPLE}/{number}/timeline"]
    admin = [f"/admin/people/{number}", f"/admin/people/{number}/choices?list=trending"]
    for client, paths in ((desk, pages), (operator, admin)):
        for path in paths:
            assert client.get(path).status_code == 200
    assert desk.get(f"{PEOPLE}/999").status_code == 404
    read = desk.get("/api/v1/admin/audit", params={"action": "read person"}).json()["items"]
    assert [one["actor"].split()[0] for one in read] == ["operator", "operator", "key", "key"]
    assert [one["details"] for one in read] == [{"subscriber": number}] * 4


@pytest.mark.accept("F56", part="API")
def test_somebody_is_added_with_or_without_a_confirmation(site: Site, desk: TestClient) -> None:
    body = {"email": "carol@mail.example", "consent_source": "the club's sheet", "hour": 9}
    made = desk.post(PEOPLE, json=body)
    assert (made.status_code, made.json()["outcome"]) == (201, "new")
    consent = desk.get(made.headers["location"]).json()["consent_source"]
    assert consent.startswith("the club's sheet, added by key ")
    asked = desk.post(PEOPLE, json={**body, "email": "dan@mail.example", "confirm": True})
    assert asked.json()["outcome"] == "mailed"
    resend = f"{asked.headers['location']}/resend"
    assert desk.post(resend).status_code == 429
    site.clock.move(hours=2)
    assert desk.post(resend).status_code == 202


@pytest.mark.accept("F56", part="API")
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "", {"email": "no", "consent_source": "x"}, "email"),
        ("POST", "", {"email": "c@m.example", "consent_source": " "}, "consent_source"),
        ("POST", "/find", {"email": "ab"}, "email"),
        ("PATCH", "/1", {"hour": 24}, "hour"),
        ("PATCH", "/1", {"timezone": "Mars"}, "timezone"),
        ("PATCH", "/1", {"frequency": "often"}, "frequency"),
        ("PATCH", "/1", {"state": "active"}, "state"),
        ("POST", "/1/pause", {"until": 1}, "until"),
        ("POST", "/1/pause", {"until": "2020-01-01"}, "until"),
        ("POST", "/1/move", {"email": "bob@mail.example"}, "email"),
    ],
)
def test_a_wrong_field_is_named(
    desk: TestClient, method: str, path: str, body: dict[str, object], field: str
) -> None:
    answer = desk.request(method, f"{PEOPLE}{path}", json=body)
    assert (answer.status_code, fields_of(answer)) == (422, [field])


@pytest.mark.accept("F56", part="API", mutant="anybody-with-a-key-sees-addresses")
def test_an_address_is_shown_only_to_a_key_that_may_read_people(
    site: Site, desk: TestClient
) -> None:
    number = found(desk)
    reader = program(site.app, key_for(site.runtime, Scope.SUBSCRIBERS_READ))
    other = program(site.app, key_for(site.runtime, Scope.FEEDS_READ, Scope.DELIVERIES_READ))
    for client, status in ((reader, 200), (other, 403)):
        assert client.get(f"{PEOPLE}/{number}").status_code == status
        assert client.post(f"{PEOPLE}/find", json={"email": "alice"}).status_code == status
    assert reader.delete(f"{PEOPLE}/{number}").status_code == 403


@pytest.mark.accept("F56", part="API")
def test_no_address_is_logged_audited_or_counted(
    desk: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="paperround")
    person = f"{PEOPLE}/{found(desk)}"
    desk.post(f"{person}/move", json={"email": "new@mail.example"})
    desk.post(f"{ADMIN}/suppressions", json={"email": "bob@mail.example", "reason": "asked"})
    desk.delete(person, params={"suppress": True})
    audit = desk.get(f"{ADMIN}/audit").text
    assert "find person" in audit
    for text in (audit, caplog.text):
        assert "mail.example" not in text


@pytest.mark.accept("F56", part="suppressions")
def test_suppressions_are_listed_looked_up_added_and_lifted(desk: TestClient) -> None:
    path, bob = f"{ADMIN}/suppressions", {"email": "bob@mail.example"}
    assert desk.post(f"{path}/find", json=bob).json()["suppressed"] is False
    assert desk.post(path, json={**bob, "reason": "asked"}).json() == {"changed": True}
    looked = desk.post(f"{path}/find", json={"email": "BOB+x@mail.example"}).json()
    assert [one["reason"] for one in looked["reasons"]] == ["asked"]
    desk.post(path, json={"email": "carol@mail.example", "reason": "asked"})
    page = desk.get(path, params={"limit": 1}).json()
    rest = desk.get(path, params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (1, 1, None)
    lifted = desk.post(f"{path}/lift", json={**bob, "reason": "asked again"})
    assert lifted.json() == {"changed": True}
    assert fields_of(desk.post(f"{path}/lift", json={**bob, "reason": "a@b"})) == ["reason"]


@pytest.mark.accept("F56", part="bounces")
def test_bounces_are_listed_with_what_the_servers_said(site: Site, desk: TestClient) -> None:
    with site.runtime.database.writing() as work:
        for number in range(3):
            work[ReturnStore].begin(returned_event(event_id=f"e{number}"), now=NOW)
    page = desk.get(f"{ADMIN}/bounces", params={"limit": 2}).json()
    rest = desk.get(f"{ADMIN}/bounces", params={"cursor": page["next_cursor"]}).json()
    assert [len(page["items"]), len(rest["items"])] == [2, 1]
    assert desk.get(f"{ADMIN}/bounces", params={"subscriber": 1}).json()["items"] == []


@pytest.mark.accept("F56", part="bounces", mutant="a-report-is-shown-as-it-came")
def test_a_report_in_quarantine_is_read_without_addresses(site: Site, desk: TestClient) -> None:
    with site.runtime.database.writing() as work:
        work[ReturnStore].keep(returned_event(), REPORT, why="unproven", person=None, now=NOW)
    [one] = desk.get(f"{ADMIN}/bounces/quarantine").json()["items"]
    text = desk.get(f"{ADMIN}/bounces/quarantine/{one['id']}").json()["text"]
    assert "Subject: about (address)" in text
    assert "No such user: (address)" in text
    assert "@" not in text
    assert desk.get(f"{ADMIN}/bounces/quarantine/99").status_code == 404


# --- the command line ----------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path / "data"))
    assert run("add", "ada@example.org", "--consent-source", "sheet").exit_code == 0


def run(*arguments: str, group: str = "subscribers") -> Result:
    return CliRunner().invoke(cli, [group, *arguments])


def read(*arguments: str) -> dict[str, object]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    value: dict[str, object] = json.loads(done.stdout)
    return value


@pytest.mark.accept("F56", part="command line")
@pytest.mark.usefixtures("installed")
def test_the_command_line_does_the_same_by_address_and_by_number() -> None:
    assert read("find", "ADA@")["more"] is False
    assert read("edit", "1", "--frequency", "weekly:mon", "--size", "5")["changed"] is True
    assert read("edit", "ada@example.org", "--reset", "size")["changed"] is True
    assert read("pause", "1", "--until", "2099-01-01", "--now", "2098-12-01")["changed"] is True
    shown = run("show", "1")
    assert shown.stdout.startswith("trending: no digest before 2099-01-01, because of a pause.")
    assert "added by shell " in shown.stdout
    assert "gets digests" not in shown.stdout
    assert read("pause", "1", "--end")["changed"] is True
    assert read("move", "1", "eva@example.org", "--unconfirmed", "--yes")["moved"] is True
    assert read("unsubscribe", "1")["lists"] == ["trending"]
    lines = run("timeline", "eva@example.org").stdout
    assert "They were unsubscribed (list trending), by shell " in lines
    assert "eva@example.org" in run("export", "1").stdout
    assert read("erase", "1", "--yes")["erased"] is True


@pytest.mark.accept("F56", part="command line")
@pytest.mark.usefixtures("installed")
def test_somebody_who_gets_no_email_is_shown_with_the_command_that_helps() -> None:
    assert run("add", "bob@example.org", "--consent-source", "sheet", "--confirm").exit_code == 0
    assert "paperround subscribers resend 2" in run("show", "2").stdout
    assert run("add", "ada@example.org", "--reason", "gone", group="suppressions").exit_code == 0
    helps = run("show", "1").stdout
    assert "paperround suppressions lift ada@example.org --resume" in helps
    assert "paperround subscribers move 1 NEW_EMAIL" in helps


@pytest.mark.accept("F56", part="bounces", mutant="a-report-commands-the-terminal")
@pytest.mark.usefixtures("installed")
def test_a_report_on_a_terminal_is_decoded_and_commands_it_nothing() -> None:
    content = REPORT.replace(b"MAILER", b"\x1b[2JMAILER") + b"\r\n"
    with runtime().database.writing() as work:
        work[ReturnStore].keep(returned_event(), content, why="unproven", person=None, now=NOW)
    shown = run("show", "1", group="bounces").stdout
    assert "From: [2JMAILER-DAEMON@mail.example\n" in shown
    assert "No such user: alice@mail.example" in shown
    assert "\x1b" not in shown
    assert "\\u001b[2J" in run("show", "1", "--json", group="bounces").stdout


@pytest.mark.accept("F56", part="command line")
@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("show 99", 1, "there is no subscriber 99"),
        ("show nobody@example.org", 1, "there is no subscriber nobody@example.org"),
        ("show ada", 2, "WHO"),
        ("edit 1", 2, "say what to change"),
        ("edit 1 --hour 24", 2, "--hour"),
        ("edit 1 --frequency often", 2, "--frequency"),
        ("edit 1 --interest nonsense", 2, "--interest"),
        ("edit 1 --reset name", 2, "--reset"),
        ("pause 1", 2, "--until"),
        ("pause 1 --until 2001-01-01", 2, "--until"),
        ("resend 1", 2, "nothing to confirm"),
        ("resend 1 --date 2026-01-30", 2, "--date"),
        ("move 1 ada@example.org", 2, "EMAIL"),
        ("move 1 eva@example.org --unconfirmed", 2, "--yes"),
        ("find ab", 2, "TEXT"),
    ],
)
def test_wrong_input_is_one_line_that_names_it(arguments: str, code: int, says: str) -> None:
    done = run(*arguments.split())
    told = f"{done.output}{done.exception}"
    assert says in told
    assert done.exit_code == (code if code == 2 else 1)
