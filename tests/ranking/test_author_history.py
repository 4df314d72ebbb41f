"""A ranking that does not pass on the fame of authors: the weight `authors` at 0."""

import pytest

from paperround.core.reasons import read_reasons
from paperround.editions.model import Ranking
from paperround.ranking.prior import training
from paperround.ranking.prior.training import Learned
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import Weights
from tests.ranking.learned import KINDS, cohorts
from tests.ranking.ranked_papers import by_number, candidate, order, rank, seen

STAR, DIM = {"authors": ("Ada Star", "Eve Plain")}, {"authors": ("Bo Dim",)}


@pytest.fixture(scope="module")
def model() -> Learned:
    found = training.fit(cohorts())
    assert found is not None
    return found


def ranked(model: Learned, authors: float, votes: tuple[int, ...] = ()) -> Ranking:
    """Two papers alike but for their authors, and one that others vote for."""
    weighed = TrendingRanker(
        weights=Weights(authors=authors), prior=model.prior, popular_author=model.popular_author
    )
    counts = [seen(one) for one in votes]
    dim = candidate(1, *counts, title="Unheard of", **DIM)
    star = candidate(2, *counts, title="Never heard", **STAR)
    return rank([dim, star, candidate(3, seen(9), title="Voted for", **DIM)], ranker=weighed)


@pytest.mark.accept("F12", part="author history", mutant="author-history-always-counts")
@pytest.mark.parametrize("votes", [(), (0,), (4,)])
def test_at_weight_0_papers_rank_alike_whoever_wrote_them(
    model: Learned, votes: tuple[int, ...]
) -> None:
    usual, fair = (by_number(ranked(model, weight, votes)) for weight in (1, 0))
    assert usual[2].score > usual[1].score
    assert fair[2].score == fair[1].score
    assert "prior_authors" not in {part for item in fair.values() for part in item.parts}


@pytest.mark.accept("Q17", part="authors")
def test_at_weight_0_no_author_is_named_as_popular(model: Learned) -> None:
    def codes(weight: float) -> set[str]:
        items = ranked(model, weight).items
        return {one.code for item in items for one in read_reasons(item.reason)}

    assert "author.popular" in codes(1)
    assert "author.popular" not in codes(0)


def test_what_else_was_learned_still_counts(model: Learned) -> None:
    weighed = TrendingRanker(weights=Weights(authors=0), prior=model.prior)
    plain, whales = (candidate(n, **{**KINDS[n - 1], "authors": ()}) for n in (2, 1))
    assert order(rank([plain, whales], ranker=weighed)) == [1, 2]


def test_the_name_of_the_ranker_tells_the_weight(model: Learned) -> None:
    usual, fair = (ranked(model, weight).ranker for weight in (1, 0))
    assert fair == usual.replace("trending-3", "trending-3(authors=0)")


def test_between_0_and_1_it_counts_in_part(model: Learned) -> None:
    lead = [
        by_number(ranked(model, weight))[2].score - by_number(ranked(model, weight))[1].score
        for weight in (0, 0.5, 1)
    ]
    assert lead == sorted(lead)
    assert lead[1] == pytest.approx(lead[2] / 2, abs=2e-4)
