"""Saving papers in a browser: with scripts and without, by one click in the email."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import OVERFLOW, visiting
from tests.story.serving import Served, serving
from tests.story.visitor import Visitor, link, subscribed


@dataclass(frozen=True)
class Saving:
    """A site, and where a reader rates the papers of a digest and keeps those they saved."""

    site: Served
    feedback: str
    saved: str


@pytest.fixture
def saving(tmp_path: Path) -> Iterator[Saving]:
    with serving(tmp_path) as site:
        visitor = Visitor(site)
        digest = subscribed(visitor)
        visitor.press(visitor.open(link(digest, "preferences")), "Email me a new link")
        choices = link(site.mail("Your choices for"), "preferences")
        feedback = urlsplit(link(digest, "feedback")).path
        yield Saving(site, feedback, f"{urlsplit(choices).path}/saved")


@pytest.mark.accept("F54", part="page")
@pytest.mark.parametrize("scripts", [True, False])
def test_a_paper_is_saved_annotated_collected_and_removed(
    browser: Browser, saving: Saving, scripts: bool
) -> None:
    with visiting(browser, saving.site, width=360, scripts=scripts) as person:
        page = person.goes(f"{saving.feedback}/save/p3")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("You saved “")
        page = person.goes(saving.saved)
        page.get_by_text("Note and collections").click()
        page.get_by_label("Note", exact=True).fill("Read section 3\nby Thursday")
        page.get_by_label("Collections, separated by commas").fill("Thesis, Group")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator(".my-note")).to_have_text("Read section 3\nby Thursday")
        page.get_by_role("navigation", name="Collections").get_by_role(
            "link", name="Thesis"
        ).click()
        expect(page.locator(".saved > li")).to_have_count(1)
        assert page.evaluate(OVERFLOW) <= 0
        page.get_by_text("Note and collections").click()
        person.site.clock.move(seconds=3)
        page.get_by_role("button", name="Remove this paper").click()
        expect(page.locator(".saved > li")).to_have_count(0)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".my-note")).to_be_visible()
        page.get_by_text("Note and collections").click()
        page.get_by_role("button", name="Remove this paper").click()
        expect(page.locator(".saved > li")).to_have_count(0)


@pytest.mark.accept("F54", part="one click")
def test_a_button_pressed_again_takes_back_what_it_said(browser: Browser, saving: Saving) -> None:
    with visiting(browser, saving.site) as person:
        page = person.goes(saving.feedback)
        first = page.locator("#p1")
        button = first.get_by_role("button", name="More like this")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(button).to_be_focused()
        first.get_by_role("button", name="Less like this").click()
        expect(button).to_have_attribute("aria-pressed", "false")
        first.get_by_role("button", name="Less like this").click()
        expect(page.get_by_role("status")).to_have_text("Undone.")
        expect(first.get_by_role("button", pressed=True)).to_have_count(0)


def test_share_copies_a_link_and_is_one_without_a_script(browser: Browser, saving: Saving) -> None:
    with visiting(browser, saving.site) as person:
        page = person.goes("/papers/1")
        page.evaluate(
            "() => { navigator.clipboard.writeText = async (text) => { document.title = text; };"
            " navigator.share = undefined; }"
        )
        page.get_by_role("link", name="Share").click()
        expect(page.get_by_role("link", name="Copied")).to_be_visible()
        assert re.search(r"/papers/\S+$", page.title())
        page.evaluate(
            "() => { navigator.share = async (what) => { document.title = what.title; } }"
        )
        page.get_by_role("link", name="Copied").click()
        expect(page).to_have_title(page.locator("h1").inner_text())
    with visiting(browser, saving.site, scripts=False) as person:
        page = person.goes("/papers/1")
        page.get_by_role("link", name="Share").click()
        expect(page.locator("article.paper")).to_be_visible()


def test_share_says_that_it_copied_to_screen_readers_too(browser: Browser, saving: Saving) -> None:
    with visiting(browser, saving.site) as person:
        page = person.goes(f"{saving.feedback}/save/p2")
        page.get_by_role("button", name="Save").click()
        page = person.goes(saving.saved)
        page.evaluate(
            "() => { navigator.clipboard.writeText = async () => {}; navigator.share = undefined; }"
        )
        page.get_by_role("link", name="Share: ").click()
        expect(page.get_by_role("link", name="Copied", exact=True)).to_be_focused()
