"""What a page asks of the database: nothing when it is cached, and else no more for many papers
than for few."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from paperround.config import Settings
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore
from tests.builders import DAY, NOW, listing, observation, paper
from tests.web.conftest import Site, running, sql
from tests.web.editions import DAYS, freeze
from tests.web.papers import keep

PAGES = (
    *("/", "/trending", "/trending?period=month", "/editions", "/editions/trending/2026-03-02"),
    *("/papers/2603.00001", "/sources", "/ranking"),
)
SEARCHES = ("/search?q=things", "/topics/things", "/authors/Ada%20Ring")
MOST = 20
"""Statements of one page, BEGIN left out."""


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    engine = sql(site.runtime)
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def fill(site: Site, papers: int, *, first: int = 1) -> None:
    """Papers with votes, and editions of all of them on three days."""
    ids = keep(site, *(paper(n) for n in range(first, first + papers)))
    with site.runtime.database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        work[PaperStore].list_papers(feed.id, [listing(one) for one in ids], now=NOW)
        work[PaperStore].observe(feed.id, [(one, observation(3)) for one in ids])
    for days in range(3):
        freeze(site, ids, day=DAY - days * DAYS, cut=str(first))


def test_a_parameter_that_a_page_does_not_know_makes_no_other_page(settings: Settings) -> None:
    with running(settings, cache_seconds=60) as site:
        fill(site, 3)
        first = site.client.get("/trending?list=trending&utm=ada&lang=de").text
        with statements(site) as asked:
            assert site.client.get("/trending?z=1&list=trending&lang=de").text == first
        assert asked == []
        assert "utm" not in first


@pytest.mark.accept("B11", part="nothing is asked")
def test_a_cached_page_asks_nothing(settings: Settings) -> None:
    with running(settings, cache_seconds=60) as site:
        fill(site, 3)
        for path in PAGES[:-1]:
            with statements(site) as asked:
                first = site.client.get(path)
                made = len(asked)
                second = site.client.get(path)
            assert len(first.content) == len(second.content), path
            assert made > 0, path
            assert len(asked) == made, path


@pytest.mark.accept("B11", part="as many questions for many papers")
@pytest.mark.parametrize("path", [*PAGES, *SEARCHES])
def test_many_papers_ask_no_more_than_few(site: Site, path: str) -> None:
    few = asked_of(site, path, papers=5)
    many = asked_of(site, path, papers=50, first=6)
    assert many <= few + 1
    assert many <= MOST


def asked_of(site: Site, path: str, *, papers: int, first: int = 1) -> int:
    """How many statements it takes to make a page of a site with so many papers more."""
    fill(site, papers, first=first)
    site.client.get(path)  # which papers are similar is looked for once a day
    site.clock.move(minutes=2)
    with statements(site) as asked:
        assert site.client.get(path).status_code == 200
    return len(asked)
