"""Which word was probably meant."""

import pytest

from paperround.papers.search import distance, nearest, title_words


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("dense", "dense", 0),
        ("dense", "dens", 1),
        ("dense", "dence", 1),
        ("dense", "desne", 1),
        ("dense", "sparse", 4),
        ("", "ab", 2),
        ("retrieval", "retreival", 1),
    ],
)
def test_slips_are_counted_with_swaps_as_one(one: str, other: str, slips: int) -> None:
    assert distance(one, other, 9) == distance(other, one, 9) == slips


def test_counting_stops_where_it_is_too_many() -> None:
    assert distance("abcdefgh", "zyxwvuts", 2) == 3
    assert distance("a", "abcd", 2) == 3


def test_the_nearest_words_are_those_with_fewest_slips() -> None:
    known = ["retrieval", "retrieved", "reprieval", "dense"]
    assert nearest("retreival", known) == ["retrieval"]
    assert nearest("retrieval", known) == ["reprieval"], "a word is no guess for itself"
    assert nearest("dnse", ["dense", "sense"]) == ["dense"]
    assert nearest("xxxx", known) == []


def test_words_of_titles_are_those_worth_a_guess() -> None:
    titles = ["Dense retrieval of the BERT-4 kind", "Für ihn"]
    assert title_words(titles) == {"dense", "retrieval", "bert", "kind"}
