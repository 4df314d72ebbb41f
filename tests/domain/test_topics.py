"""Topics are whole words, whatever their case, width and dashes."""

import pytest

from paperround.domain.errors import InvalidInput
from paperround.domain.topics import MOST_TOPICS, Topics, read_topics


@pytest.mark.accept("F13", part="topics")
@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("fusion", "Sensor fusion for drones"),
        ("protein folding", "Protein-folding at scale"),
        ("protein folding", "protein\nfolding"),
        ("GPT", "gpt: a study"),
        ("C++", "Faster C++ templates"),
        ("Schrödinger", "the SCHRÖDINGER bridge"),
        ("扩散", "图像扩散模型"),
        ("ｇａｎ", "A GAN for maps"),
    ],
)
def test_a_topic_is_found_as_a_whole_word(topic: str, text: str) -> None:
    assert Topics((topic,)).found_in(text) == topic


@pytest.mark.accept("F13", part="topics")
@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("fusion", "Diffusion models"),
        ("art", "State of the particle"),
        ("C", "C4 corpora"),
        ("graph", "Graphene ribbons"),
        ("a.b", "a b"),
    ],
)
def test_a_topic_is_not_found_inside_another_word(topic: str, text: str) -> None:
    assert Topics((topic,)).found_in(text) is None


def test_a_phrase_does_not_reach_over_two_texts_of_a_paper() -> None:
    assert Topics(("protein folding",)).found_in("About protein", "Folding maps") is None


def test_topics_are_cleaned_and_kept_once() -> None:
    assert read_topics([" graph   neural ", "", "graph neural", "x"]) == ("graph neural", "x")


@pytest.mark.parametrize("written", [["x" * 101], [str(n) for n in range(MOST_TOPICS + 1)]])
def test_too_many_or_too_long_topics_are_refused(written: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_topics(written)
    assert caught.value.code == "topics"
