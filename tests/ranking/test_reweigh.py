"""A frozen score with other weights is what the ranker would have made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from paperround.core.errors import InvalidInput
from paperround.editions.model import Candidate, Ranked
from paperround.papers.model import Paper
from paperround.ranking.prior.predictor import GROUPS
from paperround.ranking.reweigh import is_comparable, require_part_weights, reweigh
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS, parse_weights
from tests.ranking.ranked_papers import by_number, candidate, listed, rank, seen

ROUNDED = 0.002
"""Parts are rounded to four places before they are scaled."""
VOTED, UNKNOWN = (1, 2), (3, 4, 5)
"""The papers of `day` whose votes are known, and the others."""


class Hopeful:
    """Expects a little of every paper, in every part."""

    version = "hope"

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        return [dict.fromkeys(GROUPS, 0.1 * int(paper.id)) for paper in papers]


def day() -> list[Candidate]:
    """Papers with votes and without, with every kind of count."""
    told = candidate(1, seen(9), seen(4, signal="comments"), seen(2, signal="github_stars"))
    cited = candidate(2, seen(30, 5), seen(50), seen(1, signal="citations"), abstract="Some words.")
    mentioned = candidate(3, seen(3, signal="mentions"), abstract="Other words.")
    return [replace(told, colleagues=4), cited, mentioned, candidate(4, **listed(3)), candidate(5)]


def scores(weights: str) -> Mapping[int, Ranked]:
    """The papers with these weights; their topics are what was learned of them."""
    ranker = TrendingRanker(weights=parse_weights(weights), prior=Hopeful())
    return by_number(rank(day(), ranker=ranker))


@pytest.mark.parametrize(
    "weights",
    [
        "",
        "votes=2,growth=1",
        "recency=0.5",
        "recency=0",
        "comments=0.5,stars=0.2,mentions=1,citations=2",
        "text=0",
        "colleagues=3",
    ],
)
def test_a_score_is_exactly_what_it_would_have_been(weights: str) -> None:
    wanted, after = scores(weights), parse_weights(weights)
    for number, item in scores("").items():
        told = reweigh(item.parts, DEFAULTS, after)
        assert told == pytest.approx(wanted[number].score, abs=ROUNDED)


@pytest.mark.parametrize("weights", ["votes=2", "growth=0", "growth=3,recency=1"])
def test_so_is_that_of_a_paper_with_votes_when_votes_and_growth_part(weights: str) -> None:
    wanted, after = scores(weights), parse_weights(weights)
    usual = scores("")
    for number in VOTED:
        told = reweigh(usual[number].parts, DEFAULTS, after)
        assert told == pytest.approx(wanted[number].score, abs=ROUNDED)


@pytest.mark.parametrize("weights", ["votes=2", "growth=0", "authors=0"])
def test_that_of_a_paper_without_votes_is_an_estimate(weights: str) -> None:
    wanted, after = scores(weights), parse_weights(weights)
    usual = scores("")
    for number in UNKNOWN:
        told = reweigh(usual[number].parts, DEFAULTS, after)
        assert told == pytest.approx(wanted[number].score, rel=0.05)


def test_what_shapes_a_part_cannot_be_tried_on_the_past() -> None:
    with pytest.raises(
        InvalidInput, match="settling_hours changes how parts of the score are computed"
    ) as refused:
        require_part_weights(parse_weights("settling_hours=3"))
    assert refused.value.code == "weights"


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        ("", "votes=2", True),
        ("votes=3", "recency=0", True),
        ("text=0", "text=0", True),
        ("text=0", "", False),
        ("full_words=60", "", False),
    ],
)
def test_a_part_that_was_switched_off_cannot_come_back(before: str, after: str, fits: bool) -> None:
    assert is_comparable(parse_weights(before), parse_weights(after)) is fits
