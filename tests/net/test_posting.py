"""Posting: one place is told something, and nobody else."""

import json

import pytest

from paperround.domain.errors import FetchFailed, FetchRefused
from paperround.domain.feeds import FetchRequest
from tests.net.clients import guarded
from tests.net.faults import FaultServer, page, redirects, says


def test_what_is_posted_arrives_whole() -> None:
    content = json.dumps({"words": "ä" * 5000}).encode()
    with FaultServer({"/": says(page(b"done"))}) as server, guarded(server.at) as client:
        answer = client.get(FetchRequest(url=server.url("/v1"), content=content))
    [head], [body] = server.requests, server.bodies
    assert body == content
    assert answer.body == b"done"
    assert head.startswith(b"POST /v1 HTTP/1.1\r\n")


def test_without_content_it_is_a_get() -> None:
    with FaultServer({"/": says(page(b"done"))}) as server, guarded(server.at) as client:
        client.get(FetchRequest(url=server.url()))
    assert server.requests[0].startswith(b"GET / ")
    assert b"content-length" not in server.requests[0].lower()


def test_what_is_posted_follows_no_redirect() -> None:
    with (
        FaultServer({"/": redirects("/elsewhere"), "/elsewhere": says(page(b"x"))}) as server,
        guarded(server.at) as client,
        pytest.raises(FetchRefused, match="one place only"),
    ):
        client.get(FetchRequest(url=server.url(), content=b"secret"))
    assert len(server.requests) == 1


def test_an_error_says_nothing_of_what_was_posted() -> None:
    with (
        FaultServer({"/": says(page(b"no", status="401 No"))}) as server,
        guarded(server.at) as client,
        pytest.raises(FetchFailed) as caught,
    ):
        client.get(FetchRequest(url=server.url(), content=b"secret", headers={"x": "secret"}))
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(FetchRequest(url="x", content=b"secret"))
