"""Mails as a browser shows them: on a phone and a desk, in light and dark, and to a screen reader.

A mail program puts the HTML part into a page of its own; here it is the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from paperround.domain.notices import NoticeKind
from paperround.mail.composer import MailRenderer
from tests.browser.person import OVERFLOW
from tests.browser.test_pages import COLOURS, as_hex
from tests.mail.builders import letterhead, mail, notice, notice_view, paper, view
from tests.mail.reading import contrast, modern_parts

PHONE, DESK = 360, 800
UNWIELDY = paper(
    title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3,
    gist="https://example.org/" + "a-very-long-address-without-any-place-to-break-it/" * 6,
)


def html_of(kind: str) -> str:
    renderer = MailRenderer(letterhead())
    if kind == "digest":
        shown = view([*view(12).papers, UNWIELDY])
        return modern_parts(renderer.compose(mail(shown)))[1]
    letter = notice(notice_view(NoticeKind(kind)))
    return modern_parts(renderer.compose_notice(letter))[1]


KINDS = ("digest", *(str(kind) for kind in NoticeKind))


@contextmanager
def shown(browser: Browser, html: str, *, width: int, dark: bool = False) -> Iterator[Page]:
    """A page that is the mail. Whatever it asks the network for is refused, and fails the test."""
    asked: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark" if dark else "light"
    )
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(html)
        yield page
        assert asked == []
    finally:
        context.close()


@pytest.mark.accept("F18", part="phone")
@pytest.mark.accept("Q15", part="fits")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_has_to_be_scrolled_sideways(browser: Browser, kind: str, width: int) -> None:
    with shown(browser, html_of(kind), width=width) as page:
        assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.accept("Q16", part="zoom")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_at_twice_the_size_it_still_fits(browser: Browser, kind: str, width: int) -> None:
    """Zooming to 200 % halves the width there is."""
    with shown(browser, html_of(kind), width=width // 2) as page:
        assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.accept("Q15", part="first paper")
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_first_paper_is_there_without_scrolling(browser: Browser, width: int) -> None:
    with shown(browser, html_of("digest"), width=width) as page:
        place = page.locator("h2 + p + p").first.bounding_box()
        assert place is not None
        assert place["y"] + place["height"] < 740


@pytest.mark.accept("Q15", part="contrast")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, kind: str, width: int, dark: bool
) -> None:
    with shown(browser, html_of(kind), width=width, dark=dark) as page:
        texts = page.evaluate(COLOURS)
        assert len(texts) > 4
        for colour, behind, text in texts:
            assert contrast(as_hex(colour), as_hex(behind)) >= 4.5, (text, colour, behind)


@pytest.mark.accept("Q15", part="dark")
def test_in_the_dark_the_sheet_is_dark(browser: Browser) -> None:
    """A look that a mail program never gets to see would pass every other test."""
    sheets = []
    for dark in (False, True):
        with shown(browser, html_of("digest"), width=DESK, dark=dark) as page:
            sheet = page.locator("table.sheet")
            sheets.append(sheet.evaluate("one => getComputedStyle(one).backgroundColor"))
    assert sheets == ["rgb(255, 255, 255)", "rgb(28, 31, 35)"]


@pytest.mark.accept("Q16", part="axe")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dark", [False, True])
def test_an_accessibility_checker_finds_nothing(browser: Browser, kind: str, dark: bool) -> None:
    with shown(browser, html_of(kind), width=PHONE, dark=dark) as page:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert len(found.response["passes"]) > 10


@pytest.mark.accept("Q16", part="reading order")
def test_what_a_screen_reader_reads_comes_in_the_order_of_the_text_part(browser: Browser) -> None:
    text, html = modern_parts(MailRenderer(letterhead()).compose(mail()))
    titles = [one.title for one in view().papers]
    with shown(browser, html, width=PHONE) as page:
        headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert [heading.partition(". ")[2] for heading in headings] == titles
    words = " ".join(text.split())
    places = [words.index(title) for title in titles]
    assert places == sorted(places)
