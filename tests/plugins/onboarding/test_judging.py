"""Papers to judge, and what the judgements have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.model import Paper
from paperround.plugins.onboarding.ratings import (
    common_categories,
    distinguishing_authors,
    distinguishing_phrases,
    pick_diverse,
)
from paperround.subscribers.interests import InterestKind, interest
from tests.builders import paper


def titled(*titles: str) -> list[Paper]:
    return [paper(number, title=title) for number, title in enumerate(titles, start=1)]


def test_papers_that_are_shown_differ_from_each_other() -> None:
    alike = [paper(n, title=f"Protein folding with graphs {n}") for n in range(1, 9)]
    other = paper(9, title="Market prices and weather")
    chosen = pick_diverse([*alike, other], most=2)
    assert [one.id for one in chosen] == [-1, -9]


def test_of_papers_that_differ_the_first_come_first_and_each_once() -> None:
    words = ("ice", "fire", "air", "sea", "wood")
    papers = [paper(n, title=word) for n, word in enumerate(words, start=1)]
    assert pick_diverse(papers, most=5) == papers
    assert pick_diverse(papers, most=0) == []
    assert pick_diverse([], most=5) == []


def test_a_category_is_common_when_two_good_papers_and_fewer_bad_ones_are_in_it() -> None:
    good = [paper(1, categories=("cs.CL", "cs.LG")), paper(2, categories=("cs.CL", "cs.LG"))]
    bad = [paper(3, categories=("cs.LG",)), paper(4, categories=("cs.LG",))]
    assert common_categories(good, bad, most=5) == ("cs.CL",)
    assert common_categories(good[:1], [], most=5) == ()


def test_whoever_wrote_several_good_papers_comes_first_and_nobody_of_a_bad_one() -> None:
    good = [paper(1, authors=("Ada", "Bo", "Cy")), paper(2, authors=("Di", "Bo", "Ed"))]
    bad = [paper(3, authors=("Ed",))]
    assert distinguishing_authors(good, bad, most=9) == ("Bo", "Ada", "Cy", "Di")


@pytest.mark.accept("F31", part="5 good, 3 bad")
def test_what_tells_good_papers_from_bad_ones_and_others_comes_first() -> None:
    good = titled(*(f"Protein folding on graphs of {x}" for x in ("ice", "fire", "air", "sea")))
    bad = [paper(20 + n, title=f"Market prices on graphs of {n}") for n in range(3)]
    others = [paper(50 + n, title=f"Something about boats {n}") for n in range(30)]
    found = distinguishing_phrases(good, bad, others, most=5)
    assert found[0] == "protein folding"
    assert not any("graphs" in one.split() for one in found)


def test_nothing_good_tells_nothing() -> None:
    assert distinguishing_phrases([], titled("Protein folding"), [], most=5) == ()


@given(st.lists(st.text(max_size=60), max_size=6))
def test_whatever_papers_are_called_the_phrases_suggested_can_be_topics(titles: list[str]) -> None:
    papers = titled(*titles, *titles, *titles)
    for phrase in distinguishing_phrases(papers, [], papers, most=10):
        assert interest(InterestKind.TOPIC, phrase).value == phrase
