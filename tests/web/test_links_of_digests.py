"""Whoever has a link, or something like one: a scanner, a crawler, a forger, a crowd."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from math import inf
from pathlib import Path
from statistics import median
from threading import Barrier
from time import perf_counter
from typing import NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.languages import PARAMETER
from paperround.core.tokens import Purpose
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.plan import plan_due
from paperround.digests.sending import deliver
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.subscribers.model import SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.app import create_app
from tests.builders import NOW, address, seed_subscribers
from tests.databases import database_url, postgres, postgres_url
from tests.web.conftest import PUBLIC_URL, HandClock, Site, sql

__all__ = ["database_url", "postgres", "postgres_url"]

READERS = 100
PAPERS = 12
"""In each digest."""
FEW = 5
CONFIRMERS = 100
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
LEADS_ON = re.compile(r'(?:href|src|action)="([^"]+)"')
PERSONAL = tuple(f"{PUBLIC_URL}/{page}/" for page in ("unsubscribe", "preferences", "feedback"))
START = (f"{PUBLIC_URL}/",)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation that lets a crawler search as often as it likes."""
    return settings.model_copy(update={"rate_search_ip": "off", "rate_search_net": "off"})


@pytest.fixture
def digests(site: Site, edition: Edition, tmp_path: Path) -> list[EmailMessage]:
    """A digest each for a hundred readers, as it left."""
    database = site.runtime.database
    with database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    names = tuple(f"reader{number}" for number in range(READERS))
    subscriptions = seed_subscribers(database, mailing_list, names)
    with database.writing() as work:
        work[SubscriberStore].schedule(
            {one.id: NOW - timedelta(minutes=1) for one in subscriptions}
        )
    identity, hours = site.runtime.identity, site.runtime.tick_context.hours
    plan_due(database=database, identity=identity, hours=hours, now=NOW)
    deliver(site.runtime.post())
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted((tmp_path / "outbox").glob("*.eml"))
    ]
    assert len(found) == READERS
    return found


def links_of(mail: EmailMessage) -> set[str]:
    """Every address in its parts and in its header."""
    texts = [str(part.get_content()) for part in mail.walk() if not part.is_multipart()]
    heads = [str(mail[name]) for name in ("List-Unsubscribe", "List-Archive", "Archived-At")]
    return {
        unescape(one).partition("#")[0]
        for text in (*texts, *heads)
        for one in ADDRESS.findall(text)
    }


class Kind(NamedTuple):
    """What pages of one kind have in common: where their path begins, how long it is, how it ends,
    and the names of what is asked for."""

    beginning: str
    places: int
    ending: str
    asked: frozenset[str]


class Page(NamedTuple):
    """What tells a page from others."""

    path: str
    asked: frozenset[tuple[str, str]]


@dataclass
class Crawler:
    """Asks for whatever it finds on the site, and takes down what it is told. Of each kind of page
    that only other pages lead to it looks at `most`, and of those in a language that was asked for
    at a few: there is one of every page in every language."""

    client: TestClient
    most: float
    statuses: set[tuple[str, int]] = field(default_factory=set)
    seen: set[Page] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    found: Counter[Kind] = field(default_factory=Counter)

    def visit(self, url: str, method: str = "GET") -> str:
        """Look at an address; returns the page."""
        answer = self.client.request(method, url, follow_redirects=False)
        self.statuses.add((method, answer.status_code))
        return answer.text

    def follow(self, urls: set[str]) -> None:
        """Look at these in every harmless way, and at whatever their pages lead to, until nothing
        is new."""
        waiting = [one for one in sorted(urls) if is_ours(one)]
        for url in waiting:
            self.visit(url, "HEAD")
            self.visit(url, "OPTIONS")
        while waiting:
            url = waiting.pop()
            if page_of(url) in self.seen or not (url in urls or self._is_wanted(kind_of(url))):
                continue
            self.seen.add(page_of(url))
            found = {one for one in led_to(url, self.visit(url)) if is_ours(one)}
            self.met |= found
            waiting += sorted(found)

    def _is_wanted(self, kind: Kind) -> bool:
        self.found[kind] += 1
        return self.found[kind] <= (min(self.most, FEW) if PARAMETER in kind.asked else self.most)


