"""The OpenAPI file says what the routes do, errors included."""

import re
from pathlib import Path
from typing import Any

import pytest

from paperround.web.errors import ERRORS, TAKEN, UNKNOWN_PARAMETER
from paperround.web.openapi import operations
from tests.web.conftest import Site

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "api.md"
REFERENCE = re.compile(r'"\$ref": "#/components/schemas/([^"]+)"')


@pytest.fixture
def schema(site: Site) -> dict[str, Any]:
    answer = site.client.get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.accept("F42", part="OpenAPI 3.1")
def test_the_file_is_open_and_its_viewer_is_not_there(site: Site, schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert site.client.get("/docs").status_code == 404
    assert site.client.get("/redoc").status_code == 404


def test_every_route_has_a_summary_a_tag_and_a_name_of_its_own(schema: dict[str, Any]) -> None:
    found = list(operations(schema))
    assert all(one["summary"] and one["tags"] for _, one in found)
    names = [one["operationId"] for _, one in found]
    assert len(names) == len(set(names))


@pytest.mark.accept("F42", part="errors")
def test_every_error_is_described_as_problem_json(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        errors = {code: one for code, one in operation["responses"].items() if code[0] == "4"}
        assert all(list(one["content"]) == ["application/problem+json"] for one in errors.values())
        if operation["security"]:
            assert {"401", "403", "429"} <= errors.keys(), path
            assert "Retry-After" in errors["429"]["headers"]
        if "{" in path:
            assert {"404", "422"} <= errors.keys(), path


def test_every_error_has_a_code_that_the_documentation_explains() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\d{3})` \| `([a-z-]+)` \|", text, re.MULTILINE)
    known = [(str(status), code) for status, (code, _) in ERRORS.items()]
    assert sorted(rows) == sorted([*known, ("409", TAKEN), ("422", UNKNOWN_PARAMETER)])


@pytest.mark.accept("F42", part="codes", mutant="errors-have-no-code")
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/papers/no-such-paper", 404, "not-found"),
        ("GET", "/api/v1/nowhere", 404, "not-found"),
        ("PUT", "/api/v1/papers", 405, "method-not-allowed"),
        ("GET", "/api/v1/papers?limit=0", 422, "invalid"),
        ("GET", "/api/v1/papers?cursor=x", 422, "invalid"),
        ("GET", "/api/v1/admin/feeds", 401, "unauthorized"),
        ("GET", "/api/daily_papers?date=today", 400, "bad-request"),
        ("POST", "/hooks/nobody", 404, "not-found"),
    ],
)
def test_every_error_says_what_it_is_in_a_word_for_programs(
    site: Site, method: str, path: str, status: int, code: str
) -> None:
    answer = site.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_refusal_before_any_route_has_a_code_too(site: Site) -> None:
    answer = site.client.get("/api/v1/papers", headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong-host")


def test_every_body_has_an_example_that_says_how_to_write_it(schema: dict[str, Any]) -> None:
    admin = [one for path, one in operations(schema) if path.startswith("/api/v1/admin")]
    bodies = [one["requestBody"]["content"] for one in admin if "requestBody" in one]
    assert len(bodies) >= 9
    for content in (one for body in bodies for one in body.values()):
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        examples = schema["components"]["schemas"].get(name, {}).get("examples")
        assert content.get("example") or examples


def test_the_documentation_names_every_admin_route_and_has_a_command_for_each_resource(
    schema: dict[str, Any],
) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8").partition("## Admin routes")[2]
    documented = re.findall(r"^\| `([A-Z]+) (/\S+)` \|", text, re.MULTILINE)
    routes = [
        (method.upper(), path.removeprefix("/api/v1/admin"))
        for path, methods in schema["paths"].items()
        for method in methods
        if path.startswith("/api/v1/admin")
    ]
    assert sorted(documented) == sorted(routes)
    assert all("curl " in section for section in text.split("\n### ")[1:])


def test_the_file_stays_the_same_however_often_it_is_asked_for(site: Site) -> None:
    first = site.client.get("/api/openapi.json").text
    assert site.client.get("/api/openapi.json").text == first
