"""The words of a text, counted and quoted."""

import pytest

from paperround.ranking.text_space import bag_of, can_quote, whole_words


def test_a_bag_has_compounds_with_their_parts_and_no_stop_words() -> None:
    bag = bag_of("Zero-shot kilns of 22 T2I--models", "the KILNS, zero_shot")
    assert list(bag.items()) == [
        ("zero-shot", 1),
        ("zero", 2),
        ("shot", 2),
        ("kilns", 2),
        ("t2i", 1),
        ("models", 1),
    ]


@pytest.mark.parametrize(
    ("word", "found"),
    [("zero-shot", True), ("shot", True), ("zero-one", False), ("sho", False)],
)
def test_a_compound_stands_where_its_parts_do(word: str, found: bool) -> None:
    assert can_quote(word, whole_words("A zero-shot model")) is found
