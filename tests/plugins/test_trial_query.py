"""Papers for a query: what fits best first, and every score a sum of its parts."""

import math

import pytest

from paperround.plugins.demo.trial import WEIGHT, matches, rank_for
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
    assert found[paper(1).id][0] == WEIGHT
    assert 0 < found[paper(2).id][0] < WEIGHT


@pytest.mark.parametrize("query", ["kite", "Kites", "KITES!", "the kites", "kites kites"])
def test_case_plurals_marks_and_filler_do_not_matter(query: str) -> None:
    papers = [paper(1, **KITES), paper(2, **SEA), paper(3, **SNOW)]
    assert {id_: part for id_, (part, _) in matches(query, papers).items()} == {
        id_: part for id_, (part, _) in matches("kites", papers).items()
    }


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    papers = [paper(n, title="sea") for n in range(1, 9)] + [paper(9, title="kite")]
    found = matches("sea kite", papers)
    assert found[paper(9).id][0] == WEIGHT
    assert found[paper(1).id][0] < WEIGHT / 2


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
    ranking = rank_for("kites", [calm, busy, other], now=NOW)
    assert order(ranking)[0] == 2
    assert 3 not in order(ranking)


def test_the_parts_add_up_and_the_reason_names_the_words() -> None:
    given = [candidate(1, seen(5), **KITES), candidate(2, seen(7), **SEA)]
    ranking = rank_for("kites sea", given, now=NOW)
    for item in ranking.items:
        assert item.score == round(math.fsum(item.parts.values()), 4)
        assert english(item.reason).endswith("Matches “kites” and “sea”")
    assert ranking.ranker == "query-2+" + rank(given).ranker
