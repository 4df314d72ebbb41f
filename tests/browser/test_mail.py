"""Mails as a browser shows them: on a phone and a desk, in light and dark, and to a screen reader.

A mail program puts the HTML part into a page of its own; here it is the page.
"""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from paperround.digests.model import DigestView
from paperround.digests.render.composer import MailRenderer
from tests.browser.looks import faults
from tests.browser.mails import DESK, KINDS, PHONE, html_of, shown
from tests.digests.messages import mail, sender_identity, view
from tests.digests.reading import modern_parts

SENTENCE = "A sampler that spends its steps where the image still changes matches a slower one, "


def of_real_length() -> DigestView:
    """Twelve papers with gists as long as real ones are at the median."""
    papers = [
        replace(one, gist=(SENTENCE * 3)[:185], lead_gist=(SENTENCE * 4)[:310])
        for one in view(12).papers
    ]
    return view(papers)


@pytest.mark.accept("Q15", part="first paper")
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_title_is_there_without_scrolling(browser: Browser, width: int) -> None:
    html = MailRenderer(sender_identity()).render(of_real_length()).html
    with shown(browser, html, width=width) as page:
        assert page.locator(".toc").count() == 12
        for title in page.locator(".toc").all():
            place = title.bounding_box()
            assert place is not None
            assert place["y"] + place["height"] < 740


@pytest.mark.accept("Q15", part="height", mutant="every-paper-leads")
def test_twelve_papers_are_a_short_scroll_on_a_phone(browser: Browser) -> None:
    html = MailRenderer(sender_identity()).render(of_real_length()).html
    with shown(browser, html, width=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollHeight") <= 3500


@pytest.mark.accept("Q15", part="operator's colour")
def test_an_operators_colour_can_be_read_by_day_and_by_night(browser: Browser) -> None:
    for colour in ("#7a0019", "#000000", "#00693e"):
        sender = replace(sender_identity(), colour=colour)
        html = MailRenderer(sender).render(view()).html
        assert f"color: {colour}" in html
        with shown(browser, html, width=PHONE) as page:
            assert [*faults(page, light=(PHONE,), dark=PHONE, height=740)] == []


@pytest.mark.accept("Q15", part="dark")
def test_in_the_dark_the_sheet_is_dark(browser: Browser) -> None:
    """A look that a mail program never gets to see would pass every other test."""
    sheets = []
    for dark in (False, True):
        with shown(browser, html_of("digest"), width=DESK, dark=dark) as page:
            sheet = page.locator("table.sheet")
            sheets.append(sheet.evaluate("one => getComputedStyle(one).backgroundColor"))
    assert sheets == ["rgb(255, 255, 255)", "rgb(28, 31, 35)"]


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_main_sentence_of_a_notice_is_its_largest_text(browser: Browser, width: int) -> None:
    for kind in KINDS[1:]:
        with shown(browser, html_of(kind), width=width) as page:
            lead, *others = page.locator(".top p").evaluate_all(
                "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
            )
        assert lead > max(others), kind


@pytest.mark.parametrize("language", ["fr", "zh-Hans"])
def test_no_link_below_a_paper_breaks_inside_a_word(browser: Browser, language: str) -> None:
    html = MailRenderer(sender_identity()).render(view(12, language=language)).html
    with shown(browser, html, width=PHONE) as page:
        lines = page.locator(".go a").evaluate_all(
            "all => all.map(one => one.getClientRects().length)"
        )
    assert {*lines} == {1}


@pytest.mark.accept("Q16", part="reading order")
def test_what_a_screen_reader_reads_comes_in_the_order_of_the_text_part(browser: Browser) -> None:
    text, html = modern_parts(MailRenderer(sender_identity()).compose(mail()))
    titles = [one.title for one in view().papers]
    with shown(browser, html, width=PHONE) as page:
        headings = page.locator("h2").all_inner_texts()
    assert [heading.partition(". ")[2] for heading in headings] == titles
    papers = text.partition("\n\n\n")[2]  # the contents come first
    words = " ".join(papers.split())
    places = [words.index(title) for title in titles]
    assert places == sorted(places)
