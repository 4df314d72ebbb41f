"""Whatever a server does, a GET ends in time, in bounds and with an error that says what it was."""

import gzip
import json
import ssl
import subprocess
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from paperround.core.errors import FetchFailed, FetchRefused
from paperround.http.model import FetchRequest
from paperround.http.network import Address, Network
from paperround.http.transport import FetchLimits
from tests.certificates import certificate, server_context
from tests.http.clients import QUICK, Led, error_of, fetch, guarded
from tests.http.faults import (
    PATIENCE,
    Behaviour,
    Caller,
    FaultServer,
    bomb,
    floods,
    hangs,
    page,
    redirects,
    says,
    trickles,
)

ROOT = Path(__file__).parents[2]
PLAIN = b"HTTP/1.1 200 OK\r\n"

SLOW: dict[str, Behaviour] = {
    "/body": trickles(page(length=10_000), b"x"),
    "/chunks": trickles(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "/header-lines": trickles(PLAIN, b"X-More: yes\r\n"),
    "/one-header": trickles(PLAIN + b"X-Long: ", b"x"),
    "/status-line": trickles(b"", b"H"),
    "/interim": trickles(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", every=0.1),
    "/silence": hangs,
}
LARGE_BODIES: dict[str, Behaviour] = {
    "/ten-gigabytes": floods(page(length=10 * 1024**3), bytes(65536)),
    "/no-length": floods(PLAIN + b"\r\n", bytes(65536)),
    "/chunks": floods(
        PLAIN + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + bytes(32768) + b"\r\n"
    ),
}
CHUNKED = PLAIN + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE_ENDS: dict[str, Behaviour] = {
    "/chunk-extension": floods(CHUNKED + b"1;", b"x" * 65536),
    "/chunk-size": floods(CHUNKED, b"f" * 65536),
    "/trailers": floods(CHUNKED + b"0\r\n", b"X-More: yes\r\n" * 1000),
    "/empty-lines": floods(b"", b"\r\n" * 30_000),
}
LARGE_HEADS: dict[str, Behaviour] = {
    "/headers": floods(PLAIN, b"X-More: yes\r\n" * 1000),
    "/one-header": floods(PLAIN + b"X-Long: ", b"x" * 65536),
    "/many-headers": says(page(b"", *["X-More: yes"] * 200)),
    "/interim": floods(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000),
}
LYING: dict[str, tuple[Behaviour, str]] = {
    "less": (says(page(b"hello", length=9)), "ended its response early"),
    "more": (says(page(b"hello", length=3)), "sent more than it announced"),
    "chunk": (
        says(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n9\r\nx"),
        "ended its response early",
    ),
    "head": (says(PLAIN + b"X-Half: "), "ended its response early"),
    "nothing": (says(b""), "ended its response early"),
    "two": (says(page(b"x", "Content-Length: 7")), "not HTTP"),
    "no-number": (says(PLAIN + b"Content-Length: many\r\n\r\n"), "not HTTP"),
    "other": (says(b"220 mail.example ESMTP\r\n\r\n"), "not HTTP"),
    "upgrade": (says(page(status="101 Switching Protocols")), "not HTTP"),
}
BOMBS: dict[str, Behaviour] = {
    "/gzip": says(page(bomb(1500), "Content-Encoding: gzip")),
    "/gzip-in-chunks": says(
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
        + b"%x\r\n" % len(bomb(1500))
        + bomb(1500)
        + b"\r\n0\r\n\r\n"
    ),
    "/deflate": says(page(bomb(1500, wbits=15), "Content-Encoding: deflate")),
    "/bare-deflate": says(page(bomb(1500, wbits=-15), "Content-Encoding: deflate")),
    "/two": says(page(gzip.compress(bomb(1500), mtime=0), "Content-Encoding: gzip, gzip")),
    "/two-of-deflate": says(
        page(zlib.compress(bomb(1500, wbits=15)), "Content-Encoding: deflate, deflate")
    ),
    "/two-kinds": says(
        page(gzip.compress(bomb(1500, wbits=15), mtime=0), "Content-Encoding: deflate, gzip")
    ),
    "/two-lines": says(page(bomb(1500), "Content-Encoding: gzip", "Content-Encoding: deflate")),
    "/br": says(page(b"\xcf\xff\xff\x7f\xf8" * 1000, "Content-Encoding: br")),
}


@pytest.mark.accept("I1", part="time")
@pytest.mark.parametrize("path", SLOW)
def test_a_trickle_ends_with_the_time_for_the_whole(path: str) -> None:
    with FaultServer({"/": SLOW[path]}) as server:
        error = said(server.url(), server.at, limits=FetchLimits(total=0.4))
    assert error == "127.0.0.1 took more than 0.4 seconds"


@pytest.mark.accept("I1", part="size")
@pytest.mark.parametrize("path", LARGE_BODIES)
def test_a_body_without_end_is_cut(path: str) -> None:
    with pytest.raises(FetchRefused, match="more than 15 MiB"):
        fetch(LARGE_BODIES[path], limits=FetchLimits(total=20))


@pytest.mark.accept("I1", part="size")
@pytest.mark.parametrize("path", LARGE_HEADS)
def test_headers_without_end_are_cut(path: str) -> None:
    with pytest.raises(FetchRefused, match="too many headers"):
        fetch(LARGE_HEADS[path], limits=FetchLimits(total=20))


@pytest.mark.accept("I1", part="size")
@pytest.mark.parametrize("path", LARGE_ENDS)
def test_the_grammar_of_http_has_no_place_for_a_flood(path: str) -> None:
    with pytest.raises(FetchFailed, match=r"too many headers|not HTTP|more than 15 MiB"):
        fetch(LARGE_ENDS[path], limits=FetchLimits(total=20))


@pytest.mark.accept("I1", part="lengths")
@pytest.mark.parametrize("name", LYING)
def test_an_answer_that_is_not_what_it_says_is_an_error(name: str) -> None:
    behaviour, says_what = LYING[name]
    with pytest.raises(FetchFailed, match=says_what):
        fetch(behaviour)


@pytest.mark.accept("I1", part="redirects")
def test_redirects_without_end_are_followed_three_times() -> None:
    with FaultServer({"/": redirects("/again")}) as server:
        assert "more than 3 times" in said(server.url(), server.at)
    assert server.accepted == 4


@pytest.mark.accept("I1", part="time")
def test_redirects_share_the_time_of_one_get() -> None:
    with FaultServer({"/": redirects("/slow"), "/slow": SLOW["/body"]}) as server:
        error = said(server.url(), server.at, limits=FetchLimits(total=0.4))
    assert "took more than 0.4 seconds" in error


@pytest.mark.accept("I1", part="time")
def test_a_tls_handshake_that_never_ends_is_cut() -> None:
    with FaultServer({"/": hangs}) as server:
        error = said(f"https://{server.at}/", server.at, limits=FetchLimits(total=0.4))
    assert "took more than 0.4 seconds" in error


@pytest.mark.accept("I1", part="time")
def test_a_name_server_that_is_silent_is_not_waited_for() -> None:
    woken = Event()

    def silent(_host: str, _port: int) -> list[Address]:
        woken.wait(PATIENCE)
        return []

    error = said(
        "http://feeds.example/",
        limits=FetchLimits(connect=0.2, total=1),
        network=Network(look_up=silent),
    )
    woken.set()
    assert "whose lookup took too long" in error


def test_a_name_that_is_not_found_is_an_error() -> None:
    def nobody(_host: str, _port: int) -> list[Address]:
        raise OSError

    error = said("http://feeds.example/", network=Network(look_up=nobody))
    assert error == "feeds.example has a name that cannot be found"


def test_a_dead_address_leaves_time_for_the_next() -> None:
    with FaultServer({"/": says(page(b"hello"))}) as server:
        led = Led([["192.88.100.1", "93.184.216.34"]], port=server.port)
        with guarded(network=led.network()) as client:
            assert client.get(FetchRequest(url="http://feeds.example/")).body == b"hello"
    assert led.dialled == ["192.88.100.1", "93.184.216.34"]


def test_a_certificate_of_nobody_we_trust_is_an_error(tmp_path: Path) -> None:
    context = server_context(*certificate(tmp_path))
    with FaultServer({"/": says(page(b"hello"))}, tls=context) as server:
        said_of_it = said(server.url(), server.at)
    assert "a certificate that is not trusted (self-signed certificate)" in said_of_it
    assert server.requests == []


def test_a_certificate_of_an_authority_we_trust_opens_the_way(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(cert))
    with (
        FaultServer({"/": says(page(b"hello"))}, tls=server_context(cert, key)) as server,
        guarded(server.at, trust=trust) as client,
    ):
        assert client.get(FetchRequest(url=server.url())).body == b"hello"


@pytest.mark.accept("I2", part="refused")
@pytest.mark.parametrize("path", BOMBS)
def test_a_bomb_is_refused(path: str) -> None:
    with pytest.raises(FetchRefused, match=r"more than 20 MiB|more than once|none of gzip"):
        fetch(BOMBS[path], limits=FetchLimits(total=20))


@pytest.mark.slow
@pytest.mark.accept("I2")
def test_no_bomb_takes_more_than_64_mib_of_memory() -> None:
    errors, grown = measured(BOMBS, FetchLimits().total)
    assert set(errors) == {"FetchRefused"}
    assert grown <= 64


@pytest.mark.slow
@pytest.mark.accept("I1")
def test_no_fault_takes_more_than_its_time_and_64_mib_of_memory() -> None:
    slow, grown_by_slow = measured(SLOW, 0.4)
    quick, grown_by_quick = measured(QUICK_FAULTS, FetchLimits().total)
    assert set(slow) == {"FetchFailed"}
    assert set(quick) == {"FetchFailed", "FetchRefused"}
    assert max(grown_by_slow, grown_by_quick) <= 64


LYING_PATHS = {f"/lying-{name}": behaviour for name, (behaviour, _) in LYING.items()}
QUICK_FAULTS: dict[str, Behaviour] = {
    **LARGE_BODIES,
    **{f"/heads{path}": behaviour for path, behaviour in LARGE_HEADS.items()},
    **{f"/ends{path}": behaviour for path, behaviour in LARGE_ENDS.items()},
    **LYING_PATHS,
    "/circle": redirects("/circle"),
}


@pytest.mark.long
@pytest.mark.accept("I1", part="full limits")
@pytest.mark.parametrize("path", [*SLOW, "/never", "/slow-redirects"])
def test_no_slow_fault_takes_more_than_the_30_seconds_of_a_get(path: str) -> None:
    slow = {**SLOW, "/never": lambda caller: caller.pause(60), "/slow-redirects": slow_redirect}
    errors, grown = measured({path: slow[path]}, FetchLimits().total)
    assert errors in (["FetchFailed"], ["FetchRefused"])  # refused: too many headers in that time
    assert grown <= 64


@pytest.mark.long
@pytest.mark.accept("I1", part="full limits")
@pytest.mark.accept("I2", part="full limits")
@pytest.mark.parametrize("path", [*QUICK_FAULTS, *BOMBS])
def test_every_fault_grows_a_process_of_its_own_by_no_more_than_64_mib(path: str) -> None:
    errors, grown = measured({path: {**QUICK_FAULTS, **BOMBS}[path]}, FetchLimits().total)
    assert errors in (["FetchFailed"], ["FetchRefused"])
    assert grown <= 64


def slow_redirect(caller: Caller) -> None:
    """Each of the redirects takes its time: together they have that of one GET."""
    if not caller.pause(9.5):
        redirects("/slow-redirects")(caller)


def measured(paths: Mapping[str, Behaviour], seconds: float) -> tuple[list[str], float]:
    """(the error of each path, MiB by which they grew a process that asked for all of them)."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc to read the most memory a process ever had")
    program = [sys.executable, "-m", "tests.http.measuring"]
    with FaultServer({"/": hangs, **paths}) as server:
        told = subprocess.run(
            [*program, str(seconds), server.at, *paths],
            cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
        ).stdout  # fmt: skip
    result = json.loads(told)
    return result["errors"], result["grown_mib"]


def said(
    address: str,
    *allow: str,
    limits: FetchLimits = QUICK,
    network: Network = Network(),  # noqa: B008 - a frozen value
) -> str:
    """What the error of a GET says that may be tried again."""
    error = error_of(address, *allow, limits=limits, network=network)
    assert not error.permanent
    return str(error)
