"""Mails as a browser shows them.

A mail program puts the HTML part into a page of its own; here it is the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.model import LeftOutPaper
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import NewPapers
from tests.digests.messages import PUBLIC, mail, notice, notice_view, paper, sender_identity, view
from tests.digests.reading import modern_parts

PHONE, DESK = 360, 800


UNWIELDY = paper(
    title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3,
    gist="https://example.org/" + "a-very-long-address-without-any-place-to-break-it/" * 6,
)


def html_of(kind: str) -> str:
    renderer = MailRenderer(sender_identity())
    if kind == "digest":
        shown = view(
            [*view(12).papers, UNWIELDY],
            new_papers=NewPapers(new=214, here=9, in_fields=True),
            risen=(
                LeftOutPaper(title="Tokens on a Diet", url=f"{PUBLIC}/papers/9", votes=57),
                LeftOutPaper(title=UNWIELDY.title, url=f"{PUBLIC}/papers/8", votes=1),
            ),
        )
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
