"""What programs look for at fixed addresses, and a page that is not there."""

from xml.etree import ElementTree

import pytest

from paperround.config import Settings
from tests.builders import paper
from tests.web.conftest import PUBLIC_URL, Site, running
from tests.web.editions import freeze
from tests.web.papers import keep


@pytest.mark.accept("F38", part="a map of the site")
def test_the_map_of_the_site_leads_to_every_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperround.jobs.sitemaps.PAPERS", 2)
    ids = keep(site, paper(1), paper(2), paper(3, withdrawn=True))
    freeze(site, ids[:1])
    parts = locations(site.client.get("/sitemap.xml").text)
    pages = [one for part in parts for one in locations(site.client.get(local(part)).text)]
    assert f"{PUBLIC_URL}/papers/2603.00001" in pages
    assert f"{PUBLIC_URL}/papers/2603.00003" not in pages
    assert f"{PUBLIC_URL}/editions/trending/2026-03-02/0" in pages
    for one in pages:
        assert site.client.get(local(one)).status_code == 200, one


def local(url: str) -> str:
    return url.removeprefix(PUBLIC_URL)


def locations(document: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(document).iter() if "loc" in one.tag]  # noqa: S314


@pytest.mark.parametrize("name", ["papers-0", "papers-9", "papers-x", "papers-01", "other", "٣"])
def test_a_part_that_is_none_is_not_found(site: Site, name: str) -> None:
    assert site.client.get(f"/sitemaps/{name}.xml").status_code == 404


def test_crawlers_are_told_of_the_map(site: Site) -> None:
    lines = site.client.get("/robots.txt").text.splitlines()
    assert f"Sitemap: {PUBLIC_URL}/sitemap.xml" in lines
    assert {"Disallow: /search", "Disallow: /authors/"} <= set(lines)


def test_crawlers_may_read_the_sign_up_page_but_none_that_is_filled_in(site: Site) -> None:
    lines = site.client.get("/robots.txt").text.splitlines()
    assert {"Disallow: /subscribe/", "Disallow: /subscribe?"} <= set(lines)
    assert "Disallow: /subscribe" not in lines


@pytest.mark.parametrize(
    ("contact", "line"),
    [
        ("ops@papers.example", "Contact: mailto:ops@papers.example"),
        ("https://papers.example/contact", "Contact: https://papers.example/contact"),
    ],
)
def test_whoever_finds_a_hole_knows_whom_to_tell(
    settings: Settings, contact: str, line: str
) -> None:
    with running(settings.model_copy(update={"contact": contact})) as site:
        lines = site.client.get("/.well-known/security.txt").text.splitlines()
    assert lines[0] == line
    assert lines[1] == "Expires: 2026-09-01T00:00:00Z"
    assert lines[2] == f"Canonical: {PUBLIC_URL}/.well-known/security.txt"


def test_without_a_contact_there_is_nobody_to_tell(site: Site) -> None:
    assert site.client.get("/.well-known/security.txt").status_code == 404


def test_the_icon_and_the_search_are_where_browsers_look(site: Site) -> None:
    assert site.client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    found = site.client.get("/opensearch.xml").text
    assert f'template="{PUBLIC_URL}/search?q={{searchTerms}}"' in found


@pytest.mark.accept("F38", part="not found")
def test_a_page_that_is_not_there_helps_to_find_another(site: Site) -> None:
    page = site.client.get("/papers/2603.99999").text
    assert '<form method="get" action="/search" role="search">' in page
    assert 'href="https://arxiv.org/abs/2603.99999"' in page
    assert 'href="/editions"' in page
    assert "arxiv.org" not in site.client.get("/papers/none").text
