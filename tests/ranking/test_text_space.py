"""Texts are as alike as their telling words, and as the themes those words belong to."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_info

from paperround.ranking.text_space import Bag, Texts, space_and_texts, text_space

CLAY = ["kiln", "glaze", "pottery", "clay"]
SEA = ["tide", "current", "salinity", "ocean"]


def bag(*words: str) -> Bag:
    return Counter(words)


def two_subjects(papers: int = 400) -> list[Bag]:
    """Papers of two subjects, each with three of its four words, `study` in all, and one of its
    own."""
    random = np.random.default_rng(3)
    return [
        bag(*random.choice(subject, 3, replace=False), "study", f"own{number}")
        for number in range(papers)
        for subject in [CLAY if number % 2 else SEA]
    ]


def test_a_text_is_like_itself_and_unlike_what_shares_nothing_with_it() -> None:
    space = text_space([bag("kiln", "glaze"), bag("tide", "ocean"), bag("study")])
    texts = space.texts([bag("kiln", "glaze"), bag("tide", "ocean")])
    likeness = texts.likeness(texts)
    assert likeness[0, 0] == pytest.approx(0.6)  # three papers show no theme
    assert likeness[0, 1] == pytest.approx(0)


def test_how_alike_two_texts_are_does_not_depend_on_which_others_are_asked_about() -> None:
    random = np.random.default_rng(5)
    themes = random.normal(size=(300, 650)).astype(np.float32)
    texts = Texts(words=sparse.csr_array((300, 1), dtype=np.float32), themes=themes)
    together = texts.likeness(texts)
    for few in ([0], [7, 120], list(range(40, 91))):
        assert np.array_equal(texts.at(few).likeness(texts), together[few])


def test_of_two_shared_words_the_rare_one_says_more() -> None:
    space = text_space([bag("study", f"own{n}") for n in range(50)] + [bag("kiln", "study")] * 2)
    asked = space.texts([bag("kiln", "study")])
    rare, common = asked.likeness(space.texts([bag("kiln", "own1"), bag("study", "own1")]))[0]
    assert rare > 3 * common


def test_a_word_said_ten_times_counts_less_than_ten_times() -> None:
    space = text_space([bag("kiln", "tide"), bag("glaze"), bag("ocean")])
    asked = space.texts([bag("kiln")])
    often = space.texts([{"kiln": 10, "tide": 1}])
    counts = 1 + math.log(10)
    assert asked.likeness(often)[0, 0] == pytest.approx(0.6 * counts / math.hypot(counts, 1))


def test_texts_without_a_common_word_are_alike_when_they_share_a_theme() -> None:
    space = text_space(two_subjects())
    asked, others = space.texts([bag("kiln")]), space.texts([bag("glaze"), bag("tide")])
    same, other = asked.likeness(others)[0]
    assert same > 0.2
    assert other < same / 4


def test_a_text_of_unknown_words_is_like_nothing() -> None:
    space = text_space(two_subjects())
    unknown = space.texts([bag("zymurgy"), {}])
    assert not unknown.likeness(space.texts([bag("kiln")])).any()


def test_the_same_bags_make_the_same_space_and_none_make_an_empty_one() -> None:
    one, other = text_space(two_subjects()), text_space(two_subjects())
    assert np.array_equal(one.themes, other.themes)
    nothing = text_space([])
    assert nothing.texts([bag("kiln")]).likeness(nothing.texts([])).shape == (1, 0)


def test_texts_that_come_with_their_space_are_those_that_are_asked_of_it() -> None:
    bags = two_subjects(100)
    space, first = space_and_texts(bags, 30)
    asked = space.texts(bags[:30])
    assert np.array_equal(first.themes, asked.themes)
    assert np.array_equal(first.words.toarray(), asked.words.toarray())
    assert list(space.place_of) == list(dict.fromkeys(word for bag in bags for word in bag))


def test_the_same_is_computed_on_however_many_cores() -> None:
    ours = [one for one in threadpool_info() if "numpy" in one["filepath"]]  # not what others load
    assert {one["num_threads"] for one in ours} == {1}
