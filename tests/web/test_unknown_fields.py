"""No route takes a field that it does not name, or one that only its answers have: nobody sets
what is not theirs to set."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from paperround.access.model import Scope
from tests.web.admin import key_for, program
from tests.web.conftest import Site

UNKNOWN = "unheard_of"
OPEN = {"POST /api/v1/admin/feeds/import"}
"""Routes that take a list of anything and tell what was wrong with each of it."""


def bodies(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The method and the path of every route that takes JSON, and the schema of its body."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema")
            if body is not None and f"{method.upper()} {path}" not in OPEN:
                yield method.upper(), path, resolved(schema, body)


def read_only(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """The method, path and body of every route that takes JSON, with each field that its answers
    have and its body has not."""
    for method, path, body in bodies(schema):
        answers = schema["paths"][path][method.lower()]["responses"]
        for status in ("200", "201", "202"):
            content = answers.get(status, {}).get("content", {}).get("application/json", {})
            answer = resolved(schema, content.get("schema", {}))
            for field in sorted(answer.get("properties", {}).keys() - body["properties"].keys()):
                yield method, path, body, field


def resolved(schema: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    name = body.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name] if name else body
    return found


def example_of(body: dict[str, Any]) -> dict[str, Any]:
    examples = body.get("examples") or [{}]
    return dict(examples[0])


@pytest.mark.accept("A8", part="every route", mutant="a-body-may-hold-anything")
def test_every_route_refuses_a_field_that_it_does_not_name(site: Site) -> None:
    client = program(site.app, key_for(site.runtime, *Scope))
    taken, asked = [], []
    for method, path, body in bodies(site.app.openapi()):
        address = re.sub(r"\{[^}]+\}", "1", path)
        answer = client.request(method, address, json={**example_of(body), UNKNOWN: 1})
        asked.append(path)
        named = [one.get("field") for one in answer.json().get("errors", [])]
        if answer.status_code != 422 or UNKNOWN not in named:
            taken.append((method, path, answer.status_code, named))
    assert len(asked) >= 6, asked
    assert taken == []


@pytest.mark.accept("A8", part="every read-only field")
def test_every_route_refuses_the_fields_that_only_its_answers_have(site: Site) -> None:
    client = program(site.app, key_for(site.runtime, *Scope))
    taken, asked = [], set()
    for method, path, body, field in read_only(site.app.openapi()):
        address = re.sub(r"\{[^}]+\}", "1", path)
        answer = client.request(method, address, json={**example_of(body), field: "1"})
        asked.add((path, field))
        named = [one.get("field") for one in answer.json().get("errors", [])]
        if answer.status_code != 422 or field not in named:
            taken.append((method, path, field, answer.status_code, named))
    assert {("/api/v1/admin/feeds/{feed_id}", "health"), ("/api/v1/admin/keys", "prefix")} <= asked
    assert taken == []
