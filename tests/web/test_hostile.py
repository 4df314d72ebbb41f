"""Whatever a visitor writes wherever they can write: no page breaks, on either database."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx2 as httpx
import pytest
from fastapi.routing import iter_route_contexts

from paperround.config import Settings
from paperround.web.security import ADMIN
from tests.databases import database_url, postgres, postgres_url
from tests.web.conftest import PUBLIC_URL, Site

__all__ = ["database_url", "postgres", "postgres_url"]

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
DIGITS = "9" * 4301
"""One more than Python makes a number of."""

TEXTS = (
    *("", "\0", "a\0b", DIGITS, f"-{DIGITS}", "-1", "1e999", "nan", "٣", "²"),
    *("\ud800", "é\udfff", "%00", "%ff", "x" * 5000, "0001-01-01", "9999-12-31", "{{ 7 * 7 }}"),
    *("' OR 1=1 --", "\r\nX: y", "../../etc/passwd", "[::1", "a@b@c", "x@xn--\0.example"),
)
MINDED = frozenset(
    {"\0", "a\0b", DIGITS, f"-{DIGITS}", "\ud800", "é\udfff", "x" * 5000, b"Bearer pr_\0"}
)
"""What a database takes otherwise than another one, or not at all."""

HERE = "!here!"
"""Where in an address something is written."""

HEADERS = ("cookie", "authorization", "x-forwarded-for", "range", "if-none-match",
           "if-modified-since", "if-range", "content-length", "content-type", "origin",
           "sec-fetch-site", "host")  # fmt: skip
VALUES = (b"", b"\xff\xfe", b"\0", DIGITS.encode(), b"-1", b"bytes=0-" + DIGITS.encode(),
          b"bytes=9-1", b'W/"x', b"Basic \xff", b"Basic //4=", b"Bearer \xff", b"Bearer pr_\0",
          b"fe80::1%x", b"Thu, 99 Foo 99999", b"multipart/form-data; boundary=\xff")  # fmt: skip
BODIES = (
    *(b"", b"null", b"\xff", b"\xef\xbb\xbf{}", b'"\\ud800"', b'{"\\ud800": 1}', b"[" * 900),
    *(b'{"email": "a@b.example", "hour": %s}' % one for one in (DIGITS.encode(), b"1e999", b"NaN")),
    b'{"email": "\xed\xa0\x80@b.example"}',
)
CHOICES = ("hour", "timezone", "frequency", "size", "floor", "paused_until", "topic")
LINES = ("topic", "add_topic", "author", "keyword", "category", "seed", "mute")
QUERIES = (
    *("/?x", "/editions?list", "/editions?month", "/static/site.css?v", "/outbox?show"),
    *("/trending?period", "/trending?date", "/trending?list", "/trending?page"),
    *("/trending?period=week&date", "/trending?period=month&date", "/topics/x?page"),
    *("/search?q", "/search?category", "/search?feed", "/search?author", "/search?after"),
)
PLACES = ("/", "/static/site.css", "/outbox", f"{ADMIN}feeds", "/papers/1")
TAKING = ("/subscribe", "/api/v1/subscriptions", "/unsubscribe/x", "/preferences/x", "/feedback/x")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """An installation on each database that counts nobody's requests."""
    return Settings(
        data_dir=tmp_path,
        public_url=PUBLIC_URL,
        database_url=database_url,
        secret_key="a secret that is only used by these tests",
        rate_signup_address="off",
        rate_signup_ip="off",
        rate_signup_net="off",
        rate_signup_domain="off",
        rate_signup_total="off",
    )


Place = TypeVar("Place")
Wrong = TypeVar("Wrong", str, bytes)


@dataclass(frozen=True)
class Share:
    """What of all that can be tried is tried on one database: what a database may mind wherever it
    is written, and of everything else every fourth thing, others on the other database. In the long
    form everything is tried on both."""

    turn: int
    everything: bool

    def of(self, places: Iterable[Place], values: Sequence[Wrong]) -> Iterator[tuple[Place, Wrong]]:
        for number, place in enumerate(places):
            for which, value in enumerate(values):
                is_mine = (number + which) % 4 == self.turn
                if self.everything or is_mine or value in MINDED:
                    yield place, value


@pytest.fixture
def share(database_url: str, long_form: bool) -> Share:
    return Share(turn=int(database_url.startswith("sqlite")), everything=long_form)


class Broken(list[str]):
    """What was sent when a page broke."""

    def note(self, what: object, answer: httpx.Response) -> None:
        if answer.status_code >= 500:
            self.append(f"{answer.status_code}: {what!r:.200}")


def written(fields: Mapping[str, str]) -> bytes:
    """Fields as a form sends them, half characters included."""
    return "&".join(f"{name}={escaped(value)}" for name, value in fields.items()).encode()


def escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def parts_of(path: str, good: Mapping[str, str]) -> Iterator[str]:
    """A route's addresses, each with a place for one part, and with others that are not hostile."""
    route = re.sub(r":\w+}", "}", path)
    parts = re.findall(r"\{(\w+)\}", route)
    usual = {part: good.get(part, "1") for part in parts}
    for part in parts:
        yield route.format_map({**usual, part: HERE})


@pytest.mark.slow
def test_no_part_of_an_address_breaks_a_page(site: Site, digest_token: str, share: Share) -> None:
    good = {"token": digest_token, "list_name": "trending", "day": "2026-03-02", "cut": "0"}
    good["ending"] = "atom"
    routes = [
        (method, path)
        for route in iter_route_contexts(site.app.routes)
        for method in sorted({"GET", "POST"} & (route.methods or set()))
        for path in parts_of(str(route.path), good)
    ]
    broken = Broken()
    for (method, path), text in share.of(routes, TEXTS):
        asked = path.replace(HERE, escaped(text))
        broken.note((method, asked), site.client.request(method, asked))
    assert broken == []


@pytest.mark.slow
def test_no_query_breaks_a_page(site: Site, share: Share) -> None:
    broken = Broken()
    for path, text in share.of(QUERIES, TEXTS):
        asked = f"{path}={escaped(text)}"
        broken.note(asked, site.client.get(asked))
    assert broken == []


@pytest.mark.slow
@pytest.mark.early
def test_no_field_of_a_form_breaks_a_page(site: Site, choices_token: str, share: Share) -> None:
    signing = ("email", "list", "website", "stamp", "work", "number", "origin", "search", *CHOICES)
    choosing, broken = f"/preferences/{choices_token}", Broken()
    forms = [("/subscribe", {"email": "ada@mail.example"}, name) for name in (*signing, *LINES)]
    forms += [("/subscribe/preview", {}, name) for name in (*signing, "lists", *LINES)]
    forms += [(choosing, {"action": "save"}, name) for name in ("action", *CHOICES, *LINES)]
    forms += [(f"{choosing}/preview", {}, name) for name in ("list", *CHOICES, *LINES)]
    forms += [(choosing, {"action": "move"}, "email"), (choosing, {"action": "join"}, "join")]
    forms += [(f"{choosing}/library", {"action": "keep"}, "seed")]
    forms += [(f"{choosing}/library", {}, name) for name in ("action", "text", "zotero")]
    forms += [(f"{choosing}/papers", {"action": "keep"}, name) for name in ("interest", "p1")]
    forms += [(f"{choosing}/papers", {}, name) for name in ("action", "page", "p1")]
    for (path, fields, name), text in share.of(forms, TEXTS):
        body = written({**fields, name: text})
        broken.note((path, name, text), site.client.post(path, content=body, headers=FORM))
    assert broken == []


def test_no_feedback_breaks_a_page(site: Site, digest_token: str) -> None:
    broken = Broken()
    for text in TEXTS:
        for said in ({"paper": text, "verdict": "more"}, {"paper": "1", "verdict": text}):
            path, body = f"/feedback/{digest_token}", written(said)
            broken.note(said, site.client.post(path, content=body, headers=FORM))
    assert broken == []


def shapes(text: str) -> tuple[object, ...]:
    return text, [text], {text: text}, [[text]], {"topics": text}


@pytest.mark.slow
def test_no_value_of_a_programs_request_breaks_it(site: Site) -> None:
    broken = Broken()
    for name in ("email", "list", "timezone", "hour", "frequency", "topics", "interests", "\ud800"):
        for value in (one for text in TEXTS for one in shapes(text)):
            body = json.dumps({"email": "ada@mail.example", name: value})
            answer = site.client.post("/api/v1/subscriptions", content=body, headers=JSON)
            broken.note((name, value), answer)
    assert broken == []


@pytest.mark.slow
def test_no_body_breaks_a_page(site: Site) -> None:
    broken = Broken()
    kinds = ("application/json", FORM["content-type"], "multipart/form-data", "text/plain", "")
    for path in TAKING:
        for body in BODIES:
            for kind in kinds:
                answer = site.client.post(path, content=body, headers={"content-type": kind})
                broken.note((path, kind, body), answer)
    assert broken == []


@pytest.mark.slow
def test_no_header_breaks_a_page(site: Site, share: Share) -> None:
    broken = Broken()
    sends: list[tuple[str, Callable[..., httpx.Response]]] = [
        *((path, site.client.get) for path in PLACES),
        *((path, site.client.post) for path in TAKING),
    ]
    for (name, (path, send)), value in share.of(product(HEADERS, sends), VALUES):
        broken.note((name, value, path), send(path, headers={name: value}))
    assert broken == []
