"""An operator's whole way in a browser: from an empty folder to the edition they edited, in the
inbox of its first reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from paperround.bootstrap import AppContext
from paperround.config import load_settings
from tests.browser.person import MILLISECONDS, READER
from tests.http.faults import FaultServer, page, says
from tests.story.command_line import CLOCK, CommandLine
from tests.story.serving import Served, listening, served
from tests.story.visitor import link, text
from tests.waiting import until
from tests.web.conftest import HandClock

EMAIL = "op@lab.example"
TITLES = {
    "arms": ("Grasping soft fruit", "Arms that learn to pour", "Touch without cameras"),
    "eyes": ("Depth from one frame", "Seeing through rain", "Maps of moving crowds"),
}
PINNED, DROPPED, FIRST = "Touch without cameras", "Depth from one frame", "Grasping soft fruit"
NOTE = "Two of these come from our own lab."


@pytest.fixture
def feeds() -> Iterator[FaultServer]:
    """A server with two feeds of three papers."""
    answers = {"/": page(status="404 Not Found")}
    answers |= {f"/{name}": page(_feed(name)) for name in TITLES}
    with FaultServer({path: says(answer) for path, answer in answers.items()}) as server:
        yield server


def _feed(name: str) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://{name}.example/{place}</link>"
        f"<description>We show what {title.lower()} takes, and measure it.</description>"
        "<pubDate>Mon, 02 Mar 2026 05:00:00 GMT</pubDate></item>"
        for place, title in enumerate(TITLES[name])
    )
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


@contextmanager
def installation(folder: Path, feeds: FaultServer) -> Iterator[tuple[Served, str]]:
    """What `paperround init` makes in an empty folder, served; and the link that logs in."""
    with listening() as (door, url):
        shell = CommandLine(folder)
        shell.run("init", "--yes", "--no-test-mail", "--public-url", url, "--contact", EMAIL)
        shell.run("operators", "add", EMAIL)
        log_in = shell.run("operators", "link", EMAIL).strip()
        settings = load_settings({}, file=folder / ".env").model_copy(
            update={
                "data_dir": folder / "paperround-data",
                "enrich": "off",
                "fetch_allow": feeds.at,
                "rate_signup_ip": "off",
            }
        )
        clock = HandClock(CLOCK.now())
        with served(AppContext(settings, clock), clock, door) as site:
            yield site, log_in


@contextmanager
def window(browser: Browser, site: Served) -> Iterator[Page]:
    """A page of a fresh browser that runs no scripts."""
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": 800, "height": 800}
    )
    context.set_default_timeout(MILLISECONDS)
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.mark.slow
@pytest.mark.accept("F43", part="story")
def test_an_operator_makes_a_list_and_edits_its_first_edition(
    browser: Browser, feeds: FaultServer, tmp_path: Path
) -> None:
    with installation(tmp_path, feeds) as (site, log_in), window(browser, site) as admin:
        admin.goto(log_in)
        _press(admin, "button", "Log in")
        for name in TITLES:
            adds_a_feed(admin, name, feeds.url(f"/{name}"))
        makes_a_list(admin)
        sees_what_would_go_out(admin)
        with window(browser, site) as reader:
            signs_up(site, reader)
        holds_editions(admin)
        the_evening_comes(site)
        edits_the_held_edition(admin)
        site.home.publish()  # the schedule, a minute later
        digest = text(site.digest())
    assert NOTE in digest
    assert digest.index(NOTE) < digest.index(PINNED) < digest.index(FIRST)
    assert DROPPED not in digest


def adds_a_feed(admin: Page, name: str, url: str) -> None:
    """Enter in a field previews the feed; adding it reads it at once."""
    _press(admin, "link", "Feeds")
    admin.get_by_label("Kind").select_option("feed")
    _press(admin, "button", "Continue")
    admin.get_by_label("Name").fill(name)
    admin.get_by_label("Address").fill(url)
    admin.get_by_label("Address").press("Enter")
    expect(admin.get_by_text(TITLES[name][0])).to_be_visible()
    _press(admin, "button", "Add")
    expect(admin.get_by_role("heading", level=1)).to_contain_text(name)
    until(lambda: admin.reload() and admin.get_by_role("table").count())  # its first run


def makes_a_list(admin: Page) -> None:
    """Its page says what comes next, and at which address people sign up."""
    _press(admin, "link", "Lists")
    _press(admin, "link", "Add a list")
    admin.get_by_label("Name in URLs").fill("robots")
    admin.get_by_label("Title").fill("Robots")
    admin.get_by_label("Only papers from these feeds").press("Space")
    for name in TITLES:
        admin.get_by_role("checkbox", name=name).press("Space")
    admin.get_by_label("Title").press("Enter")
    expect(admin.get_by_role("heading", name="Next steps")).to_be_visible()
    expect(admin.get_by_role("link", name="/subscribe?list=robots")).to_be_visible()


def sees_what_would_go_out(admin: Page) -> None:
    """The preview is the email, with the papers of both feeds."""
    _press(admin, "link", "Preview the next digest")
    for title in (title for titles in TITLES.values() for title in titles):
        expect(admin.get_by_role("link", name=title).first).to_be_visible()
    admin.go_back()


def signs_up(site: Served, reader: Page) -> None:
    """Somebody signs up for the list, and confirms by the mail in the outbox."""
    reader.goto("/subscribe?list=robots")
    reader.get_by_label("Email address").fill(READER)
    site.clock.move(seconds=2)
    reader.get_by_label("Email address").press("Enter")
    expect(reader.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    reader.goto(link(site.mail("Confirm your subscription to"), "confirm"))
    _press(reader, "button", "Yes, send me the digest")
    expect(reader.get_by_role("heading", level=1)).to_have_text("You are subscribed")


def holds_editions(admin: Page) -> None:
    _press(admin, "link", "Change the settings")
    admin.get_by_label("Hold editions for (minutes)").fill("120")
    admin.get_by_label("Hold editions for (minutes)").press("Enter")
    expect(admin.get_by_role("status")).to_have_text("Saved.")


def the_evening_comes(site: Served) -> None:
    """The schedule reads the feeds and freezes the edition, which is held, so nothing goes out."""
    site.clock.move(hours=10, minutes=30)
    site.home.poll()
    site.home.publish()


def edits_the_held_edition(admin: Page) -> None:
    """Each change shows on the page; approved, the edition goes out."""
    _press(admin, "link", "Editions")
    expect(admin.get_by_role("heading", name="Held")).to_be_visible()
    _press(admin, "link", "2026-03-02, edition 3")
    expect(admin.get_by_text("This edition is held until")).to_be_visible()
    _press(admin, "button", f"Pin: {PINNED}")
    expect(admin.locator(".ranked-papers li").first).to_contain_text(PINNED)
    _press(admin, "button", f"Drop: {DROPPED}")
    expect(admin.get_by_role("button", name=f"Restore: {DROPPED}")).to_be_visible()
    note = admin.get_by_label("Note below the heading")
    note.fill(NOTE)
    note.press("Enter")
    expect(note).to_have_value(NOTE)
    _press(admin, "button", "Approve")
    expect(admin.get_by_text("Published on")).to_be_visible()


def _press(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=name, exact=True).first.press("Enter")  # type: ignore[arg-type]
