"""Somebody with a browser: what they press and what they see, in a window of some width.

Whatever happens in the browser that nobody should see is kept: errors, dialogs, requests to
elsewhere.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    FrameLocator,
    Locator,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

from tests.story.serving import Served

READER = "ada@example.org"
ZONE = "Europe/Berlin"
MILLISECONDS = 60_000
"""How long the browser may take for one step on a machine that is busy with other tests."""
LOOKS = 300
"""How often somebody looks into the outbox before they give up: some seconds."""

OWN_EYES = re.compile("^Blocked script execution in '[^']+/html'")
"""What Chromium says when a test looks into the frame of a mail, which may run no script."""

REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What Chromium says of a page that is a problem, too; parts of pages are looked at one by one."""

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Incidents:
    """What went wrong in a browser, what it was made to ask, and what it asked for.

    `blocked` are scripts that the frame of a mail kept from running."""

    errors: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Keep whatever happens in any page of `context` from now on."""
        context.on("console", self._say)
        context.on("weberror", self._fail)
        context.on("dialog", self._ask)
        context.on("request", self._request)
        context.on("response", self._response)

    def require_none(self, site: Served) -> None:
        """Fail when anything went wrong, or anybody but `site` was asked for something, and begin
        anew."""
        elsewhere = [url for url in self.requests if not url.startswith(f"{site.url}/")]
        found = (*self.errors, *self.dialogs, *elsewhere)
        for kept in (self.errors, self.blocked, self.dialogs, self.requests):
            kept.clear()
        assert not found, found

    def _say(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(REFUSED):
            kept = self.blocked if OWN_EYES.match(message.text) else self.errors
            kept.append(message.text)

    def _fail(self, error: WebError) -> None:
        self.errors.append(str(error.error))

    def _ask(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.headers.get("referer"):
            self.errors.append(f"{request.url} was told of {request.headers['referer']}")

    def _response(self, response: Response) -> None:
        is_half_typed = response.status == 422 and response.url.endswith("/preview")
        if (
            response.status >= 400
            and response.request.resource_type != "document"
            and not is_half_typed
        ):
            self.errors.append(f"{response.status} {response.url}")


@dataclass(frozen=True)
class Person:
    """Somebody before the page of a site."""

    site: Served
    context: BrowserContext
    page: Page
    incidents: Incidents

    def goes(self, path: str) -> Page:
        """Open a page of the site in the first window."""
        self.page.goto(f"{self.site.url}{path}")
        return self.page

    def reads(self, page: Page, heading: str) -> None:
        """See the page with that heading, all of it without scrolling sideways."""
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        assert page.evaluate(OVERFLOW) <= 0, page.url

    def follows(self, link: Locator) -> Page:
        """Press a link of a mail by the keyboard, whatever is scrolled; returns the new window."""
        with self.context.expect_page() as opened:
            link.press("Enter")
        opened.value.wait_for_load_state()
        return opened.value

    def finds(self, subject: str | re.Pattern[str]) -> FrameLocator:
        """Look into the outbox until a mail with that subject is there, and open the newest."""
        found = self.page.locator("#mails").get_by_role("link", name=subject)
        for _ in range(LOOKS):
            self.goes("/outbox")
            if found.count():
                break
        found.first.click()
        return self.page.frame_locator("iframe.mail")


@contextmanager
def visiting(
    browser: Browser,
    site: Served,
    *,
    width: int = 1200,
    scripts: bool = True,
    dark: bool = False,
) -> Iterator[Person]:
    """Somebody with a fresh browser. At the end nothing may have gone wrong, no cookie was set,
    nothing was loaded from elsewhere, and no page said where its visitor came from."""
    context = browser.new_context(
        java_script_enabled=scripts,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        timezone_id=ZONE,
    )
    context.set_default_timeout(MILLISECONDS)
    incidents = Incidents()
    incidents.watch(context)
    try:
        yield Person(site, context, context.new_page(), incidents)
        incidents.require_none(site)
        assert context.cookies() == []
    finally:
        context.close()
