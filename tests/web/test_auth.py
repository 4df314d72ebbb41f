"""Routes behind a key: closed to everybody else, whatever they send."""

import json
import logging
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from typer.testing import CliRunner

from paperround.access.keys import create_key, revoke_key
from paperround.access.model import Scope, allows, key_text
from paperround.cli.app import app as cli
from paperround.web.auth import KeyedRoute, keyed_router
from paperround.web.openapi import operations
from tests.builders import HOUR, NOW
from tests.web.admin import FEEDS, key_for, program
from tests.web.conftest import Site

ADMIN = "/api/v1/admin"
WRONG = key_text("abcd1234", "x" * 43)
ADDRESSES = (f"198.51.100.{number % 250}" for number in count(1))
BROKEN = b'{"name": '


def admin_operations(app: FastAPI) -> Iterator[tuple[str, str, list[str]]]:
    """(method, path, scopes) of every admin route in the OpenAPI file."""
    schema = app.openapi()
    for path, methods in schema["paths"].items():
        if path.startswith(ADMIN):
            for method, operation in methods.items():
                [need] = operation["security"]
                yield method.upper(), re.sub(r"\{[^}]+\}", "no-such", path), need["key"]


def nothing() -> None:
    """A handler nobody thought about."""


def unusable_keys(site: Site) -> dict[str, str | None]:
    """Everything that is no live key."""
    database = site.runtime.database
    expired = create_key(database, "old", list(Scope), expires_at=NOW + HOUR, now=NOW)
    revoked = create_key(database, "lost", list(Scope), expires_at=None, now=NOW)
    revoke_key(database, revoked.key.prefix, now=NOW)
    site.clock.move(hours=2)
    return {"none": None, "wrong": WRONG, "expired": expired.text, "revoked": revoked.text}


@pytest.mark.slow
@pytest.mark.accept("A1")
@pytest.mark.parametrize("what", ["none", "wrong", "expired", "revoked"])
def test_no_admin_route_answers_without_a_live_key_even_to_a_broken_body(
    site: Site, what: str
) -> None:
    key = unusable_keys(site)[what]
    answers = []
    for method, path, _ in admin_operations(site.app):
        client = program(site.app, key, at=next(ADDRESSES))
        answers.append(client.request(method, path, content=BROKEN))
    assert len(answers) >= 12
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.accept("A1")
def test_every_unusable_key_gets_the_same_answer(site: Site) -> None:
    keys = unusable_keys(site)
    answers = [program(site.app, key, at=next(ADDRESSES)).get(FEEDS) for key in keys.values()]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


@pytest.mark.accept("A1")
def test_no_admin_route_answers_a_key_without_its_scope(site: Site) -> None:
    for method, path, [scope] in admin_operations(site.app):
        others = [one for one in Scope if not allows(frozenset([one]), Scope(scope))]
        client = program(site.app, key_for(site.runtime, *others))
        answer = client.request(method, path, content=BROKEN)
        assert answer.status_code == 403, path
        assert scope in answer.headers["www-authenticate"]


@pytest.mark.accept("A1", part="let through")
def test_a_live_key_with_its_scope_is_let_through_to_every_admin_route(site: Site) -> None:
    for method, path, [scope] in admin_operations(site.app):
        client = program(site.app, key_for(site.runtime, Scope(scope)))
        answer = client.request(method, path, content=BROKEN)
        assert answer.status_code not in {401, 403, 429}, (method, path)
        assert answer.status_code < 500, (method, path)


@pytest.mark.accept("A1")
def test_every_route_under_admin_asks_for_a_key(site: Site) -> None:
    routes = [
        context.original_route
        for context in iter_route_contexts(site.app.routes)
        if (context.path or "").startswith(ADMIN)
    ]
    assert len(routes) >= 12
    assert all(isinstance(route, KeyedRoute) for route in routes)
    assert all(one["security"] for path, one in operations(site.app.openapi()) if ADMIN in path)


