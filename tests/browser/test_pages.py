"""Every page as a browser has it: on a phone, in the dark, and with whoever looks at all links."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from paperround.web.routes import ROUTERS
from tests.browser.person import OVERFLOW, Person, visiting
from tests.browser.tour import OUTBOX, PERSONAL, PUBLIC, Tour, touring
from tests.mail.reading import contrast
from tests.story.visitor import every_link

COLOURS = """
() => [...document.querySelectorAll("body, body *")]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => one.checkVisibility())
  .map((one) => {
    let behind = one;
    const shade = () => getComputedStyle(behind).backgroundColor;
    while (shade() === "rgba(0, 0, 0, 0)" && behind.parentElement) behind = behind.parentElement;
    return [getComputedStyle(one).color, shade(), one.textContent.trim().slice(0, 40)];
  })
"""
"""Of every text that can be seen: its colour, what is behind it, and how it begins."""


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with touring(tmp_path_factory.mktemp("tour")) as here:
        yield here


NO_PAGE = re.compile(
    r"/(?:feeds|sitemaps)/.*|/(?:healthz|readyz|metrics|favicon\.ico)|.*\.(?:txt|xml)"
    r"|.*\{ending:\w+}|/outbox/\{mail_id}/(?:html|eml)"
)
"""Routes that answer with no page of the site: programs ask for them, or a frame does."""


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


def reads(person: Person, tour: Tour, name: str) -> Page:
    """Open a page, all of which can be seen without scrolling sideways."""
    page = person.goes(tour.paths[name])
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    assert page.evaluate(OVERFLOW) <= 0, name
    return page


@pytest.fixture(scope="module")
def phone(browser: Browser, tour: Tour) -> Iterator[Person]:
    """Somebody who reads in bed."""
    with visiting(browser, tour.site, width=360, dark=True) as person:
        yield person


@pytest.mark.accept("W5", part="browser")
@pytest.mark.accept("S11", part="browser")
@pytest.mark.parametrize("name", [*PUBLIC, *PERSONAL[:-1], *OUTBOX])
def test_a_page_fits_a_phone_and_can_be_read_in_the_dark(
    phone: Person, tour: Tour, name: str
) -> None:
    texts = reads(phone, tour, name).evaluate(COLOURS)
    phone.incidents.require_none(tour.site)
    assert len(texts) > 2
    for colour, behind, text in texts:
        assert contrast(as_hex(colour), as_hex(behind)) >= 4.5, (text, colour, behind)


def as_hex(colour: str) -> str:
    """`rgb(1, 2, 3)` as `#010203`."""
    return "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))


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
