"""Every page and every mail: in any window, by day and by night, before axe."""

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import faults
from tests.browser.mails import KINDS, PHONE, html_of, shown
from tests.browser.person import visiting
from tests.browser.tour import OUTBOX, PERSONAL, PUBLIC, Tour

FEW = ("today", "subscribe", "paper", "search", "choices", "mail")
"""Pages of a quick run."""
UNSCRIPTED = ("preview", *OUTBOX)
"""Pages that hold a mail, in which no script may run: axe would wait there for ever."""
OTHERS = [name for name in (*PUBLIC, *PERSONAL[:-1], *OUTBOX) if name not in FEW]


def page_faults(page: Page, *, is_for_axe: bool) -> Iterator[str]:
    """What is wrong with a page on a phone, a tablet and a desk."""
    return faults(page, light=(360, 800, 1400), dark=360, height=800, is_for_axe=is_for_axe)


@pytest.mark.early
@pytest.mark.accept("W5", part="browser")
@pytest.mark.accept("S11", part="browser")
@pytest.mark.accept("F38", part="axe")
@pytest.mark.accept("F38", part="dark and light")
@pytest.mark.accept("Q14", part="axe")
@pytest.mark.parametrize(
    "names",
    [pytest.param(FEW, marks=pytest.mark.quick), OTHERS[:15], OTHERS[15:]],
    ids=["a few", "some", "the others"],
)
def test_every_page_looks_well(browser: Browser, tour: Tour, names: Sequence[str]) -> None:
    found = {}
    with visiting(browser, tour.site, width=360, dark=True) as person:
        for name in names:
            page = person.goes(tour.paths[name])
            expect(page.get_by_role("heading", level=1).first).to_be_visible()
            person.incidents.require_none(tour.site)
            found[name] = [*page_faults(page, is_for_axe=name not in UNSCRIPTED)]
    assert not any(found.values()), found


def looks(page: Page) -> list[str]:
    """What is wrong with a mail on a phone and a desk; at twice the size half the width is left."""
    return [*faults(page, light=(PHONE // 2, PHONE, 400, 800), dark=PHONE, height=740)]


@pytest.mark.accept("F18", part="phone")
@pytest.mark.accept("Q15", part="fits")
@pytest.mark.accept("Q15", part="contrast")
@pytest.mark.accept("Q16", part="zoom")
@pytest.mark.accept("Q16", part="axe")
@pytest.mark.parametrize(
    "kind",
    [pytest.param(one, marks=pytest.mark.quick) if one == "digest" else one for one in KINDS],
)
def test_every_mail_looks_well(browser: Browser, kind: str) -> None:
    with shown(browser, html_of(kind), width=PHONE) as page:
        assert looks(page) == []