@pytest.mark.accept("A1")
def test_a_route_somebody_adds_one_day_is_closed_from_the_start(site: Site) -> None:
    router = keyed_router(
        f"{ADMIN}/things", "things", reading=Scope.FEEDS_READ, writing=Scope.FEEDS_WRITE
    )
    router.add_api_route("", nothing, methods=["GET"])
    router.add_api_route("", nothing, methods=["PUT"])
    site.app.include_router(router)
    reader = program(site.app, key_for(site.runtime, Scope.FEEDS_READ))
    assert program(site.app, None).get(f"{ADMIN}/things").status_code == 401
    assert reader.get(f"{ADMIN}/things").status_code == 200
    assert reader.put(f"{ADMIN}/things").status_code == 403


@pytest.mark.accept("A4", part="web")
def test_the_eleventh_wrong_key_gets_429_and_a_valid_one_works_from_the_same_address(
    site: Site,
) -> None:
    key = key_for(site.runtime, Scope.FEEDS_READ)
    guesser = program(site.app, WRONG, at="198.51.100.1")
    answers = [guesser.get(FEEDS) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 301
    assert answers[-1].headers["content-type"] == "application/problem+json"
    for client in ("198.51.100.1", "198.51.100.2"):
        assert program(site.app, key, at=client).get(FEEDS).status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "Bearer  ", "pr_abcd1234", "Bearer a b", "bearer pr_x_y"]
)
def test_what_is_no_bearer_key_is_a_wrong_key(site: Site, header: str) -> None:
    answer = program(site.app, None).get(FEEDS, headers={"Authorization": header})
    assert answer.status_code == 401


def test_of_two_keys_in_one_request_none_counts(site: Site) -> None:
    key = key_for(site.runtime, Scope.FEEDS_READ)
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    assert program(site.app, None).get(FEEDS, headers=twice).status_code == 401


def test_the_word_bearer_may_be_written_in_any_case(site: Site) -> None:
    key = key_for(site.runtime, Scope.FEEDS_READ)
    answer = program(site.app, None).get(FEEDS, headers={"Authorization": f"bEARER {key}"})
    assert answer.status_code == 200


@pytest.mark.accept("A2")
def test_neither_the_database_nor_the_log_holds_a_usable_key(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = key_for(site.runtime, Scope.FEEDS_READ)
    program(site.app, key).get(FEEDS)
    program(site.app, key).post(FEEDS, content=BROKEN)
    program(site.app, key[:-1]).get(FEEDS)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    secret = key.rpartition("_")[2] if "_" not in key[12:] else key[12:]
    assert key[3:11].encode() in kept
    assert secret[:20].encode() not in kept
    assert secret[:20] not in caplog.text


@pytest.mark.accept("F45", part="command")
def test_a_key_made_at_the_command_line_opens_the_api_until_it_is_revoked(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERROUND_DATA_DIR", str(tmp_path))
    made = json.loads(run("create", "laptop", "--scope", "feeds:read", "--json"))
    assert made.keys() >= {"id", "key", "scopes", "expires_at"}
    reader = program(site.app, made["key"])
    assert reader.get(FEEDS).status_code == 200
    [listed] = json.loads(run("list", "--json"))["keys"]
    assert (listed["state"], listed["scopes"]) == ("live", ["feeds:read"])
    assert made["key"] not in json.dumps(listed)
    assert run("revoke", listed["prefix"]) == "revoked\n"
    assert reader.get(FEEDS).status_code == 401


def run(*arguments: str) -> str:
    """What `paperround keys` prints."""
    result = CliRunner().invoke(cli, ["keys", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_whoever_shows_a_wrong_key_is_told_how_many_tries_are_left(site: Site) -> None:
    guess = program(site.app, "pr_abcdefgh_wrong", at="203.0.113.9")
    told = [guess.get(FEEDS).headers["ratelimit"] for _ in range(11)]
    assert told == [f'"wrong-keys";r={left};t=301' for left in (*range(9, -1, -1), 0)]
