from collections import Counter

import pytest

from paperround.editions.model import Candidate, Ranking
from tests.ranking.ranked_papers import candidate, crowded_by_a_topic, order, rank, seen


def crowded() -> list[Candidate]:
    """Ten papers of one submitter on top, twenty of nobody known below."""
    theirs = [candidate(n, seen(500 - n), submitter="one") for n in range(1, 11)]
    return theirs + [candidate(n, seen(60 - n)) for n in range(11, 31)]


def submitters(ranking: Ranking, start: int, end: int) -> Counter[str | None]:
    return Counter(item.paper.submitter for item in ranking.items[start:end])


@pytest.mark.accept("F10", part="submitter cap")
def test_one_submitter_holds_no_more_than_the_cap_of_each_stretch() -> None:
    ranking = rank(crowded(), submitter_cap=3)
    assert submitters(ranking, 0, 12)["one"] == 3
    assert submitters(ranking, 12, 24)["one"] == 3


@pytest.mark.accept("F15", part="topics", mutant="a-topic-fills-a-digest")
def test_one_topic_does_not_fill_a_digest() -> None:
    papers, earlier = crowded_by_a_topic()
    ranking = rank(papers, background=earlier)
    first = ranking.items[:12]
    assert sum(item.paper.id < 100 for item in first) == 8
    assert all(item.parts["topic_cap"] < 0 for item in ranking.items[12:] if item.paper.id < 100)
    assert len(ranking.items) == 27


def test_the_surplus_is_moved_down_in_its_own_order_and_nothing_is_dropped() -> None:
    ranking = rank(crowded(), submitter_cap=3)
    assert len(ranking.items) == 30
    assert [number for number in order(ranking) if number <= 10] == list(range(1, 11))


def test_the_move_is_a_named_negative_part_of_the_score() -> None:
    ranking = rank(crowded(), submitter_cap=3)
    moved = [item for item in ranking.items if "submitter_cap" in item.parts]
    assert [item.paper.id for item in moved] == [4, 5, 6, 7, 8, 9, 10]
    assert all(item.parts["submitter_cap"] < 0 for item in moved)
    scores = [item.score for item in ranking.items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("cap", [0, -1])
def test_a_cap_of_zero_is_no_cap(cap: int) -> None:
    assert order(rank(crowded(), submitter_cap=cap))[:10] == list(range(1, 11))


def test_a_list_of_one_submitter_alone_keeps_its_order() -> None:
    papers = [candidate(n, seen(100 - n), submitter="one") for n in range(40)]
    assert order(rank(papers, submitter_cap=3)) == list(range(40))
