"""Check and adapt an operator's colour, so that text in it can be read."""

import re

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of any size."""

PAPER, NIGHT = "#ffffff", "#1c1f23"
"""The background of an email in light and in dark mode."""

RAISED = "#f4f3ef"
"""The darkest background of page text in light mode; in dark mode it is darker than NIGHT."""
_BLACK = "#000000"

_HEX = re.compile("#[0-9a-f]{6}")
_STEPS = 20


def read_colour(text: str) -> str:
    """Return a colour like `#0a55b8` in lower case.

    Raises InvalidInput for anything else, and for a colour that is hard to read on white.
    """
    colour = text.strip().lower()
    if _HEX.fullmatch(colour) is None:
        raise InvalidInput(marked("write it as six hexadecimal digits, like #0a55b8"))
    found = contrast(colour, PAPER)
    if found < LEAST_CONTRAST:
        shown = f"{found:.1f}"
        raise InvalidInput(
            marked(
                "text in this colour is hard to read on white: its contrast is %(some)s, and "
                "%(least)s is needed. Choose a darker one",
                some=shown,
                least=str(LEAST_CONTRAST),
            )
        )
    return colour


def at_night(colour: str) -> str:
    """Return the colour with just enough white mixed in for text on a dark background."""
    return _mixed(colour, PAPER, behind=NIGHT)


def on_pages(colour: str) -> str:
    """Return the colour with just enough black mixed in for text on any part of a page."""
    return _mixed(colour, _BLACK, behind=RAISED)


def _mixed(colour: str, other: str, *, behind: str) -> str:
    """Return the colour with the least of `other` that makes it readable."""
    for step in range(_STEPS):
        share = step / _STEPS
        pairs = zip(_channels(colour), _channels(other), strict=True)
        mixed = "#" + "".join(f"{round(one + (to - one) * share):02x}" for one, to in pairs)
        if contrast(mixed, behind) >= LEAST_CONTRAST:
            return mixed
    return other


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours by WCAG 2.2, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