def kind_of(url: str) -> Kind:
    """The kind of page that is at an address."""
    parts = urlsplit(url)
    places = parts.path.split("/")
    ending = places[-1].rpartition(".")[2] if "." in places[-1] else ""
    return Kind(places[1], len(places), ending, frozenset(parse_qs(parts.query)))


def page_of(url: str) -> Page:
    """The page that is at an address, however the address is written."""
    parts = urlsplit(url)
    return Page(unquote(parts.path), frozenset(parse_qsl(parts.query)))


def led_to(url: str, page: str) -> Iterator[str]:
    """Where a page leads."""
    for link in LEADS_ON.finditer(page):
        yield urljoin(url, unescape(link[1])).partition("#")[0]


def names_a_reader(url: str) -> bool:
    """Whether an address says, spelt out or hidden a little, whose it is."""
    return bool(re.search(r"@|reader\d|mail\.example", unquote(url).casefold()))


def is_ours(url: str) -> bool:
    return url.startswith(f"{PUBLIC_URL}/")


@pytest.mark.slow
@pytest.mark.early
@pytest.mark.accept("S8", part="hundred digests")
@pytest.mark.accept("S10", part="no redirector")
@pytest.mark.accept("S7", part="no address in a link")
def test_a_crawler_that_follows_every_link_of_a_hundred_digests_changes_nothing(
    site: Site, digests: list[EmailMessage], long_form: bool
) -> None:
    links = {link for mail in digests for link in links_of(mail)}
    next_papers = {one for one in links if one.endswith("/next")}
    assert len(next_papers) == READERS
    questions = {one for one in links if re.search(r"/feedback/[^/]+/(?:save|more|less)/p", one)}
    assert len(questions) == READERS * PAPERS * 3
    for personal in PERSONAL:
        assert sum(one.startswith(personal) for one in links - next_papers - questions) == READERS
    before = site.dump()
    crawler = Crawler(site.client, most=inf if long_form else FEW)
    few = links - {one for many in (questions, next_papers) for one in sorted(many)[FEW:]}
    crawler.follow({*(links if long_form else few), *START})
    assert site.dump() == before
    assert not any(names_a_reader(link) for link in links | crawler.met)
    assert len(crawler.seen) > 3 * READERS
    if long_form:
        papers = {one.path for one in crawler.seen if re.fullmatch(r"/papers/\d+", one.path)}
        assert len(papers) == len(before["papers"])
    assert {status for _, status in crawler.statuses} <= {200, 405}, crawler.statuses
    assert not any(300 <= status < 400 for _, status in crawler.statuses)


@pytest.mark.accept("P4", part="as it left")
def test_the_papers_of_a_digest_are_linked_alike_for_every_reader(
    digests: list[EmailMessage],
) -> None:
    """Nothing in an address would tell who followed it, or in which mail it stood."""
    alike = {
        frozenset(one for one in links_of(mail) if not one.startswith(PERSONAL)) for mail in digests
    }
    assert len(alike) == 1
    assert len(links := next(iter(alike))) > 10
    assert not any(urlsplit(one).query for one in links)


@pytest.mark.slow
@pytest.mark.accept("S12", part="as it left")
@pytest.mark.accept("S8", part="one click of each")
def test_every_digest_can_be_left_with_the_one_post_that_its_header_names(
    site: Site, digests: list[EmailMessage]
) -> None:
    took = []
    for mail in digests:
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        [link] = re.findall(rf"<({PUBLIC_URL}/unsubscribe/[\w-]{{40}})>", mail["List-Unsubscribe"])
        begin = perf_counter()
        answer = press(site, link, "List-Unsubscribe=One-Click")
        took.append(perf_counter() - begin)
        assert answer == (200, {})
    assert has_left(site) == [True] * READERS
    assert median(took) < 1  # second, and it counts once it is answered
    after = site.dump()
    assert press(site, link, "List-Unsubscribe=One-Click") == (200, {})
    assert site.dump() == after


