"""The public site in a browser: by keyboard, without scripts, on paper, and before axe."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looks import as_hex
from tests.browser.person import visiting
from tests.browser.tour import PUBLIC
from tests.story.serving import Served, serving

FOCUSED = "document.activeElement.textContent"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site with today's sample papers."""
    with serving(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.mark.accept("F38", part="without scripts")
def test_everything_is_reached_without_a_script(browser: Browser, place: Served) -> None:
    with visiting(browser, place, scripts=False) as person:
        page = person.goes("/")
        page.get_by_role("link", name="Trending", exact=True).click()
        page.get_by_role("link", name="Week", exact=True).click()
        page.locator("h3 a").first.click()
        expect(page.locator("article.paper")).to_be_visible()
        page.locator("a[rel=author]").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Papers by")
        page.get_by_role("link", name="Sort by relevance").click()
        page.get_by_text("Filters").click()
        page.get_by_label("From").fill("2000-01-01")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_label("From")).to_have_value("2000-01-01")
        expect(page.locator("h3").first).to_be_visible()


@pytest.mark.quick
@pytest.mark.accept("F38", part="keys")
def test_papers_can_be_read_by_keyboard(browser: Browser, place: Served) -> None:
    with visiting(browser, place) as person:
        page = person.goes("/trending")
        titles = page.locator("h3 a").all_inner_texts()
        page.keyboard.press("j")
        assert page.evaluate(FOCUSED) == titles[0]
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.evaluate(FOCUSED) == titles[1]
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(titles[1])
        page.wait_for_load_state()  # the script that hears keys runs after the page is parsed
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("/")
        page.wait_for_url("**/search")
        page.keyboard.press("/")
        page.keyboard.type("jk/?")
        expect(page.get_by_label("Search words")).to_have_value("jk/?")


@pytest.mark.accept("F38", part="keys")
def test_a_tick_takes_no_key(browser: Browser, place: Served) -> None:
    with visiting(browser, place) as person:
        page = person.goes("/trending")
        page.get_by_label("Titles only").press("Space")
        page.keyboard.press("j")
        assert page.evaluate(FOCUSED) == page.locator("h3 a").first.inner_text()


@pytest.mark.accept("F38", part="at a glance")
@pytest.mark.parametrize(("width", "papers"), [(360, 4), (1200, 12)])
def test_papers_stand_in_the_first_window(
    browser: Browser, place: Served, width: int, papers: int
) -> None:
    with visiting(browser, place, width=width) as person:
        title = person.goes("/").locator(".contents a").nth(papers - 1).bounding_box()
        assert title is not None
        assert title["y"] + title["height"] <= 800


@pytest.mark.accept("F38", part="at a glance")
@pytest.mark.parametrize("path", ["/trending", "/editions/trending/2026-03-02"])
def test_titles_can_be_looked_at_alone_without_a_script(
    browser: Browser, place: Served, path: str
) -> None:
    with visiting(browser, place, scripts=False) as person:
        page = person.goes(path)
        page.get_by_label("Titles only").check()
        for stays in ("h3", ".facts"):
            expect(page.locator(f".papers {stays}").first).to_be_visible()
        expect(page.locator(".contents")).to_be_hidden()
        for gone in (".authors", ".gist", ".links", ".why-rank"):
            expect(page.locator(f".papers {gone}").first).to_be_hidden()
        page.get_by_label("Titles only").uncheck()
        expect(page.locator(".papers .gist").first).to_be_visible()


def test_a_citation_is_copied_by_one_press_where_scripts_run(
    browser: Browser, place: Served
) -> None:
    with visiting(browser, place) as person:
        person.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = person.goes(PUBLIC["paper"])
        page.get_by_text("Cite", exact=True).click()
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").startswith("@misc{")
    with visiting(browser, place, scripts=False) as person:
        page = person.goes(PUBLIC["paper"])
        page.get_by_text("Cite", exact=True).click()
        expect(page.get_by_role("button", name="Copy")).to_be_hidden()
        expect(page.get_by_text("@misc{")).to_be_visible()


@pytest.mark.accept("F38", part="print")
def test_on_paper_only_what_is_read_stands(browser: Browser, place: Served) -> None:
    with visiting(browser, place) as person:
        page = person.goes("/")
        page.emulate_media(media="print")
        expect(page.locator("h3").first).to_be_visible()
        for gone in ("form", ".top nav", ".brief", "footer", ".why-rank"):
            expect(page.locator(gone).first).to_be_hidden()
        behind = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert as_hex(behind) == "#ffffff"
