"""Mails as a browser shows them.

A mail program puts the HTML part into a page of its own; here it is the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.render.composer import MailRenderer
from tests.digests.messages import mail, notice, notice_view, paper, sender_identity, view
from tests.digests.reading import modern_parts

PHONE, DESK = 360, 800


UNWIELDY = paper(
    title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3,
    gist="https://example.org/" + "a-very-long-address-without-any-place-to-break-it/" * 6,
)


def html_of(kind: str) -> str:
    renderer = MailRenderer(sender_identity())
    if kind == "digest":
        shown = view([*view(12).papers, UNWIELDY])
        return modern_parts(renderer.compose(mail(shown)))[1]
    letter = notice(notice_view(SystemMailKind(kind)))
    return modern_parts(renderer.compose_notice(letter))[1]


KINDS = ("digest", *(str(kind) for kind in SystemMailKind))


@contextmanager
def shown(browser: Browser, html: str, *, width: int, dark: bool = False) -> Iterator[Page]:
    """A page that is the mail. Whatever it asks the network for is refused, and fails the test."""
    asked: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark" if dark else "light"
    )
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(html)
        yield page
        assert asked == []
    finally:
        context.close()
