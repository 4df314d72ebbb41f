"""A reader without a browser: plain requests, and mail as its raw bytes."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from tests.story.serving import Served

READER = "ada@example.org"
FORM = "application/x-www-form-urlencoded"
TICKED = ("checkbox", "radio")
"""Inputs that send nothing unless they are ticked."""


@dataclass(frozen=True)
class Page:
    """What came back from `path`."""

    path: str
    status: int
    headers: dict[str, str]
    text: str


class Forms(HTMLParser):
    """What each button of a page sends: the place, and the fields of its form and its own."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.action, self.fields = page.path, dict[str, str]()
        self.buttons: dict[str, tuple[str, dict[str, str]]] = {}
        self._pressed: dict[str, str] | None = None
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        own = {named["name"]: named.get("value", "")} if "name" in named else {}
        if tag == "form":
            self.action, self.fields = named.get("action", self.action), {}
        elif tag == "input" and (named.get("type") not in TICKED or "checked" in named):
            self.fields |= own
        elif tag == "button":
            self._pressed = own

    def handle_data(self, data: str) -> None:
        if self._pressed is not None:
            self.buttons[data.strip()] = (self.action, {**self.fields, **self._pressed})
            self._pressed = None


@dataclass(frozen=True)
class Visitor:
    """Somebody who types requests by hand."""

    site: Served

    def ask(self, method: str, url: str, body: str = "", kind: str = FORM) -> Page:
        place = urlsplit(self.site.url)
        assert url.startswith(("/", self.site.url)), url
        path = url.removeprefix(self.site.url)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
        headers = {"Content-Type": kind, "Connection": "close"}
        try:
            connection.request(method, path, body.encode() or None, headers)
            answer = connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            return Page(path, answer.status, said, answer.read().decode())
        finally:
            connection.close()

    def open(self, url: str) -> Page:
        page = self.ask("GET", url)
        assert page.status == 200, page
        return page

    def press(self, page: Page, button: str, **typed: str) -> Page:
        """Fill in the form two seconds after it was opened, and press one of its buttons."""
        action, fields = Forms(page).buttons[button]
        self.site.clock.move(seconds=2)
        answer = self.ask("POST", action, urlencode(fields | typed))
        assert answer.status == 200, answer
        assert "set-cookie" not in answer.headers
        return answer


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link(mail: EmailMessage, route: str) -> str:
    """The first link to `route` in the text part."""
    found = re.search(rf"http://127\.0\.0\.1:\d+/{route}/[\w-]{{40}}(?!\S)", text(mail))
    assert found, text(mail)
    return found[0]


def subscribed(visitor: Visitor, **choices: str) -> EmailMessage:
    """Sign up by the form, confirm by the mailed link; returns the digest that follows, an hour
    later: so long an address that was asked is asked nothing else."""
    asked = visitor.press(visitor.open("/"), "Subscribe", email=READER, **choices)
    assert "Check your inbox" in asked.text
    confirm = visitor.site.mail("Confirm your subscription to")
    assert confirm["To"] == READER
    page = visitor.press(visitor.open(link(confirm, "confirm")), "Yes, send me the digest")
    assert "You are subscribed" in page.text
    assert "latest edition is on its way" in page.text
    digest = visitor.site.digest()
    visitor.site.clock.move(hours=1)
    return digest


def every_link(mail: EmailMessage) -> set[str]:
    """Whatever looks like a link in the head or the parts of a mail."""
    parts = [str(part.get_content()) for part in mail.walk() if not part.is_multipart()]
    head = [str(value) for value in mail.values()]
    return set(re.findall(r"https?://[^\s<>\"']+", "\n".join(head + parts)))
