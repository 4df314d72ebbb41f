"""What programs look for at fixed addresses, and a page that is not there."""

import pytest

from tests.web.conftest import Site


def test_crawlers_may_read_the_sign_up_page_but_none_that_is_filled_in(site: Site) -> None:
    lines = site.client.get("/robots.txt").text.splitlines()
    assert {"Disallow: /subscribe/", "Disallow: /subscribe?"} <= set(lines)
    assert "Disallow: /subscribe" not in lines


def test_the_icon_is_where_browsers_look(site: Site) -> None:
    assert site.client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.accept("F38", part="not found")
def test_a_page_that_is_not_there_helps_to_find_another(site: Site) -> None:
    page = site.client.get("/papers/2603.99999").text
    assert '<form method="get" action="/search" role="search">' in page
    assert 'href="https://arxiv.org/abs/2603.99999"' in page
    assert 'href="/editions"' in page
    assert "arxiv.org" not in site.client.get("/papers/none").text
