"""Papers to judge, and what the judgements have in common."""

from paperround.plugins.onboarding.ratings import (
    common_categories,
    distinguishing_authors,
    pick_diverse,
)
from tests.builders import paper


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
