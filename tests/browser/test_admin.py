"""The admin pages in a real browser: in any window, by day and by night, before axe and a
validator, and with nothing but a keyboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from paperround.access.keys import create_key
from paperround.access.model import Scope
from paperround.access.operators import add_operator, create_link
from paperround.bounces.model import Did
from paperround.bounces.store import ReturnStore
from paperround.digests.editing import EditionRef, add_note, choose, drop, set_hold
from paperround.digests.publish import draft_edition, freeze, freeze_cuts
from paperround.editions.manage_lists import create_list
from paperround.feeds.due import create_feed
from paperround.feeds.model import NewFeed
from tests.browser.looks import faults
from tests.browser.person import MILLISECONDS
from tests.browser.validator import faults as refused_by_validator
from tests.builders import HOUR, NOW, returned_event
from tests.story.serving import Served
from tests.story.visitor import Visitor, subscribed

EMAIL = "op@lab.example"
PAGES = {
    "overview": "/admin",
    "editions": "/admin/editions",
    "held edition": f"/admin/editions/trending/{NOW.date()}/2?paper=neural",
    "edition": f"/admin/editions/trending/{NOW.date()}/1",
    "edition sent by hand": f"/admin/editions/trending/{NOW.date()}/manual",
    "preview": f"/admin/editions/trending/{NOW.date()}/2/preview",
    "wrong preview": f"/admin/editions/trending/{NOW.date()}/2/preview?subscriber=4711",
    "send": f"/admin/editions/trending/{NOW.date()}/1/send",
    "why": "/admin/lists/trending/why",
    "sending": "/admin/lists/trending/send",
    "deliveries": "/admin/deliveries",
    "wrong filter": "/admin/deliveries?date=yesterday",
    "delivery": "/admin/deliveries/1",
    "person": "/admin/people/1",
    "choices": "/admin/people/1/choices?list=trending",
    "new person": "/admin/people/new",
    "bounces": "/admin/bounces",
    "quarantined": "/admin/bounces/quarantine/1",
    "suppressions": "/admin/suppressions",
    "feeds": "/admin/feeds",
    "feed": "/admin/feeds/2",
    "new feed": "/admin/feeds/new?kind=arxiv",
    "channels": "/admin/channels",
    "lists": "/admin/lists",
    "list": "/admin/lists/trending",
    "new list's first page": "/admin/lists/robots",
    "new list": "/admin/lists/new",
    "list's form": "/admin/lists/robots/edit",
    "ranking": "/admin/ranking",
    "other weights": "/admin/ranking?weights=votes=2",
    "figures": "/admin/figures",
    "wrong figures": "/admin/figures?days=91",
    "keys": "/admin/keys",
    "operators": "/admin/operators",
    "audit": "/admin/audit",
    "doctor": "/admin/doctor",
}


def link(site: Served) -> str:
    """The path of a log-in link for an operator, who is added."""
    home, now = site.home, site.clock.now()
    add_operator(home.database, EMAIL, EMAIL, now=now, by="shell tests")
    token = create_link(home.database, home.settings.keys, EMAIL, now=now, by="shell tests")
    return f"/admin/login/{token}"


def furnished(site: Served) -> None:
    """Let there be a reader with a digest and a bounce, a report in quarantine, a feed, a key, a
    colleague, and an edition made by hand."""
    subscribed(Visitor(site))
    now = site.clock.now()
    with site.home.database.writing() as work:
        returned = work[ReturnStore].begin(returned_event(), now=now)
        assert returned is not None
        mail = work[ReturnStore].mail_by_row("delivery", 1)
        work[ReturnStore].end(returned, Did.NOTED, mail=mail, said="mailbox full")
        report = b"Subject: Delivery\r\n\r\nYour mail went the way of all mail."
        work[ReturnStore].keep(returned_event(), report, why="unproven", person=None, now=now)
    feed = NewFeed(name="arxiv-ml", kind="arxiv", settings={"categories": "cs.LG"})
    create_feed(site.home.feed_context, feed, now=now)
    own = {"title": "Robots", "feeds": ("arxiv-ml",), "private": True}
    create_list(site.home.database, "robots", own, by="shell tests", now=now)
    create_key(site.home.database, "laptop", [*Scope], expires_at=None, now=now)
    colleague = "alexandra.cunningham@lab.example"
    add_operator(site.home.database, colleague, colleague, now=now, by="shell tests")
    freeze(
        site.home.database,
        draft_edition(site.home.database, site.home.ranker, "trending", day=None, now=now),
    )
    _hold_an_edition(site)


def _hold_an_edition(site: Served) -> None:
    """Hold the next edition, and change it."""
    database, editor, now = site.home.database, "shell tests", site.clock.now()
    set_hold(database, "trending", 60, by=editor, now=now)
    later = NOW + 6 * HOUR
    frozen = freeze_cuts(database=database, ranker=site.home.ranker, now=later)
    held = next(one for one in frozen if one.list_name == "trending")
    ref = EditionRef(list_name="trending", day=held.day, cut=held.cut)
    first, second, third = (str(one.paper_id) for one in held.papers[:3])
    drop(database, ref, first, by=editor, now=now)
    choose(database, ref, third, by=editor, now=now)
    add_note(database, ref, "Read both.", by=editor, now=now)
    add_note(database, ref, "Figure 2 is wrong.", by=editor, now=now, paper=second)


@contextmanager
def before(browser: Browser, site: Served, *, width: int) -> Iterator[Page]:
    """A page of a fresh browser, in which nothing may go wrong; cookies are welcome here."""
    context = browser.new_context(
        base_url=site.url, viewport={"width": width, "height": 800}, color_scheme="dark"
    )
    context.set_default_timeout(MILLISECONDS)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(link(site))
    try:
        yield page
        assert errors == []
    finally:
        context.close()


@pytest.mark.slow
@pytest.mark.accept("F43", part="browser")
def test_every_admin_page_looks_well(browser: Browser, site: Served, tmp_path: Path) -> None:
    furnished(site)
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found[name] = [*faults(page, light=(360, 800, 1400), dark=360, height=800)]
        sent = page.context.request.get(page.url).text()  # as it was sent, not as it was parsed
        (tmp_path / f"{name}.html").write_text(sent, encoding="utf-8")

    with before(browser, site, width=360) as page:
        look("button")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        for name, path in PAGES.items():
            page.goto(path)
            look(name)
        page.goto("/admin/lists/new")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#name-error")).to_be_visible()
        look("wrong list")
        page.goto("/admin/people")
        page.get_by_label("Address").fill("@")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
        look("people")
        page.get_by_label("Address").fill("")
        page.get_by_role("button", name="Find").click()
        look("found")
        page.goto("/admin/people/1")
        for errand in page.locator(".errand summary").all():
            errand.click()
        look("errands")
        page.goto("/admin/suppressions")
        page.get_by_label("Address").fill("never@mail.example")
        page.get_by_role("button", name="Look up").click()
        look("looked up")
        page.goto("/admin/doctor")
        page.get_by_role("button", name="Run the checks").click()
        expect(page.locator(".findings li").first).to_be_visible()
        look("findings")
        page.get_by_role("button", name="Log out", exact=True).click()
        look("log in")
    assert not any(found.values()), found
    assert refused_by_validator(tmp_path) == []


@pytest.mark.slow
@pytest.mark.accept("F44", part="page")
def test_feeds_and_domains_are_asked_for_only_where_they_count(
    browser: Browser, site: Served
) -> None:
    furnished(site)
    with before(browser, site, width=800) as page:
        page.get_by_role("button", name="Log in").click()
        page.goto("/admin/lists/new")
        feeds, domains = (
            page.locator("[name=feeds]").first,
            page.get_by_label("Domains", exact=True),
        )
        for asked_for, choice in (
            (feeds, "Only papers from these feeds"),
            (domains, "Only addresses at these domains"),
        ):
            expect(asked_for).to_be_hidden()
            page.get_by_label(choice).check()
            expect(asked_for).to_be_visible()


@pytest.mark.slow
@pytest.mark.accept("F43", part="keyboard")
def test_a_keyboard_is_enough_to_log_in_filter_and_log_out(browser: Browser, site: Served) -> None:
    furnished(site)
    with before(browser, site, width=800) as page:
        _press(page, "button", "Log in")
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        _press(page, "link", "API keys")
        expect(page.get_by_role("heading", level=1)).to_have_text("API keys")
        _press(page, "button", "Revoke laptop")
        expect(page.get_by_text("revoked")).to_be_visible()
        _press(page, "button", "Log out")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def _press(page: Page, role: str, name: str) -> None:
    """Reach a control with the tab key, and press Enter."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no key leads to {name}")
