"""The reader's own pages in a browser: live, without a script, and by the keyboard alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.person import OVERFLOW, READER, ZONE, Person, visiting
from tests.story.serving import Served, serving
from tests.story.visitor import Visitor, link, subscribed


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
        visitor.press(visitor.open(offer), "Email me a new link")
        choices = link(site.mail("Your choices for"), "preferences")
        yield Reading(site, urlsplit(choices).path)


def digest(page: Page) -> Locator:
    """The titles of the email that the page frames."""
    return page.frame_locator("iframe[name=next-email]").locator("h2")


def opens_advanced(page: Page) -> None:
    page.locator("summary").filter(has_text="Advanced").click()


@pytest.mark.quick
@pytest.mark.accept("F30", part="live preview in a browser")
@pytest.mark.accept("W5", part="framed email")
def test_the_next_email_follows_what_is_chosen(browser: Browser, reading: Reading) -> None:
    with visiting(browser, reading.site, width=360) as person:
        page = person.goes(reading.choices)
        expect(page.locator("#next")).to_be_hidden()
        steps = page.evaluate("history.length")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#next")).to_be_in_viewport()
        expect(digest(page).first).to_be_visible()
        expect(page.locator("#status")).to_have_text("Nothing is saved yet.")
        opens_advanced(page)
        page.get_by_label("Maximum papers in a digest").fill("2")
        expect(digest(page)).to_have_count(2)
        page.locator("textarea#keyword").fill('"not closed')
        frame = page.frame_locator("iframe[name=next-email]")
        expect(frame.get_by_text("Searches: line 1")).to_be_visible()
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate("history.length") == steps


@pytest.mark.accept("F30", part="in reach")
@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [360, 1400])
def test_save_is_always_in_reach(
    browser: Browser, reading: Reading, width: int, scripts: bool
) -> None:
    with visiting(browser, reading.site, width=width, scripts=scripts) as person:
        page = person.goes(reading.choices)
        save = page.get_by_role("button", name="Save")
        expect(save).to_be_in_viewport(ratio=1)
        opens_advanced(page)
        for label in ("What do you work on?", "Mute", "Pause until"):
            field = page.get_by_label(label)
            field.focus()
            expect(save).to_be_in_viewport(ratio=1)
            box, bar = field.bounding_box(), page.locator(".bar").bounding_box()
            assert box is not None
            assert bar is not None
            assert box["y"] + box["height"] <= bar["y"], label


@pytest.mark.accept("F30", part="story of a minute")
def test_two_chips_and_an_hour_are_chosen_previewed_saved_and_said_back(
    browser: Browser, site: Served
) -> None:
    with visiting(browser, site, width=360) as person:
        page = person.goes("/subscribe")
        page.set_default_timeout(60_000)  # the first preview makes the edition ready
        page.get_by_label("Email address").fill(READER)
        site.clock.move(seconds=3)
        page.get_by_role("button", name="Subscribe", exact=True).click()
        mail = person.finds(re.compile("^Confirm your subscription to"))
        page = person.follows(mail.get_by_role("link", name="Confirm subscription"))
        page.get_by_role("button", name="Yes, send me the digest").click()
        page.get_by_role("link", name="Change your hour").click()
        chips = page.get_by_role("checkbox")
        chosen = [chips.nth(number).get_attribute("value") or "" for number in (0, 2)]
        for topic in chosen:
            page.get_by_role("checkbox", name=topic).check()
        page.get_by_label("Hour of the day").select_option("18:00")
        page.get_by_role("button", name="Preview").click()
        expect(digest(page).first).to_be_visible()
        page.get_by_role("button", name="Save").click()
        said_back = f"Saved. Every day · 18:00 ({ZONE}) · {chosen[0]} · {chosen[1]}"
        expect(page.locator(".done")).to_have_text(said_back)
        for topic in chosen:
            expect(page.get_by_role("checkbox", name=topic)).to_be_checked()
        expect(page.get_by_label("Hour of the day")).to_have_value("18")


def test_what_is_typed_goes_along_into_another_language(browser: Browser, reading: Reading) -> None:
    with visiting(browser, reading.site) as person:
        for path in ("/subscribe", reading.choices):
            page = person.goes(path)
            opens_advanced(page)
            page.locator("textarea#author").fill("Grace Hopper")
            for language in ("Deutsch", "Español"):
                page.get_by_role("link", name=language).click()
                expect(page.locator("footer b")).to_have_text(language)
                expect(page.locator("textarea#author")).to_have_value("Grace Hopper")
        person.incidents.require_none(reading.site)
        expect(person.goes(reading.choices).locator("textarea#author")).to_have_value("")


@pytest.mark.accept("F30", part="without a script")
def test_without_a_script_the_button_opens_the_email_and_the_form_stays(
    browser: Browser, reading: Reading
) -> None:
    with visiting(browser, reading.site, scripts=False) as person:
        page = person.goes(reading.choices)
        opens_advanced(page)
        page.get_by_label("Maximum papers in a digest").fill("3")
        with person.context.expect_page() as opened:
            page.get_by_role("button", name="Preview").click()
        expect(opened.value.locator("h2")).to_have_count(3)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        opens_advanced(page)
        expect(page.get_by_label("Maximum papers in a digest")).to_have_value("3")


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
        page.get_by_label("arXiv ids, DOIs, links or titles").fill("Unheard of\n1706.03762")
        page.get_by_role("button", name="Preview import").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Import preview")
        page.get_by_label("arxiv:1706.03762").uncheck()
        page.get_by_role("button", name="Save ticked papers").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Saved")
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
        preview = page.get_by_role("button", name="Preview")
        if scripts:
            preview.click()
            expect(digest(page).first).to_be_visible()
        else:
            with person.context.expect_page() as opened:
                preview.click()
            expect(opened.value.locator("h2").first).to_be_visible()
        expect(page.get_by_label("Topics", exact=True)).to_have_value("graphs")
        assert page.evaluate(OVERFLOW) <= 0
        _subscribes(person, page)


def _subscribes(person: Person, page: Page) -> None:
    person.site.clock.move(seconds=3)
    page.get_by_label("Email address").fill("cy@example.org")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
