"""The formula on the page is the one in force, part by part and number by number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

import pytest

from paperround.papers.model import Paper
from paperround.ranking.formula import formula_of
from paperround.ranking.prior.predictor import GROUPS
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, PART_WEIGHTS, Weights
from tests.ranking.ranked_papers import candidate, crowded_by_a_topic, rank, seen


class Hopeful:
    """Expects a little of every paper, in every part."""

    @property
    def version(self) -> str:
        return "hope"

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        return [dict.fromkeys(GROUPS, 0.1 * place) for place in range(len(papers))]


def parts_in_scores() -> set[str]:
    """Every part that a score can have."""
    counts = [seen(3, signal=signal) for signal in ("comments", "github_stars", "mentions")]
    told = candidate(1, seen(9), *counts, seen(1, signal="citations"), abstract="Words.")
    told = replace(told, colleagues=3)
    same = [candidate(n, seen(9 - n), submitter="one") for n in range(2, 9)]
    day = [told, *same, candidate(20), candidate(21)]
    other = [candidate(30 + n, replace(seen(n), scale="elsewhere")) for n in range(5)]
    rankings = [
        rank([*day, *other], ranker=TrendingRanker(prior=prior), submitter_cap=1)
        for prior in (None, Hopeful())
    ]
    papers, earlier = crowded_by_a_topic()
    rankings.append(rank(papers, background=earlier))
    return {part for one in rankings for item in one.items for part in item.parts}


@pytest.mark.accept("F12", part="formula")
def test_every_part_of_a_score_is_on_the_page_and_no_other() -> None:
    named = list(chain.from_iterable(part.names for part in formula_of(DEFAULTS).parts))
    assert len(named) == len(set(named))
    assert set(named) == parts_in_scores()


@pytest.mark.accept("F12", part="formula")
def test_every_constant_is_on_the_page_with_its_meaning() -> None:
    shown = formula_of(DEFAULTS).constants
    assert {one.name: one.value for one in shown} == DEFAULTS.by_name()
    assert [one.name for one in shown if not one.meaning] == []


@pytest.mark.accept("F12", part="formula")
@pytest.mark.parametrize(
    "name", sorted(PART_WEIGHTS - {"comments", "stars", "mentions", "citations", "authors"})
)
def test_the_amounts_hold_the_numbers_in_force(name: str) -> None:
    changed = formula_of(Weights(**{name: 7.125}))
    part = next(part for part in changed.parts if name in part.names)
    assert part.amount.startswith("7.125 ×")
    assert next(one.value for one in changed.constants if one.name == name) == 7.125


def test_the_symbols_hold_them_too() -> None:
    changed = formula_of(
        Weights(settling_hours=9.5, recency_half_life_hours=31, prior_own_share=0.3, authors=0.25)
    )
    assert any("its authors' share times 0.25" in meaning for _, meaning in changed.symbols)
    assert any("9.5 hours" in meaning for _, meaning in changed.symbols)
    amounts = {name: part.amount for part in changed.parts for name in part.names}
    assert "/ 31)" in amounts["recency"]
    assert "0.3 m eᵏ" in amounts["prior"]
