"""Every page as a browser has it: on a phone, in the dark, and with whoever looks at all links."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from paperround.web.app import ROUTERS
from tests.browser.person import visiting
from tests.browser.tour import PERSONAL, Tour
from tests.story.visitor import every_link

NO_PAGE = re.compile(
    r"/(?:feeds|figures)/.*|/(?:healthz|readyz|metrics|favicon\.ico)|.*\.(?:txt|xml|css)"
    r"|/admin(?:/.*)?|.*\{ending:\w+}|/outbox/\{mail_id}/(?:html|eml)"
)
"""Routes that answer with no page of the site: programs ask for them, or a frame does.
The admin pages have tests of their own."""


def routes_of_pages() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every page of the site: its route, and the paths that lead there."""
    for route in (route for router in ROUTERS for route in router.routes):
        said = vars(route)
        is_shown = "GET" in said["methods"] and not said["include_in_schema"]
        if is_shown and not NO_PAGE.fullmatch(said["path"]):
            yield said["path"], said["path_regex"]


@pytest.mark.accept("W5", part="every page")
def test_the_tour_goes_to_every_page(tour: Tour) -> None:
    there = {urlsplit(path).path for path in tour.paths.values()}
    found = dict(routes_of_pages())
    assert len(found) > 20
    left = [name for name, at in found.items() if not any(map(at.match, there))]
    assert set(left) == SAME_PAGES


SAME_PAGES = {"/subscribe/choices", "/editions/{list_name}/{day}/{cut}"}
"""Routes to a page that another one leads to as well."""


@pytest.mark.accept("S11", part="referrer")
def test_no_personal_page_says_to_anybody_where_its_reader_was(
    browser: Browser, tour: Tour
) -> None:
    with visiting(browser, tour.site) as person:
        for name in PERSONAL:
            answer = person.page.goto(f"{tour.site.url}{tour.paths[name]}")
            assert answer is not None
            assert answer.all_headers()["referrer-policy"] == "no-referrer"
        page = person.goes(tour.paths["feedback"])
        page.locator(".papers a").first.click()
        expect(page.locator("article.paper")).to_be_visible()
        assert page.evaluate("document.referrer") == ""


@pytest.mark.accept("S8", part="browser")
def test_a_scanner_that_opens_every_link_with_scripts_on_changes_nothing(
    browser: Browser, tour: Tour
) -> None:
    before = tour.site.dump()
    links = {one for mail in tour.mails for one in every_link(mail)}
    ours = sorted(one for one in links if one.startswith(tour.site.url))
    with visiting(browser, tour.site) as person:
        for one in ours:
            person.page.goto(one)
    assert len(ours) > 20
    assert tour.site.dump() == before
