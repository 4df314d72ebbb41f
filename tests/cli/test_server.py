"""The web server waits for a request's head only so long, and answers what it has begun."""

import asyncio
import select
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

import pytest

from paperround.cli import server as web_server
from paperround.cli.server import HEADER_SECONDS, TOO_SLOW, server
from tests.web.serving import forget_peak, peak

SHORT = 0.4
PATIENCE = 20.0
HELLO = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"
Place = tuple[str, int]


class App:
    """Answers at once; `/slow` only when it is released."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await receive()
        self.asked.append(scope)
        if scope["path"] == "/slow":
            self.begun.set()
            await asyncio.get_running_loop().run_in_executor(None, self.released.wait, PATIENCE)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def served(app: App) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = server(app, host="127.0.0.1", port=0)
        here.config.lifespan = "off"
        thread = threading.Thread(target=here.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            here.should_exit = True
            app.released.set()
            thread.join(PATIENCE)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(web_server, "HEADER_SECONDS", SHORT)
    return App()


@pytest.fixture
def place(app: App) -> Iterator[Place]:
    with served(app) as where:
        yield where


def call(place: Place, said: bytes = b"") -> socket.socket:
    """A connection on which that was said."""
    connection = socket.create_connection(place, timeout=PATIENCE)
    connection.sendall(said)
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    answer = b""
    try:
        while part := connection.recv(65_536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def answer(connection: socket.socket) -> bytes:
    """One answer with its two bytes of body."""
    heard = b""
    while not heard.endswith(b"\r\n\r\nok"):
        part = connection.recv(65_536)
        assert part, heard
        heard += part
    return heard


def trickle(connection: socket.socket) -> bytes:
    """Send a header without an end, a letter at a time, until the server answers."""
    for _ in range(1000):
        readable, _, _ = select.select([connection], [], [], SHORT / 20)
        if readable:
            return rest(connection)
        connection.sendall(b"x")
    raise AssertionError("the server is too patient")


@pytest.mark.accept("W3", part="slow header")
def test_a_connection_that_says_nothing_is_closed(place: Place) -> None:
    with call(place) as connection:
        assert rest(connection) == b""


@pytest.mark.accept("W3", part="slow header")
def test_a_head_that_trickles_in_is_refused_at_the_deadline(place: Place) -> None:
    with call(place, b"GET / HTTP/1.1\r\nhost: ") as connection:
        assert trickle(connection).startswith(b"HTTP/1.1 408 ")
    assert HEADER_SECONDS < 10


@pytest.mark.accept("W3", part="slow header")
def test_a_second_head_that_trickles_in_is_refused_too(place: Place) -> None:
    with call(place, HELLO) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET / HTTP/1.1\r\nhost: ")
        assert trickle(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.accept("W3", part="slow header")
def test_half_a_head_right_behind_a_request_is_not_waited_for(place: Place) -> None:
    with call(place, HELLO + b"GET / HTTP/1.1\r\nhost: ") as connection:
        assert answer(connection).startswith(b"HTTP/1.1 200 ")
        assert rest(connection) in (b"", TOO_SLOW)


@pytest.mark.accept("W3", part="fields")
@pytest.mark.parametrize(
    "field", [b"a: b\r\n", b"\ta\r\n", b"a" * 4096], ids=["many", "folded", "one"]
)
def test_a_head_of_a_million_fields_is_refused_cheaply(place: Place, field: bytes) -> None:
    with call(place, HELLO) as connection:  # what the first request costs is no matter of size
        answer(connection)
    forget_peak()
    before, begin = peak(), perf_counter()
    with call(place, b"GET / HTTP/1.1\r\nhost: x\r\nx: y\r\n") as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1_000):
                connection.sendall(field * 1_000)
        assert rest(connection).startswith(b"HTTP/1.1 400 ")
    assert perf_counter() - begin < 10
    assert peak() - before <= 32 * 1024 * 1024


@pytest.mark.accept("W2", part="the server")
def test_the_server_believes_no_header_about_who_asks(app: App, place: Place) -> None:
    told = b"x-forwarded-for: 198.51.100.7\r\nx-forwarded-proto: https\r\n"
    with call(place, HELLO.replace(b"host", told + b"host")) as connection:
        answer(connection)
    [asked] = app.asked
    assert (asked["client"][0], asked["scheme"]) == ("127.0.0.1", "http")


def test_a_kept_connection_is_asked_again_and_closed_when_it_rests(place: Place) -> None:
    with call(place, HELLO) as connection:
        for _ in range(3):
            answer(connection)
            connection.sendall(HELLO)
        answer(connection)
        assert rest(connection) == b""


@pytest.mark.parametrize("before", [b"", HELLO], ids=["alone", "behind another"])
def test_an_answer_may_take_longer_than_the_head(app: App, place: Place, before: bytes) -> None:
    with call(place, before + SLOW) as connection:
        assert app.begun.wait(PATIENCE)
        with call(place) as later:  # its time begins later, and is over sooner
            assert rest(later) == b""
        app.released.set()
        connection.sendall(HELLO.replace(b"host: x", b"host: x\r\nconnection: close"))
        assert rest(connection).count(b"200 OK") == 2 + bool(before)


@pytest.mark.accept("W9", part="the server")
def test_the_server_does_not_say_what_it_is(place: Place) -> None:
    with call(place, HELLO) as connection:
        assert b"server:" not in answer(connection).lower()


@pytest.mark.accept("O4", part="the word is passed on at once")
def test_a_signal_is_passed_on_before_the_server_drains() -> None:
    told: list[str] = []
    here = server(App(), host="127.0.0.1", port=0, on_stop=lambda: told.append("stop"))
    here.handle_exit(signal.SIGTERM, None)
    assert (told, here.should_exit) == (["stop"], True)