def press(site: Site, link: str, body: str) -> tuple[int, dict[str, str]]:
    """What a mail program gets that sends no cookie, and the cookies it was given."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = site.client.post(link, content=body, headers=headers, follow_redirects=False)
    return answer.status_code, dict(answer.cookies)


def has_left(site: Site) -> list[bool]:
    """Of each reader, by number."""
    with site.runtime.database.reading() as work:
        people = [
            work[SubscriberStore].find(address(f"reader{number}")) for number in range(READERS)
        ]
        found = [work[SubscriberStore].subscriptions_of(one.id) for one in people if one]
    return [one.state is SubscriberState.UNSUBSCRIBED for [one] in found]


# --- forgers -----------------------------------------------------------------------------------


def flipped(token: str) -> Iterator[str]:
    """The token with every bit of it flipped in turn, and cut short at every length."""
    raw = base64.urlsafe_b64decode(token)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield base64.urlsafe_b64encode(changed).decode()
    for length in range(1, len(token)):
        yield token[:length]
    yield f"{token}A"


@pytest.mark.slow
@pytest.mark.accept("S7", part="every bit")
def test_a_digests_link_with_any_bit_flipped_shows_the_same_page_and_changes_nothing(
    site: Site, digest_token: str
) -> None:
    before, pages = site.dump(), set()
    for forged in flipped(digest_token):
        pages.add(site.client.post(f"/unsubscribe/{forged}").text)
    assert site.dump() == before
    assert pages == {site.client.post(f"/unsubscribe/{digest_token}").text}


@pytest.mark.slow
@pytest.mark.accept("S5", part="every bit")
def test_a_confirmation_with_any_bit_flipped_shows_the_same_page_and_changes_nothing(
    site: Site,
) -> None:
    site.ask()
    token = site.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    before = site.dump()
    pages = {site.client.post(f"/confirm/{forged}").text for forged in flipped(token)}
    assert site.dump() == before
    assert "You are subscribed" in site.client.post(f"/confirm/{token}").text
    assert pages == {site.client.post(f"/confirm/{token}").text}


# --- a crowd -----------------------------------------------------------------------------------


@pytest.fixture
def crowded(tmp_path: Path, database_url: str) -> Iterator[Site]:
    """A site on each engine."""
    settings = Settings(
        data_dir=tmp_path,
        public_url=PUBLIC_URL,
        database_url=database_url,
        secret_key="a secret that is only used by these tests",
    )
    clock = HandClock()
    runtime = AppContext(settings, clock)
    app = create_app(runtime)
    with TestClient(app, base_url=PUBLIC_URL, raise_server_exceptions=False) as client:
        yield Site(app=app, runtime=runtime, clock=clock, client=client)
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.accept("S5", part="hundred at once")
def test_a_hundred_posts_at_once_are_one_confirmation(crowded: Site) -> None:
    crowded.ask()
    token = crowded.notice_token("ada", SystemMailKind.CONFIRM, Purpose.CONFIRM)
    gate = Barrier(CONFIRMERS)

    def press(_: int) -> tuple[int, bool]:
        gate.wait(timeout=60)
        answer = crowded.client.post(f"/confirm/{token}")
        return answer.status_code, "You are subscribed" in answer.text

    with ThreadPoolExecutor(CONFIRMERS) as threads:
        told = sorted(threads.map(press, range(CONFIRMERS)))
    assert told == [(200, False)] * (CONFIRMERS - 1) + [(200, True)]
