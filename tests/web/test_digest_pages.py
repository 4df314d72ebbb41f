"""Pages of an edition, a week and a month have the sections, facts and order of a digest."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest

from paperround.delivery.system_mail import sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import new_subscriber_digest
from paperround.digests.publish import publish
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Count, Record
from paperround.ranking.trending import TrendingRanker
from tests.fakes import SENDER_IDENTITY
from tests.sample_database import IDENTITY, NOW, fill, record
from tests.web.conftest import Site

HOUR = timedelta(hours=1)
PAGE_OF_EDITION = "/editions/trending/2026-01-30/manual"
Outline = list[tuple[str, list[str]]]
"""Titles below the heading of each section."""


def listed(number: int, votes: int | None, hours: int, **changes: object) -> Record:
    at = NOW - hours * HOUR
    counts = () if votes is None else (Count(signal="upvotes", value=votes, captured_at=NOW),)
    return record(number, listed_at=at, listed_on=at.date(), counts=counts, **changes)


@pytest.fixture
def frozen(site: Site) -> Edition:
    """Papers of every section, in the digest and behind it."""
    fill(
        site.runtime.database,
        [
            *(listed(n, 3 * n, 5) for n in range(1, 8)),
            *(listed(n, 2 * n, 60) for n in range(8, 12)),
            *(listed(n, None, 3) for n in range(12, 15)),
            *(listed(n, 0, 70) for n in range(15, 18)),
        ],
    )
    return publish(
        database=site.runtime.database,
        ranker=TrendingRanker(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
    ).edition


def outline(html: str, heading: str, title: str) -> Outline:
    """What stands below each heading, by the patterns of a heading and of a title."""
    found: Outline = []
    for name, text in re.findall(f"(?:{heading}|{title})", html, re.DOTALL):
        if name:
            found.append((unescape(name), []))
        else:
            found[-1][1].append(unescape(text))
    return found


def of_page(html: str) -> Outline:
    return outline(html, r'<h2 class="section"[^>]*>([^<]+)</h2>', r"<h3[^>]*><a[^>]*>([^<]+)</a>")


def of_mail(html: str) -> Outline:
    return outline(html, r'<p class="name"[^>]*>([^<]+)</p>', r"<h2[^>]*>.*?<a[^>]*>([^<]+)</a>")


def mail_of(site: Site, edition: Edition) -> str:
    """The HTML of the digest that somebody without preferences gets."""
    with site.runtime.database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    notice = sample_notice(IDENTITY, SystemMailKind.TEST, now=NOW)
    mail = new_subscriber_digest(edition, mailing_list, notice, SENDER_IDENTITY, IDENTITY.keys)
    assert mail.view.web_url.endswith(PAGE_OF_EDITION)
    return MailRenderer(SENDER_IDENTITY).render(mail.view).html


@pytest.mark.accept("F18", part="page", mutant="a-page-is-in-the-order-of-ranks")
def test_read_on_the_web_shows_what_the_mail_holds_in_its_order(
    site: Site, frozen: Edition
) -> None:
    mail = of_mail(mail_of(site, frozen))
    page = of_page(site.client.get(PAGE_OF_EDITION).text)
    assert [name for name, _ in mail][:2] == ["Trending", "From earlier days"]
    assert sum(len(titles) for _, titles in mail) == 12
    assert page[:-1] == mail
    assert page[-1][0] == "5 more papers"


@pytest.mark.accept("F18", part="page")
def test_the_first_page_and_the_archive_begin_as_the_mail_does(site: Site, frozen: Edition) -> None:
    mail = of_mail(mail_of(site, frozen))
    first = site.client.get("/").text
    assert of_page(first) == mail
    contents = first.partition('<nav class="contents"')[2].partition("</nav>")[0]
    titles = [title for _, titles in mail for title in titles]
    assert re.findall(r"<a[^>]*>([^<]+)</a>", contents) == titles
    archive = site.client.get("/editions").text
    assert re.findall(r'<p dir="auto">([^<]+)</p>', archive) == titles[:3]


@pytest.mark.accept("F18", part="page")
def test_an_item_of_a_page_says_what_the_mail_says_of_it(site: Site) -> None:
    told = listed(
        1,
        1234,
        16,
        title="Kites fly",
        abstract="We fly kites. They fly 12% higher.",
        organization="Kite Lab",
        links={"code": "https://code.example/kites", "project": "https://kites.example/"},
    )
    fill(site.runtime.database, [told])
    edition = publish(
        database=site.runtime.database,
        ranker=TrendingRanker(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=NOW,
    ).edition
    page = site.client.get(PAGE_OF_EDITION).text
    said = [_words(page.partition("<article>")[2]), _words(mail_of(site, edition))]
    for text in ("We fly kites. They fly 12% higher.", "1,234 votes · 16 h ·", "Kite Lab"):
        assert [text in one for one in said] == [True, True], text
    assert [*_links(page, "Code", "Project page")] == [
        "https://code.example/kites",
        "https://kites.example/",
    ]


def _words(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", "", html)).split())


def _links(page: str, *labels: str) -> Iterator[str]:
    for label in labels:
        yield from re.findall(rf'<a href="([^"]+)" rel="noopener">{label}</a>', page)


@pytest.mark.accept("F18", part="page", mutant="a-week-has-the-sections-of-its-last-day")
def test_a_week_and_a_month_ask_what_was_listed_in_them(site: Site, frozen: Edition) -> None:
    week = of_page(site.client.get("/trending?period=week&date=2026-W05").text)
    day = of_page(site.client.get("/trending?period=day&date=2026-01-30").text)
    assert [name for name, _ in day] == [
        "Trending",
        "From earlier days",
        "New today",
        "Also worth a look",
    ]
    assert [name for name, _ in week] == ["Trending", "New this week"]
    assert week[0][1] == [f"Paper {n}" for n in (11, 7, 10, 6, 9, 8, 5, 4, 3, 2, 1)]
