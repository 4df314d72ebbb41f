"""The page "Why this rank?": about one edition, without a token or a script."""

import re
from dataclasses import replace
from html import unescape

import pytest

from paperround.core.reasons import freeze as reason
from paperround.core.times import midnight_utc
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore
from tests.builders import DAY, HOUR, NOW, new_edition, observation, paper
from tests.web.conftest import Site
from tests.web.editions import DAYS, freeze
from tests.web.papers import keep

PATH = "/papers/2603.00001/rank"


def said(page: str) -> list[str]:
    """The sentences of the page."""
    [found] = re.findall(r'<ul class="sentences">(.*?)</ul>', page, re.DOTALL)
    return [unescape(one) for one in re.findall(r"<li[^>]*>(.*?)</li>", found)]


@pytest.mark.accept("F12", part="why this rank")
@pytest.mark.accept("Q9", part="why this rank")
def test_the_page_says_in_words_why_and_folds_the_figures_away(site: Site) -> None:
    listed = DAY - 2 * DAYS
    [id_] = keep(site, paper(1, listed_on=listed, counts_from=midnight_utc(listed)))
    with site.runtime.database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        for hours, votes in ((24, 3), (0, 41)):
            work[PaperStore].observe(feed.id, [(id_, observation(votes, at=NOW - hours * HOUR))])
        made = new_edition(work[ListStore].get("trending"), (id_,))
        shown = replace(made.papers[0], votes=41, score=3.5, parts={"votes": 3.75, "text": -0.25})
        work[EditionStore].freeze(replace(made, papers=(shown,)))
    answer = site.client.get(PATH)
    page = answer.text
    assert "by section, most votes first, so the numbers there can differ from ranks." in page
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert said(page)[0].endswith("41 votes by 2 Mar 08:00 UTC, 38 of them from the last 24 hours.")
    before, figures = page.split("<details", 1)
    assert "3.75" not in before
    assert all(one in figures for one in ("+3.7500", "−0.2500", "+3.5000", 'href="/ranking"'))
    assert '<meta name="robots" content="noindex">' in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


@pytest.mark.accept("F12", part="why this rank")
def test_each_edition_links_to_the_rank_it_gave(site: Site) -> None:
    ids = keep(site, paper(1), paper(2))
    freeze(site, ids, day=DAY - DAYS)
    freeze(site, ids[::-1])
    for day, position in ((DAY - DAYS, 1), (DAY, 2)):
        old = site.client.get(f"/editions/trending/{day}/0").text
        link = next(one for one in re.findall(r'href="([^"]+/rank[^"]*)"', old) if PATH in one)
        assert link == f"{PATH}?edition=trending/{day}/0"
        assert f"Rank {position} of 2 papers" in site.client.get(link).text
    assert "Rank 2 of 2 papers" in site.client.get(PATH).text
    assert f"{PATH}?edition=trending/{DAY}/0" in site.client.get("/papers/2603.00001").text
    assert f"{PATH}?edition=trending/{DAY}/0" in site.client.get("/trending").text


def test_a_paper_that_is_in_no_such_edition_is_not_found(site: Site) -> None:
    ids = keep(site, paper(1), paper(2))
    freeze(site, ids[:1])
    for path in (
        f"{PATH}?edition=trending/2020-01-01/0",
        "/papers/2603.00002/rank",
        "/papers/9/rank",
    ):
        assert site.client.get(path).status_code == 404


def test_a_late_riser_says_so(site: Site) -> None:
    [id_] = keep(site, paper(1))
    with site.runtime.database.writing() as work:
        made = new_edition(work[ListStore].get("trending"), (id_,))
        rose = reason("risen.yesterday_more", votes=82, gained=40)
        work[EditionStore].freeze(replace(made, papers=(replace(made.papers[0], reason=rose),)))
    assert "Rose since yesterday: 82 votes, 40 new" in site.client.get(PATH).text


@pytest.mark.accept("F12", part="why this rank", mutant="a-folded-paper-is-not-told")
def test_a_near_duplicate_that_was_left_out_is_named(site: Site) -> None:
    text = "Ravens cache walnuts under moss and find them again by the shape of the shadows."
    first = paper(1, title="Where ravens hide walnuts", abstract=text)
    twin = paper(2, title="Where do ravens hide walnuts", abstract=text)
    ids = keep(site, first, twin)
    freeze(site, ids[:1])
    told = "“Where do ravens hide walnuts” is nearly the same paper and was left out."
    assert told in said(site.client.get(PATH).text)
    freeze(site, ids, day=DAY + DAYS)
    assert told not in said(site.client.get(PATH).text)


def test_crawlers_are_asked_to_leave_these_pages_out(site: Site) -> None:
    assert "Disallow: /papers/*/rank" in site.client.get("/robots.txt").text.splitlines()
