"""Votes of several sites: what is much in one place is little in another."""

from dataclasses import replace

import pytest

from paperround.editions.model import Candidate
from paperround.papers.enrichment import scale_of
from paperround.papers.model import Observation
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import DEFAULTS
from tests.ranking.ranked_papers import by_number, candidate, order, rank, seen


def of_site(name: str, observation: Observation) -> Observation:
    return replace(observation, scale=name)


def voted(number: int, votes: int, site: str) -> Candidate:
    return candidate(number, of_site(site, seen(votes)))


BUSY = [voted(number, 10 + 10 * number, "busy") for number in range(1, 31)]
QUIET = [voted(100 + number, number // 2, "quiet") for number in range(1, 31)]


@pytest.mark.accept("F10", part="several sites")
def test_the_best_of_a_quiet_site_stands_among_the_best_of_a_busy_one() -> None:
    day = [*BUSY, *QUIET]
    raw = TrendingRanker(weights=replace(DEFAULTS, source=0.0))
    assert order(rank(day, submitter_cap=0, ranker=raw))[:29] == list(range(30, 1, -1))
    assert order(rank(day, submitter_cap=0)).index(130) < 15


@pytest.mark.accept("F10", part="several sites")
def test_one_site_alone_has_no_part_for_it() -> None:
    assert all("source" not in one.parts for one in rank(BUSY).items)


def test_too_few_papers_of_a_site_say_nothing_of_its_level() -> None:
    ranking = by_number(rank([*BUSY, *QUIET[:4]], submitter_cap=0))
    assert "source" not in ranking[101].parts
    assert "source" in ranking[1].parts


@pytest.mark.accept("F10", part="several sites")
def test_counts_of_two_sites_are_no_growth() -> None:
    both = candidate(1, of_site("busy", seen(90, 3)), of_site("quiet", seen(3)))
    (one,) = rank([both]).items
    (alone,) = rank([candidate(1, of_site("busy", seen(90, 3)))]).items
    assert (one.votes, one.parts) == (90, alone.parts)


def test_more_votes_of_its_own_site_never_lower_a_paper() -> None:
    places = []
    for more in (0, 1, 5, 50):
        raised = [voted(101, more, "quiet"), *QUIET[1:]]
        places.append(order(rank([*BUSY, *raised], submitter_cap=0)).index(101))
    assert places == sorted(places, reverse=True)
    assert places[-1] == 0


def test_daily_papers_and_its_enricher_count_alike() -> None:
    assert scale_of("hf-daily", "daily") == scale_of("enricher", "huggingface-enricher")
    assert scale_of("file", "votes") != scale_of("hf-daily", "daily")
