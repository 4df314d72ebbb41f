"""The reader's own pages in a browser: live, without a script, and by the keyboard alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import OVERFLOW, Person, visiting
from tests.story.serving import Served, serving
from tests.story.visitor import Visitor, link, subscribed

LOOK = "Look at the next digest first"


@dataclass(frozen=True)
class Reading:
    """A site, and where a reader's choices are."""

    site: Served
    choices: str


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with serving(tmp_path_factory.mktemp("choices")) as site:
        visitor = Visitor(site)
        offer = link(subscribed(visitor), "preferences")
        visitor.press(visitor.open(offer), "Mail me a fresh link")
        choices = link(site.mail("Your choices for"), "preferences")
        yield Reading(site, urlsplit(choices).path)


def titled(page: Page, place: str) -> list[str]:
    return page.locator(f"{place} ol.next a").all_text_contents()


@pytest.mark.quick
@pytest.mark.accept("F30", part="live preview in a browser")
def test_the_next_digest_follows_what_is_typed(browser: Browser, reading: Reading) -> None:
    with visiting(browser, reading.site, width=360) as person:
        page = person.goes(reading.choices)
        expect(page.locator("#next")).to_be_hidden()
        page.get_by_label("Papers in a digest, at most").fill("2")
        expect(page.locator("#next")).to_be_visible()
        expect(page.locator("#next ol.next li")).to_have_count(2)
        expect(page.locator("#status")).to_contain_text("Nothing is saved yet")
        page.get_by_label("Hour of the day").focus()
        page.locator("textarea#keyword").fill('"not closed')
        expect(page.locator("#status")).to_contain_text("Some fields are invalid")
        person.incidents.errors.clear()  # the answer to what cannot be is a 422
        assert page.evaluate(OVERFLOW) <= 0


def test_what_is_typed_goes_along_into_another_language(browser: Browser, reading: Reading) -> None:
    with visiting(browser, reading.site) as person:
        for path in ("/subscribe", reading.choices):
            page = person.goes(path)
            page.locator("textarea#author").fill("Grace Hopper")
            for language in ("Deutsch", "Español"):
                page.get_by_role("link", name=language).click()
                expect(page.locator("footer b")).to_have_text(language)
                expect(page.locator("textarea#author")).to_have_value("Grace Hopper")
        person.incidents.require_none(reading.site)
        expect(person.goes(reading.choices).locator("textarea#author")).to_have_value("")


@pytest.mark.accept("F30", part="without a script")
def test_without_a_script_the_button_shows_it_and_saves_it(
    browser: Browser, reading: Reading
) -> None:
    with visiting(browser, reading.site, scripts=False) as person:
        page = person.goes(reading.choices)
        page.get_by_label("Papers in a digest, at most").fill("3")
        page.get_by_role("button", name=LOOK).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Your next digest")
        assert len(titled(page, "#next-digest")) == 3
        page.get_by_role("button", name="Save these choices").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        expect(page.get_by_label("Papers in a digest, at most")).to_have_value("3")


@pytest.mark.accept("F30", part="errors")
def test_what_is_wrong_is_found_by_the_keyboard_alone(browser: Browser, reading: Reading) -> None:
    with visiting(browser, reading.site, scripts=False) as person:
        page = person.goes(reading.choices)
        page.get_by_label("Time zone").fill("Nowhere")
        page.get_by_label("Time zone").press("Enter")
        summary = page.locator(".summary")
        expect(summary).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        field = page.get_by_label("Time zone")
        expect(field).to_have_attribute("aria-invalid", "true")
        assert page.url.endswith("#timezone")


@pytest.mark.accept("F31", part="in a browser")
def test_a_library_is_pasted_understood_and_kept_without_a_script(
    browser: Browser, reading: Reading
) -> None:
    with visiting(browser, reading.site, width=360, scripts=False) as person:
        page = person.goes(f"{reading.choices}/library")
        page.get_by_label("arXiv ids, DOIs, addresses or titles").fill("Unheard of\n1706.03762")
        page.get_by_role("button", name="Preview import").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What was understood")
        page.get_by_label("arxiv:1706.03762").uncheck()
        page.get_by_role("button", name="Keep what is ticked").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kept")
        page.get_by_role("link", name="Your choices").first.click()
        assert page.evaluate(OVERFLOW) <= 0


@pytest.mark.accept("F27", part="preview in a browser")
@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_new_looks_at_their_digest_before_they_subscribe(
    browser: Browser, reading: Reading, scripts: bool
) -> None:
    with visiting(browser, reading.site, width=360, scripts=scripts) as person:
        page = person.goes("/subscribe")
        page.set_default_timeout(60_000)  # the first look makes the edition ready
        page.get_by_label("Topics", exact=True).fill("graphs")
        page.get_by_role("button", name="Look at the digest first").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The digest you would get")
        assert titled(page, "main")
        page.get_by_role("button", name="Change my choices").click()
        expect(page.get_by_label("Topics", exact=True)).to_have_value("graphs")
        assert page.evaluate(OVERFLOW) <= 0
        _subscribes(person, page)


def _subscribes(person: Person, page: Page) -> None:
    person.site.clock.move(seconds=3)
    page.get_by_label("E-mail address").fill("cy@example.org")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
