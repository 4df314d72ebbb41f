"""The API takes no query parameter that it does not name; pages and Hugging Face's routes do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from paperround.access.model import Scope
from paperround.editions.model import Edition
from paperround.web.openapi import API
from tests.web.admin import key_for, program
from tests.web.conftest import Site

UNKNOWN = "unheard_of"


def routes(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The method, the path and the operation of every route of the API."""
    for path, methods in schema["paths"].items():
        if path.startswith(API):
            yield from ((method.upper(), path, one) for method, one in methods.items())


def example_of(schema: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """The example of the body that a route takes, where it takes JSON."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    found = schema["components"]["schemas"].get(name, {}).get("examples", [{}])
    return dict(found[0])


@pytest.mark.accept("F42", part="unknown names", mutant="an-unknown-query-name-is-ignored")
def test_every_route_of_the_api_refuses_a_query_name_that_it_does_not_know(site: Site) -> None:
    client = program(site.app, key_for(site.runtime, *Scope))
    schema = site.app.openapi()
    asked, taken = [], []
    for method, path, operation in routes(schema):
        asked.append(path)
        address = re.sub(r"\{[^}]+\}", "1", path)
        body = example_of(schema, operation) if "requestBody" in operation else None
        answer = client.request(method, f"{address}?{UNKNOWN}=1", json=body)
        problem = answer.json()
        named = [one["field"] for one in problem.get("errors", [])]
        if (answer.status_code, problem.get("code"), named) != (
            422,
            "unknown-parameter",
            [UNKNOWN],
        ):
            taken.append((method, path, answer.status_code, problem))
    assert len(asked) > 30
    assert taken == []


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "9999-12-31"])
def test_every_date_in_the_api_is_of_a_year_that_there_may_be(site: Site, day: str) -> None:
    client = program(site.app, key_for(site.runtime, *Scope))
    schema = site.app.openapi()
    answers = {}
    for method, path, operation in routes(schema):
        named = {
            one["name"]: day
            for one in operation.get("parameters", ())
            if "'format': 'date'" in str(one["schema"])
        }
        body = example_of(schema, operation)
        dated = {name: day for name in ("date", "until") if name in body}
        if named or dated:
            address = re.sub(r"\{\w+\}", "trending", path.replace("{date}", day))
            query = {} if "{date}" in path else named
            answer = client.request(method, address, params=query, json=(body | dated) or None)
            answers[method, path] = answer.status_code
    assert len(answers) > 8
    assert {*answers.values()} == {422}, answers


def test_the_problem_names_the_unknown_names_and_those_there_are(site: Site) -> None:
    answer = site.client.get("/api/v1/papers?per_page=5&limit=5&offset=10")
    assert answer.json() == {
        "type": "about:blank",
        "code": "unknown-parameter",
        "title": "Not valid",
        "status": 422,
        "detail": "Not valid: offset, per_page",
        "errors": [
            {
                "field": name,
                "message": "There is no such query parameter here: it takes cursor, limit.",
            }
            for name in ("offset", "per_page")
        ],
    }
    none = site.client.get("/api/v1/papers/7?verbose=1").json()["errors"][0]["message"]
    assert none == "There is no such query parameter here: it takes none."


def test_a_stranger_learns_no_parameter_of_a_route_behind_a_key(site: Site) -> None:
    answer = site.client.get(f"/api/v1/admin/feeds?{UNKNOWN}=1")
    assert answer.status_code == 401
    assert "limit" not in answer.text


@pytest.mark.accept("F42", part="unknown names", mutant="no-route-takes-an-unknown-query-name")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/editions",
        "/search?q=dense",
        "/feeds/trending.atom",
        "/api/openapi.json",
        "/api/daily_papers?date=2026-03-02",
        "/api/papers/search?q=dense",
    ],
)
def test_pages_feeds_and_the_routes_of_hugging_face_take_any_query_name(
    site: Site, edition: Edition, path: str
) -> None:
    mark = "&" if "?" in path else "?"
    assert site.client.get(f"{path}{mark}utm_source=digest").status_code == 200
