"""Pages about the site itself: the calendar of editions, the API, privacy, and what leads there."""

import re
from datetime import date

import pytest

from tests.builders import DAY, paper
from tests.web.conftest import Site
from tests.web.editions import DAYS, freeze, link
from tests.web.papers import keep


@pytest.mark.accept("F38", part="calendar", mutant="a-day-without-papers-is-no-day")
def test_the_calendar_leads_to_every_edition_of_a_year(site: Site) -> None:
    [id_] = keep(site, paper(1))
    for day in (date(2025, 12, 31), date(2026, 1, 10), DAY):
        freeze(site, (id_,), day=day)
    freeze(site, (id_,), cut="2")
    note = "A dimmed link leads to an edition without papers; its page says why."
    assert note not in site.client.get("/calendar?year=2025").text
    freeze(site, (), day=DAY + DAYS, quiet="feed-stale")
    page = site.client.get("/calendar").text
    assert note in page
    assert re.findall(r"<caption>.*month=([^\"]+)", page) == ["2026-01", "2026-03"]
    assert (
        '<a href="/editions/trending/2026-03-02/2" aria-label="Monday 2 March 2026: 1 paper">2<'
        in page
    )
    empty = 'class="dim" aria-label="Tuesday 3 March 2026: No papers.">3</a>'
    assert f'<a href="/editions/trending/2026-03-03/0" {empty}' in page
    assert "<td>4</td>" in page
    week = page.partition("month=2026-03")[2].partition("<tbody>")[2].partition("</tr>")[0]
    assert week.count("<td></td>") == 6, "1 March 2026 was a Sunday"
    before = link(page, "prev")
    assert before == "/calendar?list=trending&year=2025"
    assert link(site.client.get(before).text, "next") == "/calendar?list=trending&year=2026"
    assert 'href="/calendar?list=trending&amp;year=2026"' in site.client.get("/editions").text


def test_a_calendar_of_no_year_and_of_an_empty_one(site: Site) -> None:
    assert site.client.get("/calendar?year=26").status_code == 422
    assert site.client.get("/calendar?list=none").status_code == 404
    assert "There are no editions in 2019." in site.client.get("/calendar?year=2019").text
    german = site.client.get("/calendar?year=2019&lang=de").text
    assert ">2019 gibt es keine Ausgaben." in german


@pytest.mark.accept("F38", part="api", mutant="the-api-page-names-an-old-route")
@pytest.mark.parametrize("query", ["", "?lang=fr"])
def test_every_example_on_the_page_of_the_api_works(site: Site, query: str) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,))
    page = site.client.get(f"/api{query}").text.partition("<main")[2].partition("</main>")[0]
    found = [one.replace("&amp;", "&") for one in re.findall(r'href="(/[^"]*)"', page)]
    assert {"/feeds/trending.atom", "/api/v1/papers/2603.00001", "/api/openapi.json"} < {*found}
    assert {one: site.client.get(one).status_code for one in found} == dict.fromkeys(found, 200)


@pytest.mark.accept("F38", part="footer", mutant="the-footer-forgets-privacy")
@pytest.mark.parametrize("path", ["/", "/search?q=things", "/papers/2603.00001", "/nowhere"])
def test_every_page_leads_to_feeds_the_api_the_ranking_and_privacy(site: Site, path: str) -> None:
    keep(site, paper(1))
    footer = site.client.get(path).text.partition("<footer>")[2]
    for address in ("/api#feeds", "/api", "/ranking", "/privacy"):
        assert f'<a href="{address}">' in footer
    assert "whether you open an email" in site.client.get("/privacy").text


def test_the_page_of_the_api_needs_no_edition(site: Site) -> None:
    assert site.client.get("/api").status_code == 200
