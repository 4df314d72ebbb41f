"""What the guard lets through: hosts, addresses, sizes, times, methods, other people's pages."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from time import perf_counter

import pytest
from fastapi import Request, Response, WebSocket, WebSocketDisconnect
from fastapi.routing import iter_route_contexts

from paperround.config import load_settings
from paperround.core.errors import Misconfigured
from paperround.digests.sending import deliver
from paperround.web import security
from paperround.web.app import COOKIELESS, rules_for
from paperround.web.app import Site as Application
from paperround.web.security import UNSAFE, client_address
from tests.web.conftest import Site
from tests.web.serving import exchange, forget_peak, peak, served, status

EVIL = "evil.example"
MEBIBYTE = 1024 * 1024
HEAD = "POST {path} HTTP/1.1\nHost: papers.example\nContent-Type: {kind}\n{more}\n\n"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

# --- hosts -------------------------------------------------------------------------------------


@pytest.mark.accept("W1")
@pytest.mark.parametrize(
    "host", [EVIL, f"papers.example.{EVIL}", f"{EVIL}:443", "[::2]", "10.0.0.1"]
)
def test_a_foreign_host_is_turned_away_and_never_repeated(site: Site, host: str) -> None:
    for path in ("/", "/snippet", "/subscribe", "/api/v1/subscriptions", "/none"):
        answer = site.client.get(path, headers={"host": host}, follow_redirects=False)
        assert answer.status_code == 421
        assert EVIL not in answer.text + str(answer.headers)


@pytest.mark.accept("W1")
@pytest.mark.parametrize(
    "host",
    [
        f"papers.example@{EVIL}",
        f"papers.example:80@{EVIL}",
        f"papers.example:x.{EVIL}",
        f"papers.example/{EVIL}",
        f"papers.example\\{EVIL}",
        f"papers.example, {EVIL}",
        f"[::1]{EVIL}",
        f"[::1]:9.{EVIL}",
        "papers.example:",
        "papers.example:800000",
        "papers.example\t",
        "papers%2eexample",
        'papers.example"onload=',
        "pap\xebrs.example",
        "[papers.example]",
        "::1",
        "",
    ],
)
def test_what_can_be_no_host_is_a_bad_request(site: Site, host: str) -> None:
    for path in ("/", "/snippet", "/subscribe", "/api/v1/subscriptions", "/none"):
        headers = {b"host": host.encode("latin-1")}
        answer = site.client.get(path, headers=headers, follow_redirects=False)
        assert answer.status_code == 400
        assert EVIL not in answer.text + str(answer.headers)


@pytest.mark.accept("W1")
def test_of_two_hosts_in_one_request_none_counts(site: Site) -> None:
    twice = [("host", "papers.example"), ("host", EVIL)]
    assert site.client.get("/snippet", headers=twice).status_code == 400


@pytest.mark.accept("W1")
@pytest.mark.parametrize("name", ["host", "x-forwarded-host", "forwarded"])
def test_no_header_decides_where_the_links_of_a_mail_lead(site: Site, name: str) -> None:
    headers = {name: "localhost" if name == "host" else EVIL}
    site.client.post("/subscribe", data={"email": "ada@mail.example"}, headers=headers)
    site.work()
    assert deliver(site.runtime.post()).notices.sent == 1
    [mail] = (site.runtime.settings.data_dir / "outbox").glob("[!.]*.eml")
    text = mail.read_text(encoding="utf-8")
    assert "https://papers.example/confirm/" in text
    assert not any(name in text for name in (EVIL, "//localhost", "@localhost"))


@pytest.mark.accept("W1")
@pytest.mark.parametrize("name", ["x-forwarded-host", "x-host", "forwarded", "x-original-url"])
def test_a_forwarded_host_reaches_no_link_and_no_redirect(site: Site, name: str) -> None:
    for path in ("/", "/snippet", "/editions/", "/papers/1/"):
        headers = {name: f"host={EVIL}"}
        answer = site.client.get(path, headers=headers, follow_redirects=False)
        assert EVIL not in answer.text + str(answer.headers)


@pytest.mark.accept("W1")
def test_an_absolute_address_in_the_request_line_reaches_no_link(site: Site) -> None:
    lines = [f"GET http://{EVIL}/snippet HTTP/1.1", f"GET http://papers.example@{EVIL}/ HTTP/1.1"]
    lines += [f"GET //{EVIL}/.. HTTP/1.1", f"GET @{EVIL}/ HTTP/1.1"]
    with served(site.app) as place:
        for line in lines:
            head = f"{line}\nHost: papers.example\nConnection: close\n\n"
            assert EVIL.encode() not in exchange(place, head)


@pytest.mark.parametrize(
    "host", ["papers.example", "PAPERS.example.", "papers.example:8443", "[::1]", "[::1]:8000"]
)
def test_our_own_host_is_served_however_it_is_spelt(site: Site, host: str) -> None:
    assert site.client.get("/robots.txt", headers={"host": host}).status_code == 200


# --- client addresses --------------------------------------------------------------------------


@pytest.mark.accept("W2")
@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("203.0.113.9", [], [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], [], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1", "10.0.0.2"], ["10.0.0.0/8"], "198.51.100.1"),
        ("203.0.113.9", ["10.0.0.2"], ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1:444,"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:444", "10.0.0.2:80, "], ["10.0.0.0/8"], "2001:db8::7"),
        ("10.0.0.1", ["198.51.100.1:0x1"], ["10.0.0.0/8"], None),
        ("10.0.0.1", ["unknown"], ["10.0.0.0/8"], None),
        ("10.0.0.1", [], ["10.0.0.0/8"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:db8::7"], ["10.0.0.0/8"], "2001:db8::7"),
        (None, ["198.51.100.1"], ["10.0.0.0/8"], None),
    ],
)
def test_the_client_is_whom_trusted_proxies_name(
    peer: str | None, forwarded: list[str], proxies: list[str], client: str | None
) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"client": peer and (peer, 1234), "headers": headers}
    assert client_address(scope, map(ip_network, proxies)) == client


@pytest.mark.accept("W2")
@pytest.mark.parametrize("everybody", ["*", "0.0.0.0/0", "::/0", "127.0.0.1, ::/0"])
def test_trusting_everybody_is_refused_at_the_start(everybody: str) -> None:
    with pytest.raises(Misconfigured, match="TRUSTED_PROXIES"):
        load_settings({"PAPERROUND_TRUSTED_PROXIES": everybody})


# --- sizes and times ---------------------------------------------------------------------------


def endless(part: bytes, total: int) -> Iterator[bytes]:
    yield from itertools.repeat(part, total // len(part))


def chunks(part: bytes, total: int) -> Iterator[bytes]:
    framed = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    yield from endless(framed, total)


@pytest.mark.accept("W3")
def test_bodies_without_end_are_refused_in_bounded_memory(site: Site) -> None:
    size = 300 * MEBIBYTE
    announced = HEAD.format(path="/subscribe", kind=FORM, more=f"Content-Length: {size}")
    chunked = HEAD.format(path="/subscribe", kind=FORM, more="Transfer-Encoding: chunked")
    fields, deep = b"a=&" * 1_000_000, b'{"email":' + b"[" * 200_000
    with served(site.app) as place:
        site.client.get("/")
        forget_peak()
        before, begin = peak(), perf_counter()
        answers = [
            exchange(place, announced, endless(b"x" * MEBIBYTE, size)),
            exchange(place, chunked, chunks(b"x" * MEBIBYTE, size)),
            exchange(place, _sized("/subscribe", FORM, len(fields)), iter([fields])),
            exchange(place, _sized("/api/v1/subscriptions", JSON, len(deep)), iter([deep])),
        ]
        took, grown = perf_counter() - begin, peak() - before
    assert [status(answer) for answer in answers] == [413] * 4
    assert took < 10  # seconds, for all of them
    assert grown <= 32 * MEBIBYTE


def test_a_request_with_two_lengths_is_refused_and_nothing_after_it_is_read(site: Site) -> None:
    more = "Content-Length: 5\nTransfer-Encoding: chunked"
    second = b"GET /robots.txt HTTP/1.1\r\nHost: papers.example\r\nConnection: close\r\n\r\n"
    head = HEAD.format(path="/subscribe", kind=FORM, more=more)
    with served(site.app) as place:
        answer = exchange(place, head, [b"0\r\n\r\n", second])
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1


def _sized(path: str, kind: str, size: int) -> str:
    return HEAD.format(path=path, kind=kind, more=f"Content-Length: {size}\nConnection: close")


@pytest.mark.accept("W3")
@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/api/v1/subscriptions", JSON, b'{"email":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
        ("/api/v1/subscriptions", JSON, b"[" * 60_000),
        ("/subscribe", FORM, b"a=&" * 20_000),
        ("/subscribe", "multipart/form-data; boundary=x", b"--x\r\n" * 10_000),
    ],
)
def test_a_body_that_is_deep_or_crowded_is_a_bad_request(
    site: Site, path: str, kind: str, body: bytes
) -> None:
    answer = site.client.post(path, content=body, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500


@pytest.mark.accept("W3")
def test_a_body_that_trickles_is_not_waited_for(site: Site) -> None:
    assert isinstance(site.app, Application)
    rules = rules_for(site.runtime)
    assert rules.seconds <= 10
    site.app.state.rules = replace(rules, seconds=0.2)
    site.app.middleware_stack = None  # made anew with the next request
    with served(site.app) as place:
        answer = exchange(place, _sized("/subscribe", FORM, 100), iter([b"e"]))
    assert status(answer) == 408


# --- other people's pages ----------------------------------------------------------------------

FOREIGN = [
    {"sec-fetch-site": "cross-site", "origin": f"https://{EVIL}"},
    {"sec-fetch-site": "same-site"},
    {"origin": f"https://{EVIL}"},
    {"origin": "null"},
    {},
]


@pytest.fixture
def touched(site: Site) -> list[str]:
    """What a route that reads a cookie was made to do."""
    done: list[str] = []

    @site.app.post("/with-cookie")
    def act(request: Request) -> None:
        done.append(request.cookies["session"])

    return done


@pytest.mark.accept("W6")
@pytest.mark.parametrize("headers", FOREIGN)
def test_another_sites_page_cannot_act_with_a_readers_cookie(
    site: Site, touched: list[str], headers: dict[str, str]
) -> None:
    answer = site.client.post("/with-cookie", headers={"cookie": "session=1", **headers})
    assert answer.status_code == 403
    assert not touched


@pytest.mark.accept("W6")
def test_our_own_pages_may_act(site: Site, touched: list[str]) -> None:
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "https://papers.example"}):
        sent = site.client.post("/with-cookie", headers={"cookie": "session=1", **headers})
        assert sent.status_code == 200
    assert touched == ["1", "1"]


@pytest.mark.accept("W6")
@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "null"}], ids=["new", "old"]
)
def test_routes_without_cookies_take_posts_from_anywhere(
    site: Site, headers: dict[str, str]
) -> None:
    """Old browsers call our own pages `null`: those ask for no referrer to be sent."""
    said = {"cookie": "session=1", **headers}
    assert site.client.post("/unsubscribe/x", headers=said).status_code == 200
    asked = {"email": "ada@mail.example"}
    for path in ("/preferences", "/subscribe"):
        assert site.client.post(path, data=asked, headers=said).status_code == 200, path


READS_A_COOKIE = re.compile(r"\.cookies\b|\bCookie\b|[\"']cookie[\"']")


@pytest.mark.accept("W6", part="by name")
def test_routes_that_take_posts_from_anywhere_are_named_and_read_no_cookie(site: Site) -> None:
    """One that is added and reads a cookie has to stay out of the names."""
    unsafe = {
        str(route.path)
        for route in iter_route_contexts(site.app.routes)
        if (route.methods or set()) & UNSAFE
    }
    assert len(unsafe) > 20
    others = [path for path in unsafe if not path.startswith(COOKIELESS)]
    assert [path for path in others if not path.startswith("/admin/")] == []
    modules = Path(security.__file__).parent.rglob("*.py")
    readers = {one.name for one in modules if READS_A_COOKIE.search(one.read_text("utf-8"))}
    assert readers == {"security.py", "session.py"}


# --- methods -----------------------------------------------------------------------------------


@pytest.mark.accept("W9")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/confirm/x", "GET, HEAD, POST"),
        ("/subscribe", "GET, HEAD, POST"),
        ("/subscribe/preview", "GET, HEAD, POST"),
        ("/", "GET, HEAD"),
        ("/static/site.css", "GET, HEAD"),
        ("/api/v1/admin/feeds", "GET, HEAD, POST"),
        ("/api/v1/admin/feeds/1", "DELETE, GET, HEAD, PATCH"),
    ],
)
def test_a_method_that_is_not_possible_is_told_which_are(
    site: Site, path: str, allowed: str
) -> None:
    assert site.client.request("PROPFIND", path).headers["allow"] == allowed


def test_a_websocket_is_refused_whatever_is_behind_the_guard(site: Site) -> None:
    @site.app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()

    with pytest.raises(WebSocketDisconnect), site.client.websocket_connect("/talk"):
        pass


@pytest.mark.accept("W9", part="a handler")
def test_no_handler_says_what_serves_it(site: Site) -> None:
    site.app.get("/says")(lambda: Response("ok", headers={"server": "x/1.2"}))
    answer = site.client.get("/says")
    assert (answer.text, "server" in answer.headers) == ("ok", False)


def test_head_is_get_without_its_body(site: Site) -> None:
    got, headed = site.client.get("/snippet"), site.client.head("/snippet")
    assert headed.status_code == 200
    assert headed.content == b""
    assert headed.headers["content-length"] == got.headers["content-length"]
