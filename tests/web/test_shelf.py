"""Public pages are made once, and again as soon as anything changed; no visitor's is kept."""

import re
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from starlette.testclient import TestClient

from paperround.domain.editions import Edition
from paperround.domain.errors import DatabaseFailed
from paperround.web import stamps
from paperround.web.answers import KEPT, STAMP
from paperround.web.conditional import conditional
from paperround.web.guard import App, Message, Receive, Scope, Send
from paperround.web.languages import hearing
from paperround.web.shelf import LARGEST, Shelf
from paperround.web.stamps import Filled
from tests.builders import paper
from tests.web.conftest import HandClock, Site
from tests.web.papers import keep

PAGES = ("/", "/trending", "/editions", "/sources", "/ranking", "/snippet", "/sitemap.xml")


@dataclass
class HandPulse:
    """Beats when it is told to; `broken` is a database that is down."""

    state: int = 0
    broken: bool = False
    is_quick: bool = True

    def at_hand(self) -> str | None:
        return self.beat() if self.is_quick else None

    def beat(self) -> str:
        if self.broken:
            raise DatabaseFailed("down")
        return str(self.state)


@dataclass
class Counted:
    """An application that says how often it was asked."""

    body: str = "page {}"
    headers: dict[str, str] = field(default_factory=lambda: dict(KEPT))
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
class Shop:
    """A shelf before an application, and what moves both."""

    counted: Counted
    pulse: HandPulse
    clock: HandClock
    client: TestClient

    def asks(self, path: str = "/") -> str:
        return self.client.get(path).text


def shop(counted: Counted, **settings: int) -> Shop:
    pulse, clock = HandPulse(), HandClock()
    shelf = Shelf(pulse, clock, _stamped, **settings)
    served: App = hearing(conditional(shelf.before(counted.app)))
    return Shop(counted, pulse, clock, TestClient(served))


def _stamped(now: datetime) -> str:
    return f"{now:%H:%M:%S}"


@pytest.mark.accept("B11", part="kept")
def test_a_page_is_made_once_until_something_changes() -> None:
    one = shop(Counted())
    assert [one.asks(), one.asks()] == ["page 1", "page 1"]
    one.pulse.state += 1
    assert [one.asks(), one.asks()] == ["page 2", "page 2"]


def test_every_address_has_its_own_page() -> None:
    one = shop(Counted())
    assert [one.asks("/a"), one.asks("/a?x=1"), one.asks("/a")] == ["page 1", "page 2", "page 1"]


@pytest.mark.accept("F26", part="pages")
def test_every_language_has_its_own_page() -> None:
    one = shop(Counted(headers={**KEPT, "vary": "accept-language"}))

    def asks(language: str) -> str:
        return one.client.get("/", headers={"accept-language": language}).text

    assert [asks("de"), asks("fr"), asks("de-AT"), asks("fr")] == [
        "page 1",
        "page 2",
        "page 1",
        "page 2",
    ]


def test_what_the_time_of_day_decides_is_a_minute_late_at_most() -> None:
    one = shop(Counted())
    one.asks()
    one.clock.move(seconds=59)
    assert one.asks() == "page 1"
    one.clock.move(seconds=1)
    assert one.asks() == "page 2"
    one.clock.move(hours=-3)
    assert one.asks() == "page 3", "a clock that was put back keeps nothing"


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store"},
        {"cache-control": "private, max-age=60"},
        {**KEPT, "vary": "cookie"},
        {**KEPT, "set-cookie": "a=b"},
        {},
    ],
)
def test_what_is_not_for_everybody_is_never_kept(headers: dict[str, str]) -> None:
    one = shop(Counted(headers=headers))
    assert [one.asks(), one.asks()] == ["page 1", "page 2"]


def test_only_pages_are_kept() -> None:
    one = shop(Counted(kind="application/json"))
    assert [one.asks(), one.asks()] == ["page 1", "page 2"]


def test_while_the_database_is_down_nothing_is_taken_from_the_shelf() -> None:
    one = shop(Counted())
    one.asks()
    one.pulse.broken = True
    assert [one.asks(), one.asks()] == ["page 2", "page 3"]


def test_a_database_that_takes_its_time_is_asked_elsewhere() -> None:
    one = shop(Counted())
    one.pulse.is_quick = False
    assert [one.asks(), one.asks()] == ["page 1", "page 1"]


def test_the_shelf_is_no_larger_than_it_may_be() -> None:
    one = shop(Counted(body="x" * 400 + "{}"), most_bytes=1000)
    for path in ("/a", "/b", "/a", "/c"):
        one.asks(path)
    assert one.counted.asked == 3
    one.asks("/a")
    assert one.counted.asked == 3, "it was asked for after the other one"
    one.asks("/b")
    assert one.counted.asked == 4


def test_long_addresses_take_room_on_the_shelf_too() -> None:
    one = shop(Counted(), most_bytes=1000)
    paths = [f"/a?{'x' * 400}{number}" for number in range(3)]
    for path in (*paths, paths[0]):
        one.asks(path)
    assert one.counted.asked == 4, "the first had to make room"


def test_a_page_that_is_very_large_is_made_each_time() -> None:
    one = shop(Counted(body="x" * (LARGEST + 1)))
    one.asks()
    one.asks()
    assert one.counted.asked == 2


def test_each_visitor_gets_the_stamp_of_their_moment_under_one_tag() -> None:
    one = shop(Counted(body=f"a {STAMP} b {STAMP} {{}}"))
    first = one.client.get("/")
    assert first.text == "a 08:00:00 b 08:00:00 1"
    one.clock.move(seconds=30)
    second = one.client.get("/")
    assert second.text == "a 08:00:30 b 08:00:30 1"
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["etag"].startswith('W/"')
    known = one.client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (known.status_code, known.text) == (304, "")
    one.clock.move(hours=12)
    assert one.client.get("/").headers["etag"] != first.headers["etag"]


# --- the site ------------------------------------------------------------------------------------


@pytest.mark.accept("F38", part="unchanged pages")
@pytest.mark.parametrize("path", [*PAGES, "/papers/2603.00001", "/editions/trending/2026-03-02"])
def test_who_has_a_page_already_is_told_that_it_has_not_changed(
    site: Site, edition: Edition, path: str
) -> None:
    keep(site, paper(1))
    first = site.client.get(path)
    assert first.headers["cache-control"] == KEPT["cache-control"]
    known = {"if-none-match": first.headers["etag"]}
    again = site.client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.accept("B11", part="what changes")
def test_a_page_shows_what_was_written_a_moment_ago(site: Site) -> None:
    assert "0 papers known here" in site.client.get("/sources").text
    keep(site, paper(1))
    assert "1 paper known here" in site.client.get("/sources").text


def test_a_form_on_a_kept_page_is_as_old_as_its_visit(site: Site, edition: Edition) -> None:
    for _ in range(2):
        [stamp] = re.findall('name="stamp" value="([^"]+)"', site.client.get("/").text)
        keys = site.runtime.desk.keys
        assert stamps.filled(keys, stamp, now=site.clock.now()) is Filled.TOO_FAST
        site.clock.move(seconds=10)


def test_no_page_says_what_stands_where_a_stamp_goes(site: Site, edition: Edition) -> None:
    for path in ("/", "/search?q=graph", "/topics/graph", "/authors/ring"):
        assert STAMP not in site.client.get(path).text
        assert STAMP not in site.client.get(path).text
