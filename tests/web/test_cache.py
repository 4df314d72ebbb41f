"""Public pages are rendered once a minute; no visitor's own page is cached."""

import re
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paperround.config import Settings
from paperround.editions.model import Edition
from paperround.web import form_token
from paperround.web.cache import PageCache, add_etags
from paperround.web.form_token import FormSender
from paperround.web.language import language_middleware
from paperround.web.templates import PUBLIC_HEADERS, STAMP
from tests.builders import paper
from tests.web.conftest import Site, running
from tests.web.papers import keep

PAGES = ("/", "/trending", "/editions", "/calendar", "/sources", "/ranking", "/snippet", "/api")


@dataclass
class Counted:
    """An application that says how often it was asked."""

    body: str = "page {}"
    headers: dict[str, str] = field(default_factory=lambda: dict(PUBLIC_HEADERS))
    kind: str = "text/html; charset=utf-8"
    asked: int = 0

    async def app(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked += 1
        said = {"content-type": self.kind, **self.headers}
        headers = [(name.encode(), value.encode()) for name, value in said.items()]
        start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        body = self.body.format(self.asked).encode()
        await send({"type": "http.response.body", "body": body})


@dataclass
class Cached:
    """An application behind a cache, and the seconds that move it."""

    counted: Counted
    most_bytes: int = 100_000
    seconds: float = 0.0

    def __post_init__(self) -> None:
        cache = PageCache(
            lambda: f"at {self.seconds:g}",
            max_bytes=self.most_bytes,
            timer=lambda: self.seconds,
        )
        served: ASGIApp = language_middleware(add_etags(cache.wrap(self.counted.app)))
        self.client = TestClient(served)

    def asks(self, path: str = "/", **headers: str) -> str:
        return self.client.get(path, headers=headers).text


@pytest.mark.accept("B11", part="kept")
def test_a_page_is_rendered_once_a_minute() -> None:
    one = Cached(Counted())
    assert [one.asks(), one.asks()] == ["page 1", "page 1"]
    one.seconds = 59
    assert one.asks() == "page 1"
    one.seconds = 60
    assert [one.asks(), one.asks()] == ["page 2", "page 2"]


def test_every_address_has_its_own_page() -> None:
    one = Cached(Counted())
    assert [one.asks("/a"), one.asks("/a?x=1"), one.asks("/a")] == ["page 1", "page 2", "page 1"]


@pytest.mark.accept("F26", part="pages")
def test_every_language_has_its_own_page() -> None:
    one = Cached(Counted(headers={**PUBLIC_HEADERS, "vary": "accept-language"}))
    asked = ("de", "fr", "de-AT", "fr")
    said = [one.client.get("/", headers={"accept-language": language}).text for language in asked]
    assert said == ["page 1", "page 2", "page 1", "page 2"]


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store"},
        {"cache-control": "private, max-age=60"},
        {**PUBLIC_HEADERS, "vary": "cookie"},
        {**PUBLIC_HEADERS, "set-cookie": "a=b"},
        {},
    ],
)
def test_what_is_not_for_everybody_is_never_cached(headers: dict[str, str]) -> None:
    one = Cached(Counted(headers=headers))
    assert [one.asks(), one.asks()] == ["page 1", "page 2"]


def test_only_pages_are_cached() -> None:
    one = Cached(Counted(kind="application/json"))
    assert [one.asks(), one.asks()] == ["page 1", "page 2"]


def test_the_cache_is_no_larger_than_it_may_be() -> None:
    one = Cached(Counted(body="x" * 300 + "{}"), most_bytes=1000)
    for path in ("/a", "/b", "/a", "/c"):
        one.asks(path)
    assert one.counted.asked == 3
    one.asks("/a")
    assert one.counted.asked == 3, "it was asked for after the other one"
    one.asks("/b")
    assert one.counted.asked == 4


def test_long_addresses_take_room_in_the_cache_too() -> None:
    one = Cached(Counted(), most_bytes=1000)
    paths = [f"/a?{'x' * 400}{number}" for number in range(3)]
    for path in (*paths, paths[0]):
        one.asks(path)
    assert one.counted.asked == 4, "the first had to make room"


def test_a_page_that_is_larger_than_the_cache_is_rendered_each_time() -> None:
    one = Cached(Counted(body="x" * 1001), most_bytes=1000)
    one.asks()
    one.asks()
    assert one.counted.asked == 2


def test_each_visitor_gets_the_stamp_of_their_moment() -> None:
    one = Cached(Counted(body=f"a {STAMP} b {STAMP} {{}}"))
    assert one.asks() == "a at 0 b at 0 1"
    one.seconds = 30
    assert one.asks() == "a at 30 b at 30 1"


def test_a_page_with_a_form_is_rendered_again_after_a_form_was_sent() -> None:
    form, plain = Cached(Counted(body=f"{STAMP} {{}}")), Cached(Counted())
    for one in (form, plain):
        one.asks()
        one.client.post("/subscribe")
        one.asks()
    assert (form.counted.asked, plain.counted.asked) == (3, 2)


# --- the site ------------------------------------------------------------------------------------


@pytest.mark.accept("F38", part="unchanged pages")
@pytest.mark.parametrize("path", [*PAGES, "/papers/2603.00001", "/editions/trending/2026-03-02"])
def test_who_has_a_page_already_is_told_that_it_has_not_changed(
    site: Site, edition: Edition, path: str
) -> None:
    keep(site, paper(1))
    first = site.client.get(path)
    assert first.headers["cache-control"] == PUBLIC_HEADERS["cache-control"]
    known = {"if-none-match": first.headers["etag"]}
    again = site.client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_form_on_a_cached_page_is_as_old_as_its_visit(settings: Settings) -> None:
    with running(settings, cache_seconds=60) as site:
        for _ in range(2):
            [stamp] = re.findall('name="stamp" value="([^"]+)"', site.client.get("/").text)
            keys = site.runtime.signup_context.keys
            assert form_token.check_stamp(keys, stamp, now=site.clock.now()) is FormSender.TOO_FAST
            site.clock.move(seconds=10)


def test_a_page_whose_visitors_are_counted_is_rendered_each_time(settings: Settings) -> None:
    with running(settings, cache_seconds=60) as site:
        first = site.client.get("/search?q=graph").headers["ratelimit"]
        assert site.client.get("/search?q=graph").headers["ratelimit"] != first


def test_no_page_shows_the_placeholder_of_its_stamp(site: Site, edition: Edition) -> None:
    for path in ("/", "/search?q=graph", "/topics/graph", "/authors/ring"):
        assert STAMP not in site.client.get(path).text
        assert STAMP not in site.client.get(path).text
