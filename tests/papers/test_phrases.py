"""What papers are about, in phrases somebody could choose as topics."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.model import Paper
from paperround.papers.phrases import LEAST_PAPERS, frequent_phrases
from paperround.papers.topics import LONGEST_TOPIC, read_topics
from paperround.subscribers.interests import InterestKind, interest
from tests.builders import paper

TOPICS = "PAPERROUND_TEST_DATA"


def titled(*titles: str, **changes: object) -> list[Paper]:
    return [paper(number, title=title, **changes) for number, title in enumerate(titles, start=1)]


@pytest.mark.accept("F31", part="suggested topics")
def test_what_several_papers_are_about_is_suggested_and_what_one_is_about_is_not() -> None:
    papers = titled(
        "Protein folding with graphs",
        "A study of protein folding",
        "Protein Folding: A Survey",
        "Sensor fusion for boats",
    )
    assert "protein folding" in frequent_phrases(papers, most=10)
    assert "sensor fusion" not in frequent_phrases(papers, most=10)


def test_the_longer_phrase_stands_for_the_shorter_one() -> None:
    papers = titled(*(f"Large language models in {place}" for place in ("Rome", "Oslo", "Lima")))
    found = frequent_phrases(papers, most=10)
    assert "language models" in found
    assert not {"large language", "models", "language"} & set(found)


def test_a_phrase_is_written_as_most_papers_write_it() -> None:
    papers = titled("mRNA Vaccines at sea", "mRNA vaccines on land", "mRNA vaccine in the air")
    assert frequent_phrases(papers, most=5)[0] == "mRNA vaccines"


def test_the_keywords_a_paper_names_count_too() -> None:
    papers = titled("One", "Two", "Three", keywords=("graph neural networks",))
    assert frequent_phrases(papers, most=3) == ("graph neural networks",)


def test_with_few_papers_nothing_is_suggested() -> None:
    assert frequent_phrases(titled(*["Protein folding"] * (LEAST_PAPERS - 1)), most=5) == ()


def test_nothing_suggested_begins_or_ends_with_a_word_that_says_nothing() -> None:
    papers = titled(*["Towards robust protein folding via a novel method"] * 4)
    for phrase in frequent_phrases(papers, most=20):
        assert not {"towards", "via", "a", "novel", "method"} & {
            phrase.split()[0],
            phrase.split()[-1],
        }


@given(st.lists(st.text(max_size=60), max_size=6))
def test_whatever_papers_are_called_what_is_suggested_can_be_kept(titles: list[str]) -> None:
    papers = titled(*titles, *titles, *titles)
    for phrase in frequent_phrases(papers, most=10):
        assert interest(InterestKind.TOPIC, phrase).value == phrase


@pytest.mark.accept("F27", part="real topics")
def test_the_names_of_real_topics_can_be_topics() -> None:
    folder = os.environ.get(TOPICS)
    if folder is None:
        pytest.skip(f"{TOPICS} names no folder with real topics")
    lines = Path(folder, "interest_topics", "topics.txt").read_text(encoding="utf-8").splitlines()
    fitting = [line for line in lines if len(line) <= LONGEST_TOPIC]
    assert len(fitting) > 3000
    assert len(lines) - len(fitting) < 20
    for line in fitting:
        assert read_topics([line]) == (" ".join(line.split()),)
        assert interest(InterestKind.TOPIC, line).value == " ".join(line.split())
