"""Pictures for the documentation: `python -m tests.browser.pictures docs`.

A digest on a phone and a desk, in light and dark, pages of the site, and two sheets with the upper
part of every page that there is. With a third word, `every`, each page by itself in each window;
with `card`, the picture that stands beside a link to the site elsewhere, of `docs/card.svg` alone.
The sample papers are invented.
"""

import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.tour import PUBLIC, Tour, touring

CARD = Path(__file__).parents[2] / "docs" / "card.svg"
CARD_SIZE = (1200, 630)
WINDOWS = {"360": (360, 740), "760": (760, 600), "800": (800, 900), "1400": (1400, 900)}
LOOKS: dict[str, Literal["light", "dark"]] = {"": "light", "-dark": "dark"}
MAIL_WINDOWS = ("360", "800")
LOOKED_AT = ("360", "800", "1400")
SHOWN = {
    "site-today": ("today", "360"),
    "site-paper": ("paper", "360"),
    "site-subscribe": ("subscribe", "360"),
    "demo-front": ("today", "760"),
    "demo-outbox": ("mail", "760"),
}
"""The pictures of docs/site.md and of the README: which page each shows, and in which window; small
ones, to keep a clone small."""

SHEET_SIZE = (1240, 800)
SHEET_STYLE = """
body { margin: 20px; background: #8a857c; display: grid; gap: 20px;
       grid-template-columns: repeat(5, 1fr); font: 600 15px system-ui, sans-serif; color: #fff; }
figure { margin: 0 } figcaption { padding: 5px }
img { display: block; width: 100%; border-radius: 6px }
"""
"""Five phones beside each other, each two thirds of its size."""


def digest_html(tour: Tour) -> str:
    """The HTML part of the digest that somebody new gets of the sample papers."""
    parts = [mail.get_body(("html",)) for mail in tour.mails if "List-Id" in mail]
    if not parts or parts[-1] is None:
        raise RuntimeError("the digest has no HTML part")
    return str(parts[-1].get_content())


@contextmanager
def window(browser: Browser, name: str, suffix: str) -> Iterator[Page]:
    """An empty page of that size, in light or dark."""
    width, height = WINDOWS[name]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=LOOKS[suffix])
    try:
        yield page
    finally:
        page.close()


def take(folder: Path, *, every: bool) -> None:
    """Write the pictures into `folder`: `mail-360.png`, `mail-360-dark.png`, `site-today.png` …"""
    with (
        tempfile.TemporaryDirectory() as data,
        touring(Path(data)) as tour,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        _mails(browser, folder, digest_html(tour))
        _shown(browser, folder, tour)
        _sheets(browser, folder, tour)
        if every:
            _every(browser, folder, tour)
        browser.close()


def take_card(folder: Path) -> None:
    """Write `card.png` into `folder`."""
    width, height = CARD_SIZE
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_content(f"<style>body {{ margin: 0 }}</style>{CARD.read_text(encoding='utf-8')}")
        page.screenshot(path=folder / "card.png")
        browser.close()


def _mails(browser: Browser, folder: Path, html: str) -> None:
    for name in MAIL_WINDOWS:
        for suffix in LOOKS:
            with window(browser, name, suffix) as page:
                page.set_content(html)
                page.screenshot(path=folder / f"mail-{name}{suffix}.png")


def _shown(browser: Browser, folder: Path, tour: Tour) -> None:
    for picture, (name, size) in SHOWN.items():
        with window(browser, size, "") as page:
            page.goto(f"{tour.site.url}{tour.paths[name]}")
            page.screenshot(path=folder / f"{picture}.png")


def _sheets(browser: Browser, folder: Path, tour: Tour) -> None:
    """`pages-public.jpeg` and `pages-personal.jpeg`."""
    of_everybody = {name: path for name, path in tour.paths.items() if name in PUBLIC}
    others = {name: path for name, path in tour.paths.items() if name not in PUBLIC}
    for sheet, paths in {"public": of_everybody, "personal": others}.items():
        with window(browser, "360", "") as phone:
            pictures = {name: _picture(phone, f"{tour.site.url}{paths[name]}") for name in paths}
        width, height = SHEET_SIZE
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_content(_sheet(pictures))
        page.screenshot(path=folder / f"pages-{sheet}.jpeg", full_page=True, quality=60)
        page.close()


def _picture(phone: Page, url: str) -> bytes:
    phone.goto(url)
    return phone.screenshot()


def _sheet(pictures: Mapping[str, bytes]) -> str:
    """A page that shows pictures above their names."""
    figures = (
        f'<figure><img src="data:image/png;base64,{b64encode(picture).decode()}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, picture in pictures.items()
    )
    return f"<style>{SHEET_STYLE}</style>{''.join(figures)}"


def _every(browser: Browser, folder: Path, tour: Tour) -> None:
    for size in LOOKED_AT:
        for suffix in LOOKS:
            with window(browser, size, suffix) as page:
                for name, path in tour.paths.items():
                    page.goto(f"{tour.site.url}{path}")
                    file = f"every-{name.replace(' ', '-')}-{size}{suffix}.png"
                    page.screenshot(path=folder / file, full_page=True)


if __name__ == "__main__":
    if "card" in sys.argv[2:]:
        take_card(Path(sys.argv[1]))
    else:
        take(Path(sys.argv[1]), every="every" in sys.argv[2:])
