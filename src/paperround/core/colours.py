"""Check and adapt an operator's colour, so that text in it can be read."""

import re

from paperround.core.errors import InvalidInput

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of any size."""

PAPER, NIGHT = "#ffffff", "#1c1f23"
"""What is behind the text of an email, by day and by night."""

_HEX = re.compile("#[0-9a-f]{6}")
_STEPS = 20


def read_colour(text: str) -> str:
    """Return a colour like `#0a55b8` in lower case.

    Raises InvalidInput for anything else, and for a colour that is hard to read on white.
    """
    colour = text.strip().lower()
    if _HEX.fullmatch(colour) is None:
        raise InvalidInput("write it as six hexadecimal digits, like #0a55b8")
    found = contrast(colour, PAPER)
    if found < LEAST_CONTRAST:
        raise InvalidInput(
            f"text in this colour is hard to read on white: its contrast is {found:.1f}, "
            f"and {LEAST_CONTRAST} is needed. Choose a darker one"
        )
    return colour


def at_night(colour: str) -> str:
    """Return the colour, mixed with as much white as text on a dark background needs."""
    red, green, blue = _channels(colour)
    for step in range(_STEPS):
        share = step / _STEPS
        mixed = (round(one + (255 - one) * share) for one in (red, green, blue))
        lighter = "#" + "".join(f"{one:02x}" for one in mixed)
        if contrast(lighter, NIGHT) >= LEAST_CONTRAST:
            return lighter
    return PAPER


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
