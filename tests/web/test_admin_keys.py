"""The admin API for its own keys and for the audit, as a program meets it."""

from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest

from paperround.access.model import Scope
from tests.builders import NOW
from tests.web.admin import FEEDS, fields_of, key_for, program
from tests.web.conftest import Site

KEYS = "/api/v1/admin/keys"
AUDIT = "/api/v1/admin/audit"
OWN = (Scope.KEYS_WRITE, Scope.FEEDS_WRITE, Scope.AUDIT_READ)


def ask(site: Site, *scopes: Scope, **body: Any) -> httpx.Response:
    """Ask for a key with a key that has these scopes."""
    admin = program(site.app, key_for(site.runtime, *(scopes or OWN)))
    return admin.post(KEYS, json={"name": "robot", "scopes": ["feeds:read"], **body})


@pytest.mark.accept("F45", part="keys by API")
def test_a_key_made_by_another_one_opens_the_api_until_it_is_revoked(site: Site) -> None:
    made = ask(site)
    assert made.status_code == 201
    told = made.json()
    robot = program(site.app, told["key"])
    assert robot.get(FEEDS).status_code == 200
    admin = program(site.app, key_for(site.runtime, *OWN))
    assert admin.get(made.headers["location"]).json() == {
        **{name: value for name, value in told.items() if name != "key"},
        "last_used_at": "2026-03-02T08:00:00Z",
    }
    assert admin.delete(made.headers["location"]).status_code == 204
    assert admin.delete(made.headers["location"]).status_code == 204
    assert robot.get(FEEDS).status_code == 401
    assert admin.get(made.headers["location"]).json()["state"] == "revoked"
    found = admin.get(AUDIT, params={"target": f"key {told['prefix']}"}).json()["items"]
    assert [one["action"] for one in found] == ["revoke key", "create key"]
    assert {one["actor"][:4] for one in found} == {"key "}


@pytest.mark.accept("F45", part="shown once")
def test_the_text_of_a_key_is_in_one_answer_only(site: Site) -> None:
    text = ask(site).json()["key"]
    admin = program(site.app, key_for(site.runtime, *OWN))
    listed = admin.get(KEYS)
    assert text[12:] not in listed.text + admin.get(AUDIT).text
    assert {"key", "digest"}.isdisjoint(listed.json()["items"][0])


def test_keys_are_listed_newest_first_and_a_page_at_a_time(site: Site) -> None:
    names = [ask(site, name=name).json()["name"] for name in ("one", "two")]
    admin = program(site.app, key_for(site.runtime, Scope.KEYS_READ))
    first = admin.get(KEYS, params={"limit": 3}).json()
    rest = admin.get(KEYS, params={"cursor": first["next_cursor"]}).json()
    found = [one["name"] for one in [*first["items"], *rest["items"]] if one["name"] != "tests"]
    assert (found, rest["next_cursor"]) == (names[::-1], None)


@pytest.mark.accept("F45", part="expiry by API")
@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ({}, "2027-03-02T08:00:00Z"),
        ({"expires": "30d"}, "2026-04-01T08:00:00Z"),
        ({"expires": "2026-06-01"}, "2026-06-01T00:00:00Z"),
        ({"expires": "never"}, None),
    ],
)
def test_a_key_ends_in_a_year_unless_you_say_otherwise(
    site: Site, body: dict[str, str], ends: str | None
) -> None:
    assert ask(site, **body).json()["expires_at"] == ends


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["feeds:eat"]}, "scopes.0"),
        ({"name": " "}, "name"),
        ({"expires": "2020-01-01"}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"expires": None}, "expires"),
        ({"prefix": "abcd1234"}, "prefix"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(site: Site, body: dict[str, Any], field: str) -> None:
    answer = ask(site, **body)
    assert (answer.status_code, fields_of(answer)) == (422, [field])


@pytest.mark.accept("F45", part="no more than its own by API")
def test_a_key_cannot_make_one_that_may_do_more(site: Site) -> None:
    answer = ask(site, Scope.KEYS_WRITE, Scope.FEEDS_READ, scopes=["feeds:write", "keys:write"])
    assert (answer.status_code, fields_of(answer)) == (422, ["scopes"])
    assert "feeds:write" in answer.json()["detail"]
    assert "keys:write" not in answer.json()["detail"]


def test_a_key_that_never_was_is_not_found(site: Site) -> None:
    admin = program(site.app, key_for(site.runtime, *OWN))
    assert admin.get(f"{KEYS}/nosuchky").status_code == 404
    assert admin.delete(f"{KEYS}/nosuchky").status_code == 404


@pytest.mark.accept("F45", part="audit by API")
def test_the_audit_is_narrowed_by_action_target_and_actor(site: Site) -> None:
    made = ask(site).json()
    admin = program(site.app, key_for(site.runtime, *OWN))
    admin.delete(f"{KEYS}/{made['prefix']}")

    def actions(**narrowed: str) -> list[str]:
        return [one["action"] for one in admin.get(AUDIT, params=narrowed).json()["items"]]

    assert actions(action="revoke key") == ["revoke key"]
    assert actions(target=f"key {made['prefix']}") == ["revoke key", "create key"]
    [revoked] = admin.get(AUDIT, params={"action": "revoke key"}).json()["items"]
    assert actions(by=revoked["actor"]) == ["revoke key"]
    assert actions(by="operator 3") == []


def test_a_key_without_an_end_from_before_still_works(site: Site) -> None:
    old = program(site.app, key_for(site.runtime, Scope.FEEDS_READ))
    site.clock.move(days=4000)
    assert site.clock.now() > NOW + timedelta(days=3999)
    assert old.get(FEEDS).status_code == 200
