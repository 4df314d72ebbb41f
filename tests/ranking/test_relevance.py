"""The final order of the best papers."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.model import Paper, PaperId
from paperround.papers.search import SearchResult, parse_query
from paperround.ranking.relevance import by_relevance
from tests.ranking.ranked_papers import paper


def order(text: str, papers: Sequence[Paper], indexed: int = 1000, having: int = 10) -> list[int]:
    """The ids in order, every term in `having` of `indexed` papers."""
    query = parse_query(text)
    found = SearchResult(
        best=tuple(one.id for one in papers),
        total=len(papers),
        papers=dict.fromkeys(query.wanted, having),
        indexed=indexed,
    )
    return list(by_relevance(query, papers, found))


def test_a_word_in_the_title_counts_for_more_than_in_the_abstract() -> None:
    papers = [
        paper(1, title="On a thing", abstract="Dense words."),
        paper(2, title="On dense", abstract="Some words."),
        paper(3, title="On a thing", abstract="Some words.", authors=("Dense Person",)),
    ]
    assert order("dense", papers) == [2, 1, 3]


def test_more_of_the_words_come_before_more_of_one_word() -> None:
    papers = [
        paper(1, title="Dense dense dense", abstract="Dense dense."),
        paper(2, title="Dense retrieval", abstract="Things."),
    ]
    assert order("dense retrieval", papers) == [2, 1]


def test_the_same_words_count_for_more_in_a_shorter_text() -> None:
    long = "many other things are said here " * 9
    papers = [paper(1, abstract=f"{long} dense"), paper(2, abstract="dense and short")]
    assert order("dense", papers) == [2, 1]


def test_a_phrase_is_found_only_where_its_words_stand_side_by_side() -> None:
    papers = [
        paper(1, title="Retrieval that is dense"),
        paper(2, title="Dense retrievals"),
        paper(3, title="Dense and retrieval"),
    ]
    assert order('"dense retrieval"', papers)[0] == 2
    assert order('"dense retr*" retr*', papers)[0] in {1, 2, 3}


def test_a_field_is_looked_at_alone() -> None:
    papers = [
        paper(1, title="Knuth on knuth", abstract="Knuth."),
        paper(2, authors=("Donald Knuth",)),
    ]
    assert order("author:knuth", papers) == [2, 1]


def test_of_equally_good_papers_the_one_among_its_like_comes_first() -> None:
    plants = "leaves of plants grow towards light by day"
    papers = [
        paper(1, title="Dense", abstract="engines burn oil under heavy strain daily here"),
        paper(2, title="Dense", abstract=f"{plants} here"),
        paper(3, title="Dense", abstract=f"{plants} there"),
        paper(4, title="Dense", abstract=f"{plants} now"),
    ]
    assert order("dense", papers)[-1] == 1


@pytest.mark.accept("Q7", part="words side by side", mutant="words-side-by-side-count-for-nothing")
def test_a_title_that_has_the_words_side_by_side_comes_first() -> None:
    papers = [
        paper(1, title="Speaking to those who teach", abstract="Teach speaking, and teach again."),
        paper(2, title="What it takes: how to teach speaking", abstract="Speaking."),
        paper(3, title="Teach speaking", abstract="Speaking of speaking, we teach speaking."),
    ]
    assert order("how to teach speaking", papers)[0] == 2, "filler is part of a title too"
    assert order("teach speaking", papers)[0] == 3
    assert order("speaking -how teach", papers)[0] != 2, "what must not be there parts the words"


@pytest.mark.accept("Q7", part="a title asked for", mutant="the-best-lends-and-gets-nothing-back")
def test_the_paper_that_fits_best_is_not_put_behind_those_that_are_like_it() -> None:
    oil = "oil burns as they move heavy loads"
    papers = [
        paper(1, title="Engines under strain", abstract=oil),
        paper(2, title="Strain under which engines fail", abstract=f"{oil} uphill"),
        *(paper(number, title="Strain", abstract=f"oil uphill {number}") for number in range(3, 9)),
    ]
    assert order("engines under strain", papers)[:2] == [1, 2]


def test_what_cannot_be_told_apart_stays_as_the_index_had_it() -> None:
    papers = [paper(number, title="Dense", abstract="") for number in (3, 1, 2)]
    assert order("dense", papers) == [3, 1, 2]
    assert order("dense", []) == []


@given(
    st.lists(st.text(alphabet="ab dense\u0301中9", max_size=30), max_size=6), st.text(max_size=20)
)
def test_any_texts_have_an_order_that_leaves_nobody_out(texts: list[str], text: str) -> None:
    papers = [paper(number, title=one, abstract=one) for number, one in enumerate(texts, 1)]
    assert sorted(order(text, papers)) == [PaperId(number + 1) for number in range(len(texts))]
