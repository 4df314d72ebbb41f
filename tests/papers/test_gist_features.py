"""What is told of a sentence, in numbers."""

import pytest

from paperround.papers.gist_features import features_of, split_sentences


def features(text: str) -> list[dict[str, float]]:
    return [dict(one) for one in features_of(split_sentences(text))]


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("We then jointly propose it.", "we propose"),
        ("This paper introduces it.", "we propose"),
        ("This paper asks why.", "this paper"),
        ("Here we ask why.", "this paper"),
        ("We empirically find much.", "we show"),
        ("It is done by averaging.", "by doing"),
        ("It gains 2.5x there.", "figure"),
        ("It gains 3 \\% there.", "figure"),
        ("Our part is this.", "opens with our"),
    ],
)
def test_a_phrase_is_recognised(sentence: str, name: str) -> None:
    assert features(sentence)[0][name] == 1.0


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("They propose it.", "we propose"),
        ("We like what all of them propose.", "we propose"),
        ("This paper weight is low.", "we propose"),
        ("It stands by the sea.", "by doing"),
        ("It has 3 parts.", "figure"),
        ("It is our part.", "opens with our"),
    ],
)
def test_what_only_looks_like_it_is_not(sentence: str, name: str) -> None:
    assert name not in features(sentence)[0]


def test_the_middle_of_an_abstract_and_what_follows_the_first_of_ours_are_known() -> None:
    found = features("Bees hum. We count bees. They rest. Our bees rest. They go.")
    assert [one["middle"] for one in found] == [0, 0.75, 1, 0.75, 0]
    assert [one.get("after ours", 0) for one in found] == [0, 0, 1, 0, 0]
