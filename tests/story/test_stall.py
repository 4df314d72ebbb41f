"""One address asks for all that costs much, at once; everybody else goes on as before."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest

from paperround.subscribers.interests import MOST_TERMS
from tests.story.serving import Served, serving
from tests.story.visitor import FORM, READER, Visitor, link, subscribed
from tests.waiting import until

STRANGERS = 60
SECONDS = 1
"""How long those who ask for something else wait at most."""
A_LINE = 20
COMMON = "of the and to in that we for with is on are model models data by from as it this".split()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, rate_search_ip="off") as served:
        yield served


def phrases(number: int, count: int) -> list[str]:
    """Phrases whose words stand in nearly every paper; others for each number."""
    chance = random.Random(number)  # noqa: S311 - the same in every run
    return [f'"{chance.choice(COMMON)} {chance.choice(COMMON)}"' for _ in range(count)]


def preview(number: int) -> tuple[str, str, str]:
    """Asks for the digest of somebody with as many phrases as there may be."""
    lines = (phrases(number * A_LINE + n, A_LINE) for n in range(MOST_TERMS // A_LINE))
    return "POST", "/subscribe/preview", urlencode({"keyword": "\n".join(map(" OR ".join, lines))})


def search(number: int) -> tuple[str, str, str]:
    return "GET", f"/search?{urlencode({'q': ' '.join(phrases(number, 12))})}", ""


def feed(number: int) -> tuple[str, str, str]:
    return "GET", f"/feeds/search/{quote(' OR '.join(phrases(number, 12)))}.atom", ""


def status(site: Served, method: str, path: str, body: str = "", *, seconds: float = 60) -> int:
    """The status of the answer, whose first byte comes within so many seconds."""
    place = urlsplit(site.url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=seconds)
    try:
        connection.request(method, path, body or None, {"Content-Type": FORM})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.accept("S16", part="sixty at once", mutant="sixty-costly-requests-hold-up-everybody")
def test_sixty_costly_requests_of_one_address_hold_up_nobody(site: Served) -> None:
    visitor = Visitor(site)
    leave = urlsplit(link(subscribed(visitor), "unsubscribe")).path
    visitor.press(visitor.open("/"), "Subscribe", email=f"bo-{READER}")
    asked = until(lambda: next((one for one in site.mails() if one["To"] != READER), None))
    confirm = urlsplit(link(asked, "confirm")).path
    costly = [(preview, search, feed)[number % 3](number) for number in range(STRANGERS)]
    with ThreadPoolExecutor(STRANGERS) as pool:
        sent = [pool.submit(status, site, *one) for one in costly]
        until(lambda: any(one.done() for one in sent))
        assert not all(one.done() for one in sent)
        assert status(site, "GET", "/healthz", seconds=SECONDS) == 200
        assert status(site, "POST", confirm, seconds=SECONDS) == 200
        assert status(site, "POST", leave, seconds=SECONDS) == 200
        answers = Counter(one.result() for one in sent)
    assert answers.keys() == {200, 429}
