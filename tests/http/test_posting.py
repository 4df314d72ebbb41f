"""Posting: one place is told something, and nobody else."""

import json
import logging

import pytest

from paperround.core.errors import FetchFailed, FetchRefused, Unanswered
from paperround.http.model import FetchRequest
from tests.http.clients import guarded
from tests.http.faults import PATIENCE, Behaviour, Caller, FaultServer, page, redirects, says


def hangs_up(_caller: Caller) -> None:
    """Reads what is posted and says nothing."""


def test_what_is_posted_arrives_whole() -> None:
    content = json.dumps({"words": "ä" * 5000}).encode()
    with FaultServer({"/": says(page(b"done"))}) as server, guarded(server.at) as client:
        answer = client.get(FetchRequest(url=server.url("/v1"), content=content))
    [head], [body] = server.requests, server.bodies
    assert body == content
    assert answer.body == b"done"
    assert head.startswith(b"POST /v1 HTTP/1.1\r\n")


def test_what_is_posted_follows_no_redirect() -> None:
    with (
        FaultServer({"/": redirects("/elsewhere"), "/elsewhere": says(page(b"x"))}) as server,
        guarded(server.at) as client,
        pytest.raises(FetchRefused, match="do not follow"),
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


# --- posts that must not be made twice ---------------------------------------------------------


def test_an_answer_of_any_status_is_told() -> None:
    refusal = page(b"no_service", "Retry-After: 3", status="404 Not Found")
    with FaultServer({"/": says(refusal)}) as server, guarded(server.at) as client:
        answer = client.post(
            FetchRequest(url=server.url(), content=b"{}"), before_body=lambda: True
        )
    assert (answer.status, answer.body) == (404, b"no_service")
    assert answer.headers["retry-after"] == "3"


def test_whoever_is_asked_first_has_the_server_on_the_line_and_no_byte_is_sent() -> None:
    with FaultServer({"/": says(page(b"ok"))}) as server, guarded(server.at) as client:
        seen: list[tuple[int, int]] = []

        def asked() -> bool:
            server.connected.wait(PATIENCE)
            seen.append((server.accepted, len(server.requests)))
            return True

        client.post(FetchRequest(url=server.url(), content=b"{}"), before_body=asked)
    assert seen == [(1, 0)]


def test_a_no_keeps_everything_back() -> None:
    with (
        FaultServer({"/": says(page(b"ok"))}) as server,
        guarded(server.at) as client,
        pytest.raises(FetchRefused),
    ):
        client.post(FetchRequest(url=server.url(), content=b"{}"), before_body=lambda: False)
    assert not any(server.bodies)


@pytest.mark.parametrize("behave", [hangs_up, says(b"HTTP/1.1 2"), says(b"no HTTP\r\n\r\n")])
def test_a_silence_after_the_body_is_told_from_one_before_it(behave: Behaviour) -> None:
    with (
        FaultServer({"/": behave}) as server,
        guarded(server.at) as client,
        pytest.raises(Unanswered, match=r"127\.0\.0\.1"),
    ):
        client.post(FetchRequest(url=server.url(), content=b"{}"), before_body=lambda: True)


def test_nobody_is_asked_where_nobody_listens() -> None:
    with FaultServer({"/": says(page())}) as server:
        place, url = server.at, server.url()
    with guarded(place) as client, pytest.raises(FetchFailed) as caught:
        client.post(FetchRequest(url=url, content=b"{}"), before_body=never)
    assert type(caught.value) is FetchFailed


def test_a_private_address_is_not_posted_to() -> None:
    with FaultServer({"/": says(page())}) as server, guarded() as client:
        with pytest.raises(FetchRefused):
            client.post(FetchRequest(url=server.url(), content=b"{}"), before_body=never)
        assert server.accepted == 0


def test_a_status_counts_though_the_rest_of_the_answer_does_not_come() -> None:
    with (
        FaultServer({"/": says(page(b"ok", length=99))}) as server,
        guarded(server.at) as client,
    ):
        answer = client.post(
            FetchRequest(url=server.url(), content=b"{}"), before_body=lambda: True
        )
    assert (answer.status, answer.body) == (200, b"")


def test_a_post_that_is_redirected_is_told_so_and_goes_nowhere() -> None:
    with (
        FaultServer({"/": redirects("/elsewhere"), "/elsewhere": says(page(b"x"))}) as server,
        guarded(server.at) as client,
    ):
        answer = client.post(
            FetchRequest(url=server.url(), content=b"{}"), before_body=lambda: True
        )
    assert answer.status == 302
    assert len(server.requests) == 1


def test_an_address_that_is_posted_to_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultServer({"/": says(page(b"ok"))}) as server, guarded(server.at) as client:
        hook = server.url("/services/a-secret")
        client.post(FetchRequest(url=hook, content=b"{}"), before_body=lambda: True)
    assert "a-secret" not in caplog.text


def never() -> bool:
    raise AssertionError("nobody is there to be asked")
