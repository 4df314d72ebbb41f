"""All that can be wrong with how a page looks, found in one visit.

Colours depend on the scheme alone and the layout on the width alone, so a page is loaded once and
its window changed. Most of axe's rules depend on neither, so it looks at everything once, and in
the dark at what may differ there.
"""

from collections.abc import Iterator, Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.person import OVERFLOW
from tests.digests.reading import contrast

LIGHT, DARK = "light", "dark"
RULES_OF_LOOKS = ("color-contrast", "target-size", "scrollable-region-focusable")
"""Axe's rules that colours and layout can break."""

COLOURS = """
() => [...document.querySelectorAll("body, body *")]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => one.checkVisibility())
  .map((one) => {
    let behind = one;
    const shade = () => getComputedStyle(behind).backgroundColor;
    while (shade() === "rgba(0, 0, 0, 0)" && behind.parentElement) behind = behind.parentElement;
    return [getComputedStyle(one).color, shade(), one.textContent.trim().slice(0, 40)];
  })
"""
"""Of every text that can be seen: its colour, what is behind it, and how it begins."""


def faults(
    page: Page, *, light: Sequence[int], dark: int, height: int, is_for_axe: bool = True
) -> Iterator[str]:
    """What is wrong with a page in windows of these widths by day, and of one width by night."""
    for scheme, widths in ((DARK, (dark,)), (LIGHT, light)):
        page.emulate_media(color_scheme="dark" if scheme == DARK else "light")
        for width in widths:
            page.set_viewport_size({"width": width, "height": height})
            if page.evaluate(OVERFLOW) > 0:
                yield f"is wider than a window of {width} pixels"
            yield from (f"{fault} ({scheme}, {width} pixels)" for fault in too_faint(page))
        if scheme == DARK and is_for_axe:
            yield from refused_by_axe(page, RULES_OF_LOOKS)
    for box in page.locator("details").all():
        box.evaluate("one => { one.open = true; }")
    if is_for_axe:
        yield from refused_by_axe(page)


def too_faint(page: Page) -> Iterator[str]:
    """Texts that do not stand out from what is behind them."""
    texts = page.evaluate(COLOURS)
    if len(texts) <= 2:
        yield "shows hardly any text"
    for colour, behind, text in texts:
        if contrast(as_hex(colour), as_hex(behind)) < 4.5:
            yield f"{text!r} is {colour} on {behind}"


def refused_by_axe(page: Page, rules: Sequence[str] = ()) -> Iterator[str]:
    """What the accessibility checker finds, by these rules or by all."""
    chosen = {"runOnly": {"type": "rule", "values": [*rules]}} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **chosen})
    if found.violations_count:
        yield found.generate_report()


def as_hex(colour: str) -> str:
    """`rgb(1, 2, 3)` as `#010203`."""
    return "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))
