"""Texts that readers spoke of keep their places and their likeness, however many come."""

from collections import Counter

import numpy as np
import pytest

from paperround.personal.rated_texts import RatedTexts, Text, TextKey, WordWeights, quotable_of
from paperround.ranking.text_space import text_space

WORDS = ("kiln", "glaze", "pottery", "tide", "ocean", "salinity")


def text(number: int) -> Text:
    return (f"{WORDS[number % 6]} {WORDS[number // 6 % 6]}", f"word{number % 50}")


BAGS = [Counter(" ".join(text(number)).split()) for number in range(300)]
SPACE = text_space(BAGS)
FIELD = SPACE.texts(BAGS[:270])  # more than one block of papers


def spoken_weights(words: str) -> WordWeights:
    return quotable_of(SPACE.texts([Counter(words.split())]).words, 0, lambda _: True)


def test_texts_that_come_bit_by_bit_are_as_like_as_those_that_come_at_once() -> None:
    spoken = RatedTexts(SPACE, FIELD)
    for first in range(0, 200, 20):
        page: dict[TextKey, Text] = {number: text(number) for number in range(first, first + 20)}
        spoken.add(page)
    assert spoken.places([199, 0, 999]) == {199: 199, 0: 0}
    likeness = np.hstack(spoken.blocks())[:, : len(FIELD)]
    assert np.allclose(likeness, SPACE.texts(BAGS[:200]).likeness(FIELD), atol=1e-6)


def test_the_nearest_text_is_found_for_papers_of_every_block() -> None:
    spoken = RatedTexts(SPACE, FIELD)
    spoken.add({number: text(number) for number in range(100)})
    wished, papers = np.array([3, 40, 77]), np.array([0, 3, 140, 269])
    likeness = SPACE.texts([BAGS[one] for one in wished]).likeness(FIELD)[:, papers]
    several = [[9], wished.tolist(), []]
    nearest = spoken.nearest(several, np.array([papers] * 3))
    assert nearest[1].tolist() == wished[likeness.argmax(axis=0)].tolist()
    assert nearest[[0, 2]].tolist() == [[9] * 4, [-1] * 4]


@pytest.mark.accept("Q9", part="personal")
def test_of_the_words_two_texts_share_the_telling_ones_weigh_most() -> None:
    spoken = RatedTexts(SPACE, FIELD)
    spoken.add({"kiln word7": ("kiln word7",)})
    assert spoken.is_topic(0)
    words = list(SPACE.place_of)
    quotable = spoken_weights("kiln word7 tide")
    weights = {words[one]: weight for one, weight in spoken.shared(0, quotable).items()}
    assert weights["word7"] > weights["kiln"] > 0
    assert weights.keys() == {"word7", "kiln"}
    assert spoken.shared(0, spoken_weights("tide")) == {}
