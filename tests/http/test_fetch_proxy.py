"""Requests through the proxy of a network that has no other way out."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest

from paperround.config import load_settings, unused_proxy
from paperround.core.errors import FetchFailed, FetchRefused, Misconfigured
from paperround.http.model import FetchRequest
from paperround.http.network import Network, through
from tests.http.clients import PUBLIC, Led, guarded, nobody_s

FEED = FetchRequest(url="http://feeds.example/rss")


def head_of(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1024)
    return head


@contextmanager
def proxy(answer: bytes, heads: list[bytes]) -> Iterator[str]:
    """A proxy that answers CONNECT with `answer`, and requests after it as the feed would."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heads.append(head_of(connection))
            connection.sendall(answer)
            if b" 200 " in answer:
                heads.append(head_of(connection))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://ada:s%40fe@127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def behind(url: str, *answers: str) -> Network:
    return replace(Led([[*answers]]).network(nobody_s), dial=through(url))


def test_a_public_address_is_reached_through_the_proxy_as_it_was_checked() -> None:
    heads: list[bytes] = []
    with (
        proxy(b"HTTP/1.1 200 Established\r\n\r\n", heads) as url,
        guarded(network=behind(url, PUBLIC)) as client,
    ):
        assert client.get(FEED).body == b"hi"
    connect, get = heads
    assert connect.startswith(f"CONNECT {PUBLIC}:80 HTTP/1.".encode())
    assert b"Proxy-Authorization: Basic YWRhOnNAZmU=\r\n" in connect
    assert get.startswith(b"GET /rss ")
    assert b"Proxy-Authorization" not in get


def test_a_proxy_that_refuses_is_named_with_its_status_and_without_its_password() -> None:
    with (
        proxy(b"HTTP/1.1 407 Log in\r\n\r\n", []) as url,
        guarded(network=behind(url, PUBLIC)) as client,
        pytest.raises(FetchFailed, match=r"feeds.example .*PAPERROUND_FETCH_PROXY.*407") as caught,
    ):
        client.get(FEED)
    assert "fe@" not in str(caught.value)


def test_a_private_address_is_refused_behind_a_proxy_too() -> None:
    with (
        guarded(network=behind("http://127.0.0.1:9", "10.0.0.8")) as client,
        pytest.raises(FetchRefused, match="not on the public internet"),
    ):
        client.get(FEED)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_failure_names_a_proxy_of_the_environment_that_is_not_used(name: str) -> None:
    environment = {name: "http://proxy.example:3128"}
    hint = unused_proxy(load_settings(environment, file=None), environment)
    with (
        guarded(network=replace(Led([[PUBLIC]]).network(nobody_s), hint=hint)) as client,
        pytest.raises(FetchFailed, match=rf"{name} is set.*PAPERROUND_FETCH_PROXY"),
    ):
        client.get(FEED)
    used = {**environment, "PAPERROUND_FETCH_PROXY": "http://ada:s@proxy.example:3128"}
    assert unused_proxy(load_settings(used, file=None), used) == ""


def test_a_proxy_needs_an_address_with_a_port() -> None:
    with pytest.raises(Misconfigured, match=r"proxy\.example\.org:3128"):
        load_settings({"PAPERROUND_FETCH_PROXY": "socks5://proxy"}, file=None)
