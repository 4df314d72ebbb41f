import math

import pytest

from paperround.core.errors import InvalidInput
from paperround.ranking.trending import VERSION, TrendingRanker
from paperround.ranking.weights import DEFAULTS, PART_WEIGHTS, Weights, parse_weights, weights_of


def test_what_is_not_named_keeps_its_default() -> None:
    weights = parse_weights("votes=2, recency=0.5")
    assert weights == Weights(votes=2.0, recency=0.5)


@pytest.mark.parametrize("text", ["", "  ", ","])
def test_naming_nothing_changes_nothing(text: str) -> None:
    assert parse_weights(text) == DEFAULTS


def test_an_unknown_weight_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidInput, match="no weight 'vote': the weights are votes, growth"):
        parse_weights("vote=2")


@pytest.mark.parametrize("text", ["votes", "votes=", "votes=much", "votes=1=2"])
def test_a_weight_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"votes.* write it like votes=0.5"):
        parse_weights(text)


def test_a_weight_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="votes is given twice"):
        parse_weights("votes=1,votes=2")


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_value_that_cannot_weigh_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput, match="the weight votes cannot be"):
        Weights(votes=value)


@pytest.mark.parametrize("name", sorted(DEFAULTS.by_name()))
def test_only_parts_can_be_switched_off(name: str) -> None:
    if name in PART_WEIGHTS:
        assert parse_weights(f"{name}=0").by_name()[name] == 0
    else:
        with pytest.raises(InvalidInput, match=f"{name} cannot be 0: give a number above 0"):
            parse_weights(f"{name}=0")


def test_the_name_of_a_ranker_tells_other_weights_from_the_defaults() -> None:
    assert TrendingRanker().name == VERSION
    tried = TrendingRanker(weights=parse_weights("recency=0.5,votes=2"))
    assert tried.name == f"{VERSION}(votes=2.0,recency=0.5)"


def test_the_name_of_a_ranker_gives_its_weights_back() -> None:
    weights = Weights(votes=2, recency=0.5)
    assert weights_of(TrendingRanker(weights=weights).name) == weights
    assert weights_of(f"trending-3({weights.changes()})+prior-1") == weights
    for name in ("trending-3", "votes 1", "trending-2(sparks=3)", "trending-2()"):
        assert weights_of(name) == DEFAULTS
