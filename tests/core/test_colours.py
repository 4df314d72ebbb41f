"""An operator's colour: only one that can be read, by day and by night."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.colours import (
    LEAST_CONTRAST,
    NIGHT,
    PAPER,
    RAISED,
    at_night,
    contrast,
    on_pages,
    read_colour,
)
from paperround.core.errors import InvalidInput


def test_a_dark_colour_is_read_in_lower_case() -> None:
    assert read_colour(" #0A55B8 ") == "#0a55b8"


@pytest.mark.parametrize("text", ["", "blue", "#fff", "0a55b8", "#0a55b8;", "rgb(1, 2, 3)"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="#0a55b8"):
        read_colour(text)


@pytest.mark.accept("Q15", part="operator's colour", mutant="a-pale-colour-is-taken")
def test_a_colour_too_pale_for_white_is_refused_with_its_contrast() -> None:
    with pytest.raises(InvalidInput, match=r"contrast is 1\.1, and 4\.5 is needed"):
        read_colour("#ffff00")


@pytest.mark.accept("Q15", part="operator's colour")
@given(st.integers(0, 0xFFFFFF))
def test_every_colour_can_be_read_at_night(number: int) -> None:
    assert contrast(at_night(f"#{number:06x}"), NIGHT) >= LEAST_CONTRAST


@pytest.mark.accept("Q15", part="operator's colour")
@given(st.integers(0, 0xFFFFFF))
def test_every_colour_can_be_read_on_every_part_of_a_page(number: int) -> None:
    colour = on_pages(f"#{number:06x}")
    assert min(contrast(colour, RAISED), contrast(colour, PAPER)) >= LEAST_CONTRAST


def test_a_colour_that_is_light_enough_stays_at_night() -> None:
    assert at_night("#8ab8f8") == "#8ab8f8"
    assert contrast("#000000", PAPER) == 21
