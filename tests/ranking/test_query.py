"""Papers for a query: what fits best first, and every score a sum of its parts."""

import math

import pytest

from paperround.ranking.query import WEIGHT, QueryRanker, matches
from tests.builders import english
from tests.ranking.ranked_papers import NOW, candidate, order, paper, rank, seen

KITES = {"title": "Kites", "abstract": "We fly kites over the sea."}
SEA = {"title": "The sea", "abstract": "Waves, and one kite."}
SNOW = {"title": "Snow", "abstract": "It melts."}


def test_papers_without_any_of_the_words_are_left_out() -> None:
    found = matches("kites", [paper(1, **KITES), paper(2, **SEA), paper(3, **SNOW)])
    assert set(found) == {1, 2}


def test_the_best_match_earns_the_whole_part_and_others_less() -> None:
    found = matches("kites", [paper(1, **KITES), paper(2, **SEA), paper(3, **SNOW)])
    assert found[paper(1).id].part == WEIGHT
    assert 0 < found[paper(2).id].part < WEIGHT


@pytest.mark.parametrize("query", ["kite", "Kites", "KITES!", "the kites", "kites kites"])
def test_case_plurals_marks_and_filler_do_not_matter(query: str) -> None:
    papers = [paper(1, **KITES), paper(2, **SEA), paper(3, **SNOW)]
    assert {id_: one.part for id_, one in matches(query, papers).items()} == {
        id_: one.part for id_, one in matches("kites", papers).items()
    }


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    papers = [paper(n, title="sea") for n in range(1, 9)] + [paper(9, title="kite")]
    found = matches("sea kite", papers)
    assert found[paper(9).id].part == WEIGHT
    assert found[paper(1).id].part < WEIGHT / 2


def test_a_query_of_filler_alone_is_taken_at_its_word() -> None:
    assert set(matches("the", [paper(1, title="The sea"), paper(2, title="Snow")])) == {1}


@pytest.mark.parametrize("query", ["", "?!", "nothing"])
def test_a_query_that_nothing_has_finds_nothing(query: str) -> None:
    assert matches(query, [paper(1, **KITES)]) == {}
    assert matches(query, []) == {}


def test_part_of_a_compound_is_found() -> None:
    assert set(matches("shot", [paper(1, title="Zero-shot kites")])) == {1}


def test_the_language_of_searches_holds() -> None:
    papers = [paper(1, **KITES), paper(2, **SEA), paper(3, **SNOW)]
    assert set(matches("kite AND fly", papers)) == {1}
    assert set(matches("kite -waves", papers)) == {1}
    assert set(matches('"one kite"', papers)) == {2}


def test_of_papers_that_fit_alike_the_trending_one_comes_first() -> None:
    calm, busy = candidate(1, seen(1), **KITES), candidate(2, seen(50), **KITES)
    other = candidate(3, seen(500), **SNOW)
    ranking = QueryRanker(query="kites").rank(
        [calm, busy, other], background=(), as_of=NOW, submitter_cap=0
    )
    assert order(ranking)[0] == 2
    assert 3 not in order(ranking)


def test_the_parts_add_up_and_the_reason_names_the_words() -> None:
    given = [candidate(1, seen(5), **KITES), candidate(2, seen(7), **SEA)]
    ranking = QueryRanker(query="kites sea").rank(given, background=(), as_of=NOW, submitter_cap=0)
    for item in ranking.items:
        assert item.score == round(math.fsum(item.parts.values()), 4)
        assert english(item.reason).endswith("matches “kites” and “sea”")
    assert ranking.ranker == "query-2+" + rank(given).ranker
