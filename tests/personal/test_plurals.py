"""One and many."""

import pytest

from paperround.personal.keyword_index import forms


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("network", "networks"),
        ("networks", "network"),
        ("study", "studies"),
        ("studies", "study"),
        ("survey", "surveys"),
        ("box", "boxes"),
        ("boxes", "box"),
        ("benchmark", "benchmarks"),
        ("classes", "class"),
        ("llms", "llm"),
        ("gan", "gans"),
    ],
)
def test_a_word_also_stands_for_its_other_number(word: str, other: str) -> None:
    assert other in forms(word)


@pytest.mark.parametrize(
    ("word", "none"),
    [
        ("news", "new"),
        ("sars", "sar"),
        ("robotics", "robotic"),
        ("bias", "bia"),
        ("loss", "los"),
        ("analysis", "analysi"),
        ("virus", "viru"),
        ("ai", "ais"),
        ("gpt4", "gpt4s"),
        ("扩散", "扩散s"),
    ],
)
def test_what_only_looks_like_a_plural_is_none(word: str, none: str) -> None:
    assert none not in forms(word)
