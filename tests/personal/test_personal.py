"""What readers said decides what they get, each for themselves, all of them at once."""

import numpy as np
import pytest

from paperround.personal.scores import (
    LEAST_ODDS,
    MOST_ODDS,
    Said,
    fits,
    log_odds,
    profiles,
    split_blocks,
)
from paperround.personal.selection import best
from paperround.ranking.text_space import Dense


def numbers(*rows: list[float]) -> Dense:
    return np.array(rows, dtype=np.float32)


def weights(*tastes: Said, texts: int = 4) -> list[list[float]]:
    return [[round(float(x), 4) for x in row] for row in profiles(tastes, texts).toarray()]


@pytest.mark.accept("F13", part="profile")
def test_a_profile_is_the_mean_of_what_a_reader_liked() -> None:
    assert weights(Said(liked=[0, 2]), Said()) == [[0.5, 0, 0.5, 0], [0, 0, 0, 0]]


@pytest.mark.accept("F13", part="profile")
def test_dislikes_together_weigh_a_tenth_of_what_is_wanted_against_it() -> None:
    assert weights(Said(liked=[0], disliked=[1, 2])) == [[1, -0.05, -0.05, 0]]


@pytest.mark.accept("F13", part="cold start")
def test_topics_alone_are_the_whole_wish_and_beside_papers_a_small_part_of_it() -> None:
    assert weights(Said(topics=[3])) == [[0, 0, 0, 1]]
    assert weights(Said(liked=[0], topics=[3])) == [[0.9091, 0, 0, 0.0909]]


@pytest.mark.accept("F13", part="feedback")
def test_one_more_like_changes_its_readers_row_and_nobody_elses() -> None:
    before = weights(Said(liked=[0]), Said(liked=[1]))
    after = weights(Said(liked=[0, 3]), Said(liked=[1]))
    assert after == [[0.5, 0, 0, 0.5], before[1]]


def test_fits_of_blocks_and_chunks_are_the_plain_product() -> None:
    random = np.random.default_rng(1)
    likeness = random.random((9, 613), dtype=np.float32)
    tastes = [Said(liked=[int(random.integers(9))], topics=[]) for _ in range(30)]
    rows = profiles(tastes, 9)
    assert np.allclose(fits(rows, split_blocks(likeness)), rows.toarray() @ likeness, atol=1e-6)


def test_what_fits_better_is_worth_more_within_bounds() -> None:
    field = np.random.default_rng(2).normal(size=(1, 500)).astype(np.float32)
    field[0, :2] = (-50, 50)
    worth = log_odds(field)[0]
    order = np.argsort(field[0])
    assert (np.diff(worth[order]) >= 0).all()
    assert worth.min() == LEAST_ODDS
    assert worth.max() <= MOST_ODDS


def test_the_level_and_the_scale_of_a_profile_leave_no_trace() -> None:
    field = np.random.default_rng(4).random((3, 50), dtype=np.float32)
    assert np.allclose(log_odds(field), log_odds(field * 7 + 3), atol=1e-4)


def test_who_said_nothing_gets_what_is_trending() -> None:
    assert not log_odds(np.zeros((2, 20), dtype=np.float32)).any()


@pytest.mark.accept("F13", part="blend")
def test_a_great_stir_beats_taste_and_taste_a_small_stir() -> None:
    likeness = numbers([1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0])
    trending = numbers([0, 0, 1, 0, 0, 0, 0, 9])
    worth = log_odds(fits(profiles([Said(liked=[0]), Said(liked=[1])], 2), split_blocks(likeness)))
    assert best(worth + trending, 3).tolist() == [[7, 0, 2], [7, 1, 2]]
