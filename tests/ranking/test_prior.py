"""The learned prior, on invented histories in which one thing drew the votes."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest

from paperround.ranking.models import FinalVotes
from paperround.ranking.prior.predictor import (
    FEATURES,
    GROUPS,
    Knowledge,
    Past,
    PastMeans,
    Prior,
    features_of,
    team_keys,
)
from paperround.ranking.prior.text import fit_text, term_counts
from paperround.ranking.prior.training import Learner
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import Weights
from tests.ranking.ranked_papers import DAY, TODAY, by_number, candidate, order, paper, rank, seen

START = date(2025, 1, 1)
KINDS: tuple[dict[str, Any], ...] = (
    {"title": "Quantum whales", "authors": ("Ada Star",), "submitter": "s1"},
    {"title": "Plain gravel", "authors": ("Bo Dim",), "submitter": "s2"},
    {"title": "Plain sand", "authors": ("Cy Mid",), "organization": "Lab", "links": {"code": "x"}},
)
VOTES = (40, 2, 9)


def history(days: int = 80) -> Iterator[tuple[date, list[FinalVotes]]]:
    """Ten papers a day: one kind draws many votes, one few, one some."""
    for number in range(days):
        yield (
            START + timedelta(days=number),
            [
                FinalVotes(paper=paper(10 * number + i, **KINDS[i % 3]), votes=VOTES[i % 3] + i % 2)
                for i in range(10)
            ],
        )


def learned(knowledge: Knowledge = Knowledge.FULL, days: int = 80) -> Prior | None:
    learner = Learner()
    for day, outcomes in history(days):
        learner.learn(day, outcomes)
    return learner.prior(knowledge)


@pytest.fixture(scope="module")
def prior() -> Prior:
    found = learned()
    assert found is not None
    return found


def says(prior: Prior, **changes: Any) -> float:
    (parts,) = prior.parts([paper(**changes)])
    return sum(parts.values())


@pytest.mark.accept("F10", part="prior")
def test_what_drew_votes_before_is_expected_to_again(prior: Prior) -> None:
    assert says(prior, **KINDS[0]) > says(prior, **KINDS[2]) > says(prior, **KINDS[1])


def test_words_and_authors_each_tell_something_alone(prior: Prior) -> None:
    (star,) = prior.parts([paper(title="Plain gravel", authors=("Ada Star",))])
    (whale,) = prior.parts([paper(title="Quantum whales", authors=("Bo Dim",))])
    (dull,) = prior.parts([paper(title="Plain gravel", authors=("Bo Dim",))])
    assert star["prior_authors"] > dull["prior_authors"]
    assert star["prior_text"] == dull["prior_text"] < whale["prior_text"]
    assert tuple(star) == tuple(GROUPS)


def test_a_level_reads_no_more_than_it_may() -> None:
    text = learned(Knowledge.TEXT)
    assert text is not None
    named = {"authors": ("Ada Star",), "submitter": "s1", "organization": "Lab"}
    assert says(text, title="Quantum whales", **named) == says(text, title="Quantum whales")
    authors = learned(Knowledge.AUTHORS)
    assert authors is not None
    assert says(authors, **KINDS[0]) == says(authors, **(KINDS[0] | {"submitter": "s2"}))


def test_what_is_learned_later_leaves_a_prior_as_it_is() -> None:
    learner = Learner()
    days = list(history())
    for day, outcomes in days[:-1]:
        learner.learn(day, outcomes)
    before = learner.prior()
    assert before is not None
    said = says(before, **KINDS[0])
    learner.learn(*days[-1])
    assert says(before, **KINDS[0]) == said


def test_days_are_learned_in_order() -> None:
    learner = Learner()
    learner.learn(START, [])
    with pytest.raises(ValueError, match="oldest day first"):
        learner.learn(START - timedelta(days=1), [])


def test_one_lucky_paper_makes_no_great_author() -> None:
    once, often = PastMeans(), PastMeans()
    once.add(["ada"], 2.0)
    for _ in range(20):
        often.add(["ada"], 1.0)
    assert once.of("ada") < often.of("ada")
    assert once.of("unknown") == 0


def feature(name: str, past: Past, **changes: Any) -> float:
    (row,) = features_of([paper(**changes)], past, np.zeros(1))
    return float(row[FEATURES.index(name)])


def test_a_team_is_the_first_or_the_last_author_with_another() -> None:
    assert team_keys(["b", "c", "a"]) == ["b & c", "a & b", "a & c"]
    assert len(team_keys(list("bcdea"))) == 4 + 3
    assert team_keys(["a"]) == team_keys([]) == []
    assert len(team_keys([f"{number:03}" for number in range(900)])) < 40


def test_two_who_worked_together_before_are_known_in_any_order() -> None:
    past = Past()
    past.add(paper(authors=("Ada Star", "Bo Dim", "Di")), beyond_text=1.5, beyond_authors=0.0)
    assert feature("best_team", past, authors=("Bo Dim", "Ada Star", "Cy Mid")) == 0.5
    assert feature("best_team", past, authors=("Ada Star", "Cy Mid")) == 0


def past_of(*kinds: dict[str, Any]) -> Past:
    """What is known of people after eighty days on which the first kind drew forty votes, five
    times a day, and the second two."""
    learner = Learner()
    for number in range(80):
        outcomes = [
            FinalVotes(paper=paper(10 * number + i, **kinds[i % 2]), votes=(40, 2)[i % 2] + i // 5)
            for i in range(10)
        ]
        learner.learn(START + timedelta(days=number), outcomes)
    prior = learner.prior()
    assert prior is not None
    return prior.past


def test_what_the_words_explain_is_not_put_down_to_the_author() -> None:
    ada, bo = {"authors": ("Ada Star",)}, {"authors": ("Bo Dim",)}
    told = past_of(ada | {"title": "Quantum whales"}, bo | {"title": "Plain gravel"})
    alike = past_of(ada | {"title": "Same"}, bo | {"title": "Same"})
    assert told.authors.of("ada star") < alike.authors.of("ada star") / 2


def test_what_the_authors_explain_is_not_put_down_to_the_submitter() -> None:
    one, other = {"title": "Same", "submitter": "s1"}, {"title": "Same", "submitter": "s2"}
    told = past_of(one | {"authors": ("Ada Star",)}, other | {"authors": ("Bo Dim",)})
    assert told.submitters.of("s1") < past_of(one, other).submitters.of("s1") / 2


@pytest.mark.parametrize(
    ("abstract", "tells"),
    [("We train a 7B model.", 1), ("On 1.3 M pairs.", 1), ("In 7 blocks of 40 MB.", 0), ("", 0)],
)
def test_a_size_in_billions_or_millions_is_seen(abstract: str, tells: int) -> None:
    assert feature("tells_size", Past(), abstract=abstract) == tells


def test_a_title_with_a_subtitle_is_told_from_one_without() -> None:
    assert feature("has_subtitle", Past(), title="Whales: A Study") == 1
    assert feature("has_subtitle", Past(), title="Whales") == 0


def test_an_unknown_first_day_counts_as_the_usual_one() -> None:
    two, ten = ({"published_at": TODAY - days * DAY} for days in (2, 10))
    assert feature("days_public", Past()) == feature("days_public", Past(), **two)
    assert feature("days_public", Past(), **ten) > feature("days_public", Past(), **two)
    assert feature("days_public", Past(), published_at=TODAY + DAY) == 0


def test_the_ridge_is_solved_as_its_equations_say() -> None:
    counts = term_counts([("red whale", "blue"), ("red fox", ""), ("blue fox", "whale"), ("", "")])
    targets = np.array([1.0, -1.0, 0.5, -0.5])
    model, dual = fit_text(counts, targets, np.zeros(0), penalty=2.0)
    kernel = np.array([[model.scores(counts)]])
    assert np.allclose(kernel.ravel() + 2.0 * dual, targets, atol=1e-3)
    again, _ = fit_text(counts, targets, dual, penalty=2.0)
    assert np.allclose(again.weights, model.weights, atol=1e-3)


@pytest.mark.accept("F11", part="prior")
@pytest.mark.accept("Q9", part="prior")
def test_without_votes_the_prior_orders_a_day_in_parts_that_add_up(prior: Prior) -> None:
    candidates = [candidate(n, **kind) for n, kind in enumerate(KINDS, start=1)]
    ranking = rank(candidates, ranker=TrendingRanker(prior=prior))
    assert order(ranking) == [1, 3, 2]
    for item in ranking.items:
        assert item.score == pytest.approx(sum(item.parts.values()), abs=1e-9)
        assert set(GROUPS) <= set(item.parts)
        assert "topics" not in item.parts
    assert ranking.ranker == f"trending-3+{prior.version}"


def test_beside_votes_the_prior_moves_thin_counts_more_than_thick_ones(prior: Prior) -> None:
    candidates = [
        candidate(number, seen(votes), **kind)
        for number, (votes, kind) in enumerate(product((2, 60), KINDS[:2]), start=1)
    ]
    items = by_number(rank(candidates, ranker=TrendingRanker(prior=prior)))
    thin = items[1].parts["prior"] - items[2].parts["prior"]
    thick = items[3].parts["prior"] - items[4].parts["prior"]
    assert thin > thick > 0


@pytest.mark.parametrize("votes", [1, 2, 5, 40])
def test_a_vote_more_never_lowers_a_paper_whatever_is_expected_of_others(
    prior: Prior, votes: int
) -> None:
    level_alone = TrendingRanker(weights=Weights(growth=0), prior=prior)

    def ahead(mine: int) -> float:
        candidates = [candidate(1, seen(mine), **KINDS[1]), candidate(2, seen(0), **KINDS[0])]
        items = by_number(rank(candidates, ranker=level_alone))
        return items[1].score - items[2].score

    assert ahead(votes + 1) >= ahead(votes)
