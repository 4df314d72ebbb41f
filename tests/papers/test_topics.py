"""Topics are whole words, whatever their case, width and dashes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput
from paperround.papers.model import PaperId
from paperround.papers.topics import MOST_TOPICS, folded, read_topics
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex
from paperround.personal.matches import ReaderPreferences, match_preferences
from tests.builders import english

PAPER = PaperId(7)


def told(topic: str, title: str, abstract: str = "") -> str:
    """Why a paper is there for somebody with this topic."""
    finder = KeywordIndex([IndexedPaper(paper_id=PAPER, title=title, abstract=abstract)])
    return english(match_preferences(ReaderPreferences(topics=(topic,)), finder).reason(0))


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
        ("Schrodinger", "the Schrödinger bridge"),
        ("扩散", "图像扩散模型"),
        ("ｇａｎ", "A GAN for maps"),
    ],
)
def test_a_topic_is_found_as_a_whole_word(topic: str, text: str) -> None:
    assert told(topic, text) == f"On your topic “{topic}”"


def test_topics_are_cleaned_and_kept_once() -> None:
    assert read_topics([" graph   neural ", "", "graph neural", "x"]) == ("graph neural", "x")


@pytest.mark.parametrize("written", [["x" * 101], [str(n) for n in range(MOST_TOPICS + 1)]])
def test_too_many_or_too_long_topics_are_refused(written: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_topics(written)
    assert caught.value.code == "topics"


@given(st.text(alphabet="aB3_- \t\n\x1c.,", max_size=12))
def test_plain_letters_are_folded_as_the_pattern_folds_them(text: str) -> None:
    assert folded(text) == re.sub(r"[\s-]+", " ", text.lower())
