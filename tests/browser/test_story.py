"""A reader's whole way, as they see it: with scripts and without, on a phone and on a desk."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.person import READER, ZONE, Person, visiting
from tests.story.serving import Served

NARROW, WIDE = 360, 1200
DIGEST = re.compile(r"\d papers?, \d")
MASKED = "a•••@example.org"


@pytest.mark.accept("F27", part="browser")
@pytest.mark.accept("F28", part="browser")
@pytest.mark.accept("F29", part="browser")
@pytest.mark.accept("F30", part="browser")
@pytest.mark.accept("S11", part="story")
@pytest.mark.parametrize(("width", "scripts"), [(NARROW, True), (WIDE, False)])
def test_a_reader_comes_chooses_leaves_and_comes_back(
    browser: Browser, site: Served, width: int, scripts: bool
) -> None:
    with visiting(browser, site, width=width, scripts=scripts) as person:
        subscribes(person, width)
        confirms(person, ZONE if scripts else "UTC")
        says_what_was_useful(person)
        asks_for_a_link(person)
        changes_choices(person)
        leaves(person)
        comes_back(person)
        has_kept_the_choices(person)


def subscribes(person: Person, width: int) -> None:
    """The box says what it is, and an address is enough."""
    page = person.goes("/")
    once = "" if width == NARROW else " once a day"
    person.reads(page, f"Get trending papers in your email inbox{once}!")
    expect(page.locator(".papers > li").first).to_be_visible()
    page.get_by_label("Email address").fill(READER)
    person.site.clock.move(seconds=2)
    page.get_by_role("button", name="Subscribe").click()
    person.reads(page, "Check your inbox")


def confirms(person: Person, zone: str) -> None:
    """The mail asks, and its link asks once more; then the digest is on its way."""
    mail = person.finds(re.compile("^Confirm your subscription to"))
    page = person.follows(mail.get_by_role("link", name="Confirm subscription"))
    person.reads(page, "Confirm your subscription")
    page.get_by_role("button", name="Yes, send me the digest").click()
    person.reads(page, "You are subscribed")
    expect(page.get_by_text(f"at 07:00 ({zone})")).to_be_visible()
    expect(page.get_by_text("The latest edition is on its way.")).to_be_visible()


def says_what_was_useful(person: Person) -> None:
    """The digest has come; under it one can say what one wants more of."""
    mail = person.finds(DIGEST)
    expect(mail.get_by_role("heading", level=2).first).to_be_visible()
    page = person.follows(mail.get_by_role("link", name="Save: ").nth(7))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("You saved “")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone. A paper with a note")
    page = person.follows(mail.get_by_role("link", name="Rate these papers"))
    first, second = (page.locator(".papers > li").nth(number) for number in (0, 1))
    first.get_by_role("button", name="More like this").click()
    expect(page.get_by_role("status")).to_have_text("Saved. Thank you.")
    second.get_by_role("button", name="Less like this").click()
    expect(second.get_by_role("button", name="Less like this", pressed=True)).to_be_visible()


def asks_for_a_link(person: Person) -> None:
    """A digest's link opens nobody's choices: it mails one that does."""
    person.site.clock.move(hours=2)  # for an hour no more is mailed
    mail = person.finds(DIGEST)
    page = person.follows(mail.get_by_role("link", name="change your choices"))
    person.reads(page, "Your choices")
    expect(page.get_by_text(MASKED)).to_be_visible()
    page.get_by_role("button", name="Email me a new link").click()
    person.reads(page, "Check your inbox")


def choices(person: Person) -> Page:
    """The page of one's choices, by the link that was mailed."""
    mail = person.finds(re.compile("^Your choices for"))
    page = person.follows(mail.get_by_role("link", name="Open your choices"))
    person.reads(page, "Your choices")
    return page


def changes_choices(person: Person) -> None:
    """Hour, zone, topics, size and a pause are saved; a mistake is said and saves nothing."""
    page = choices(person)
    page.get_by_label("Hour of the day").select_option("18:00")
    page.get_by_label("Time zone").fill("Nowhere/Else")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_label("Topics", exact=True).fill("kites\nsensor fusion")
    page.locator("summary").filter(has_text="Advanced").click()
    page.get_by_label("Searches").fill("graph NOT survey")
    page.get_by_label("Mute").fill("blockchain")
    page.get_by_label("Papers in a digest").fill("5")
    page.get_by_label("Pause until").fill("2026-04-01")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".done")).to_contain_text("Saved. Every day · 18:00 (Asia/Tokyo) · kites")
    sees_the_choices(page)


def sees_the_choices(page: Page) -> None:
    expect(page.get_by_label("Hour of the day")).to_have_value("18")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_label("Topics", exact=True)).to_have_value("kites\nsensor fusion")
    expect(page.get_by_label("Searches")).to_have_value("graph NOT survey")
    expect(page.get_by_label("Mute")).to_have_value("blockchain")
    expect(page.get_by_label("Papers in a digest")).to_have_value("5")
    expect(page.get_by_label("Pause until")).to_have_value("2026-04-01")


def leaves(person: Person) -> None:
    """The digest's link shows whom it is for; one press ends it."""
    mail = person.finds(DIGEST)
    page = person.follows(mail.get_by_role("link", name="Unsubscribe").first)
    person.reads(page, "Unsubscribe?")
    expect(page.get_by_text(MASKED)).to_be_visible()
    page.get_by_role("button", name="Unsubscribe").click()
    person.reads(page, "You are unsubscribed")
    expect(choices(person).get_by_text("You are unsubscribed from this list")).to_be_visible()


def comes_back(person: Person) -> None:
    """The mail that says so takes it back."""
    mail = person.finds(re.compile("^You unsubscribed"))
    page = person.follows(mail.get_by_role("link", name="Resubscribe"))
    page.get_by_role("button", name="Yes, send me the digest").click()
    person.reads(page, "You are subscribed")
    expect(page.get_by_text("at 18:00 (Asia/Tokyo)")).to_be_visible()


def has_kept_the_choices(person: Person) -> None:
    """Everything is as it was, and every mail came once."""
    page = choices(person)
    sees_the_choices(page)
    expect(page.get_by_text("You are unsubscribed from this list")).to_have_count(0)
    person.goes("/outbox")
    expect(person.page.locator("#mails > li")).to_have_count(4)
