"""A sign-up by program goes straight to its handler, and nobody can tell."""

import pytest
from fastapi import routing
from httpx2 import Response

from tests.web.conftest import Site

PATH = "/api/v1/subscriptions"
STRAIGHT, BY_THE_FRAMEWORK = "application/json", "application/json; charset=utf-8"
BODIES = (
    '{"email": "ada@mail.example"}',
    '{"email": "ada@gmial.com", "hour": 7, "topics": ["protein folding"], "language": "de"}',
    '{"email": "ada@mail.example", "hour": true, "frequency": "weekly:mon"}',
    '{"email": "ada@mail.example", "interests": [{"kind": "topic", "value": "agents"}]}',
    '{"email": "eve@mail.example", "email": "ada@mail.example"}',
    '{"email": "ada@mail.example", "hour": 24}',
    '{"email": "ada@mail.example", "hour": NaN}',
    '{"email": "ada@mail.example", "source": "form"}',
    '{"email": "ada"}',
    '{"email": "ada@mail.example", "list": "no such list"}',
    '{"email": "ada@mail.example"',
    '["ada@mail.example"]',
    "[" * 20_000,
    "",
)


def answer(site: Site, body: str, kind: str) -> Response:
    return site.client.post(PATH, content=body, headers={"content-type": kind})


@pytest.mark.accept("F27", part="api")
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:60])
def test_both_ways_answer_alike(site: Site, body: str) -> None:
    straight, other = answer(site, body, STRAIGHT), answer(site, body, BY_THE_FRAMEWORK)
    assert straight.status_code == other.status_code
    assert straight.content == other.content
    assert straight.headers == other.headers


@pytest.mark.accept("B10", part="straight to the handler")
def test_a_plain_one_is_none_of_the_frameworks_business(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(**_: object) -> None:
        raise AssertionError("the framework was asked")

    monkeypatch.setattr(routing, "solve_dependencies", refuse)
    assert answer(site, BODIES[0], STRAIGHT).status_code == 202
    assert answer(site, BODIES[0], BY_THE_FRAMEWORK).status_code == 500
