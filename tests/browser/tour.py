"""A site whose reader has had every kind of mail, and where each kind of page of it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from tests.story.serving import Served, serving
from tests.story.visitor import Visitor, link, subscribed
from tests.waiting import until

PUBLIC = {
    "today": "/",
    "subscribe": "/subscribe",
    "before the sign-up": "/subscribe/preview",
    "trending": "/trending",
    "week": "/trending?period=week",
    "no period": "/trending?period=month&date=2020-01",
    "editions": "/editions",
    "calendar": "/calendar",
    "edition": "/editions/trending/2026-03-02",
    "paper": "/papers/1",
    "rank": "/papers/86/rank",
    "search": "/search?q=graph+-survey",
    "topic": "/topics/graph",
    "author": "/authors/nobody",
    "sources": "/sources",
    "snippet": "/snippet",
    "ranking": "/ranking",
    "api": "/api",
    "privacy": "/privacy",
    "ask for a link": "/preferences",
    "nowhere": "/nowhere",
    "no day": "/editions/trending/yesterday",
    "forged": "/feedback/forged",
    "another address": f"/address/{'A' * 40}",
    "a link cut short": f"/preferences/{'A' * 37}",
}
PERSONAL = (
    *("confirm", "unsubscribe", "feedback", "offer", "choices", "preview", "history", "library"),
    *("judging", "forged", "next papers", "more like this", "saved papers", "what feedback taught"),
)
ASKED = "bo@example.org"
"""Who is asked by mail, and has not answered yet."""
OUTBOX = ("outbox", "mail", "mail as text", "mail as bytes", "mail headers")


@dataclass(frozen=True)
class Tour:
    """A running site, the mails it sent, and the path of every page by its name."""

    site: Served
    mails: tuple[EmailMessage, ...]
    paths: dict[str, str]


@contextmanager
def touring(folder: Path) -> Iterator[Tour]:
    """A site in `folder` with one reader, and one who is still asked."""
    with serving(folder) as site:
        visitor = Visitor(site)
        digest = subscribed(visitor)
        offer = link(digest, "preferences")
        visitor.press(visitor.open(offer), "Email me a new link")
        choices = link(site.mail("Your choices for"), "preferences")
        visitor.press(visitor.open("/"), "Subscribe", email=ASKED)
        confirm = link(until(lambda: _mail_to(site, ASKED)), "confirm")
        site.rest()
        personal = {
            "confirm": confirm,
            "unsubscribe": link(digest, "unsubscribe"),
            "feedback": link(digest, "feedback"),
            "next papers": f"{link(digest, 'feedback')}/next",
            "offer": offer,
            "choices": choices,
            "preview": f"{choices}/preview",
            "history": f"{choices}/history",
            "library": f"{choices}/library",
            "judging": f"{choices}/papers",
            "more like this": f"{link(digest, 'feedback')}/more/p1",
            "saved papers": f"{choices}/saved",
            "what feedback taught": f"{choices}/feedback",
        }
        yield Tour(site, tuple(site.mails()), PUBLIC | _of_paths(personal) | _kept(site))


def _mail_to(site: Served, address: str) -> EmailMessage | None:
    return next((one for one in site.mails() if one["To"] == address), None)


def _of_paths(urls: dict[str, str]) -> dict[str, str]:
    return {name: urlsplit(url).path for name, url in urls.items()}


def _kept(site: Served) -> dict[str, str]:
    """The pages of the outbox, and of the digest in it."""
    digest = site.digest()
    at = f"/outbox/{str(digest['Message-ID']).strip('<>')}"
    shows = ("html", "text", "source", "headers")
    return dict(zip(OUTBOX, ("/outbox", *(f"{at}?show={show}" for show in shows)), strict=True))
