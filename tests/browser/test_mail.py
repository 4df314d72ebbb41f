"""Mails as a browser shows them: on a phone and a desk, in light and dark, and to a screen reader.

A mail program puts the HTML part into a page of its own; here it is the page.
"""

import pytest
from playwright.sync_api import Browser

from paperround.digests.render.composer import MailRenderer
from tests.browser.mails import DESK, PHONE, html_of, shown
from tests.digests.messages import mail, sender_identity, view
from tests.digests.reading import modern_parts


@pytest.mark.accept("Q15", part="first paper")
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_first_paper_is_there_without_scrolling(browser: Browser, width: int) -> None:
    with shown(browser, html_of("digest"), width=width) as page:
        place = page.locator("h2 + p + p").first.bounding_box()
        assert place is not None
        assert place["y"] + place["height"] < 740


@pytest.mark.accept("Q15", part="dark")
def test_in_the_dark_the_sheet_is_dark(browser: Browser) -> None:
    """A look that a mail program never gets to see would pass every other test."""
    sheets = []
    for dark in (False, True):
        with shown(browser, html_of("digest"), width=DESK, dark=dark) as page:
            sheet = page.locator("table.sheet")
            sheets.append(sheet.evaluate("one => getComputedStyle(one).backgroundColor"))
    assert sheets == ["rgb(255, 255, 255)", "rgb(28, 31, 35)"]


@pytest.mark.accept("Q16", part="reading order")
def test_what_a_screen_reader_reads_comes_in_the_order_of_the_text_part(browser: Browser) -> None:
    text, html = modern_parts(MailRenderer(sender_identity()).compose(mail()))
    titles = [one.title for one in view().papers]
    with shown(browser, html, width=PHONE) as page:
        headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert [heading.partition(". ")[2] for heading in headings] == titles
    words = " ".join(text.split())
    places = [words.index(title) for title in titles]
    assert places == sorted(places)
