"""However a text is cut into words, they are those that a plain pattern finds."""

import re
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperround.ranking.bags import bag_of, can_quote, whole_words
from paperround.ranking.stop_words import may_join

PIECES = (
    *"a b x 1 22 - -- _ . , ' \\ $ ( é ß İ 模型 – ² \t \n \x1c kiln Kiln KILN the".split(" "),
    "zero-shot",
    "state-of-the-art",
    "T2I",
    " ",
)
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def plain_bag(*said: str) -> Mapping[str, int]:
    """Word by word, as the pattern finds them; a compound counts with its parts."""
    found = Counter(
        token for text in said for token in re.findall(r"[^\W_]+(?:-[^\W_]+)*", text.lower())
    )
    bag: dict[str, int] = {}
    for token, times in found.items():
        for word in [token, *token.split("-")] if "-" in token else [token]:
            if may_join(word):
                bag[word] = bag.get(word, 0) + times
    return bag


@given(st.lists(texts, max_size=3))
@example(["_kiln zero_shot", "T2I--zero-shot-"])
def test_a_bag_holds_what_the_pattern_finds_in_its_order(said: list[str]) -> None:
    assert list(bag_of(*said).items()) == list(plain_bag(*said).items())


@given(texts)
def test_whole_words_are_what_the_pattern_finds(text: str) -> None:
    assert whole_words(text) == frozenset(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(
    ("word", "found"),
    [("zero-shot", True), ("shot", True), ("zero-one", False), ("sho", False)],
)
def test_a_compound_stands_where_its_parts_do(word: str, found: bool) -> None:
    assert can_quote(word, whole_words("A zero-shot model")) is found
