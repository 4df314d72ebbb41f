"""What must hold for any candidates at all."""

import math
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.editions.model import Candidate, Ranking
from paperround.ranking.trending import LONGEST
from tests.builders import english
from tests.editions.days import days
from tests.ranking.ranked_papers import NOW, candidate, order, rank, seen


@pytest.mark.slow
@given(days(), st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_the_input_leaves_no_trace(
    papers: list[Candidate], random: Random, cap: int
) -> None:
    shuffled = sorted(papers, key=lambda _: random.random())
    assert rank(shuffled, submitter_cap=cap) == rank(papers, submitter_cap=cap)


@pytest.mark.slow
@pytest.mark.accept("Q9", part="parts")
@pytest.mark.accept("F12", part="parts")
@given(days(), st.integers(0, 4))
def test_the_rounded_parts_add_up_to_the_score(papers: list[Candidate], cap: int) -> None:
    for item in rank(papers, submitter_cap=cap).items:
        assert item.score == round(math.fsum(item.parts.values()), 4)
        assert all(round(part, 4) == part for part in item.parts.values())
        assert len(english(item.reason)) <= LONGEST


@pytest.mark.slow
@given(days(), st.integers(0, 4))
def test_papers_stand_in_order_and_none_is_lost(papers: list[Candidate], cap: int) -> None:
    ranking = rank(papers, submitter_cap=cap)
    scores = [item.score for item in ranking.items]
    assert scores == sorted(scores, reverse=True)
    standing = [*order(ranking), *(other for item in ranking.items for other in item.folded)]
    eligible = [c.paper.id for c in papers if not c.paper.withdrawn and c.paper.counts_from <= NOW]
    assert sorted(standing) == sorted(eligible)


@pytest.mark.slow
@given(days(), st.integers(1, 150))
def test_what_comes_after_the_cut_off_changes_nothing(papers: list[Candidate], ago: int) -> None:
    as_of = NOW - timedelta(hours=ago)
    known = [
        Candidate(
            paper=c.paper, observations=tuple(o for o in c.observations if o.captured_at <= as_of)
        )
        for c in papers
        if c.paper.counts_from <= as_of
    ]
    assert rank(papers, as_of=as_of) == rank(known, as_of=as_of)


VOTES = st.none() | st.integers(0, 500)


def voted(votes: list[int | None], ages: list[int]) -> Ranking:
    return rank(
        [
            candidate(
                number,
                *([] if count is None else [seen(count)]),
                counts_from=NOW - timedelta(hours=age),
                listed_on=(NOW - timedelta(hours=age)).date(),
            )
            for number, (count, age) in enumerate(zip(votes, ages, strict=True))
        ],
        submitter_cap=0,
    )


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.lists(st.tuples(VOTES, st.integers(0, 170)), max_size=12),
    st.tuples(st.integers(0, 500), st.integers(0, 170)),
    st.integers(1, 500),
)
def test_more_votes_never_lower_a_paper(
    crowd: list[tuple[int | None, int]], mine: tuple[int, int], more: int
) -> None:
    ages = [mine[1], *(age for _, age in crowd)]
    others = [votes for votes, _ in crowd]
    before, after = voted([mine[0], *others], ages), voted([mine[0] + more, *others], ages)
    assert order(after).index(0) <= order(before).index(0)
