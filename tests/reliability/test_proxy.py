"""The bad line does what it is told to, and the same each time."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from tests.reliability.proxy import Proxy, Tripwire
from tests.reliability.toxics import (
    Bandwidth,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)

WORDS = bytes(range(256)) * 4


class Echo:
    """A server that says everything back, and ends when its client does."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Echo":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                self._echo(sock)

    def _echo(self, sock: socket.socket) -> None:
        try:
            while piece := sock.recv(65536):
                self.heard += piece
                sock.sendall(piece)
        except OSError:
            return  # the line is bad


@contextmanager
def line(
    to_server: tuple[Toxic, ...] = (), to_client: tuple[Toxic, ...] = (), **chance: float
) -> Iterator[tuple[Echo, Proxy]]:
    with (
        Echo() as echo,
        Proxy(
            echo.address,
            to_server=to_server,
            to_client=to_client,
            seed=int(chance.get("seed", 0)),
            share=chance.get("share", 1.0),
        ) as proxy,
    ):
        yield echo, proxy


def said(proxy: Proxy, words: bytes = WORDS) -> tuple[list[bytes], bool, float]:
    """The pieces that come back, whether the line was reset, and the seconds until its end."""
    begin, pieces = time.monotonic(), list[bytes]()
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(words)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                pieces.append(piece)
    except OSError:
        return pieces, True, time.monotonic() - begin
    return pieces, False, time.monotonic() - begin


def test_a_line_without_toxics_passes_everything_both_ways() -> None:
    with line() as (echo, proxy):
        pieces, was_reset, _ = said(proxy)
        assert (b"".join(pieces), was_reset, bytes(echo.heard)) == (WORDS, False, WORDS)
        assert proxy.idle.wait(10)
    assert (proxy.connections, proxy.lost) == (1, 0)


@pytest.mark.parametrize("way", ["to_server", "to_client"])
@pytest.mark.parametrize(
    ("toxic", "least"),
    [(Latency(0.1), 0.1), (Bandwidth(len(WORDS) * 10), 0.1), (SlowClose(0.1), 0.1)],
    ids=["latency", "bandwidth", "slow close"],
)
def test_what_is_late_comes_whole(way: str, toxic: Toxic, least: float) -> None:
    up, down = ((toxic,), ()) if way == "to_server" else ((), (toxic,))
    with line(up, down) as (_, proxy):
        pieces, was_reset, seconds = said(proxy)
    assert (b"".join(pieces), was_reset) == (WORDS, False)
    assert seconds >= least


@pytest.mark.parametrize("way", ["to_server", "to_client"])
@pytest.mark.parametrize(
    ("toxic", "resets"),
    [(LimitData(100), False), (ResetPeer(100), True), (Timeout(0.1, after=100), False)],
    ids=["limit data", "reset peer", "timeout"],
)
def test_what_is_cut_off_is_cut_at_its_byte(way: str, toxic: Toxic, resets: bool) -> None:
    up, down = ((toxic,), ()) if way == "to_server" else ((), (toxic,))
    with line(up, down) as (echo, proxy):
        pieces, was_reset, _ = said(proxy)
    got = b"".join(pieces)
    assert WORDS.startswith(got)
    assert len(got) <= 100
    assert WORDS.startswith(echo.heard)
    assert len(echo.heard) <= (100 if way == "to_server" else len(WORDS))
    assert was_reset is resets
    assert proxy.lost == 1


def test_a_slicer_sends_small_pieces_of_the_same_bytes() -> None:
    with line(to_client=(Slicer(50, vary=10), Latency(0.001))) as (_, proxy):
        pieces, _, _ = said(proxy)
    assert b"".join(pieces) == WORDS
    assert len(pieces) > 5


def test_the_same_seed_spares_the_same_connections() -> None:
    def fates(seed: int) -> list[bool]:
        with line(to_server=(LimitData(10),), share=0.5, seed=seed) as (_, proxy):
            return [b"".join(said(proxy)[0]) == WORDS for _ in range(12)]

    first = fates(1)
    assert set(first) == {True, False}
    assert fates(1) == first
    assert fates(2) != first


def test_a_line_that_is_pulled_resets_what_is_open_until_it_is_plugged_in() -> None:
    with line() as (_, proxy):
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock:
            sock.sendall(b"hello")
            assert sock.recv(5) == b"hello"
            proxy.pull_the_plug()
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        assert said(proxy)[0] == []
        proxy.plug_in()
        assert b"".join(said(proxy)[0]) == WORDS


@pytest.mark.parametrize("heard", [False, True])
def test_a_tripwire_cuts_before_or_after_the_word_was_heard_and_once(heard: bool) -> None:
    with line() as (echo, proxy):
        wire = proxy.trip(Tripwire(b"COMMIT", heard=heard))
        assert said(proxy, b"BEGIN")[0] == [b"BEGIN"]
        pieces, was_reset, _ = said(proxy, b"COMMIT")
        assert (pieces, was_reset, wire.sprung.is_set()) == ([], True, True)
        assert bytes(echo.heard) == (b"BEGINCOMMIT" if heard else b"BEGIN")
        assert said(proxy, b"COMMIT")[0] == [b"COMMIT"]
