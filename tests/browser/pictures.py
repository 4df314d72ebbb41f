"""Pictures of a digest for the documentation: `python -m tests.browser.pictures docs`.

On a phone and a desk, in light and dark, from the sample papers, which are invented.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.story.serving import serving
from tests.story.visitor import Visitor, subscribed

WINDOWS = {"360": (360, 740), "800": (800, 900)}
LOOKS = {"": "light", "-dark": "dark"}


def digest_html() -> str:
    """The HTML part of the digest that somebody new gets of the sample papers."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as site:
        part = subscribed(Visitor(site)).get_body(("html",))
        if part is None:
            raise RuntimeError("the digest has no HTML part")
        return str(part.get_content())


def take(folder: Path) -> None:
    """Write the four pictures into `folder`."""
    html = digest_html()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (width, height) in WINDOWS.items():
            for suffix, scheme in LOOKS.items():
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page.set_content(html)
                page.screenshot(path=folder / f"mail-{name}{suffix}.png")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
