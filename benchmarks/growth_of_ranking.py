"""B16: the cost of a ranking grows at most in proportion to the number of candidates.

Words are drawn with the frequencies of written text (Zipf's law), because rare words decide the
cost of finding duplicates and bursts.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import accumulate
from random import Random
from statistics import median

from benchmarks.invented import NOW
from benchmarks.rounds import cost_exponent, interleaved
from benchmarks.table import Bar, Measured
from paperround.editions.model import Candidate
from paperround.papers.model import Observation, Paper, PaperId
from paperround.ranking.models import FinalVotes
from paperround.ranking.prior.predictor import Prior
from paperround.ranking.prior.training import Learner
from paperround.ranking.trending import TrendingRanker

SIZES = (100, 1_000, 10_000)
BACKGROUND = 5_000
TAUGHT, DAYS = 1_500, 30
ROUNDS = 1
VOCABULARY, WORDS = 100_000, 180


def growth_of_ranking() -> list[Measured]:
    """The steepest growth of the CPU time of a ranking, without and with a learned prior."""
    candidates = [_candidate(paper) for paper in written_papers(max(SIZES), seed=1)]
    background = [f"{one.title}. {one.abstract}" for one in written_papers(BACKGROUND, seed=2)]
    rankers = {"without a prior": TrendingRanker(), "with one": TrendingRanker(prior=_prior())}
    return [_measured(name, one, candidates, background) for name, one in rankers.items()]


def _measured(
    name: str, ranker: TrendingRanker, candidates: Sequence[Candidate], background: Sequence[str]
) -> Measured:
    rounds = interleaved(
        {
            str(size): partial(
                ranker.rank, candidates[:size], background=background, as_of=NOW, submitter_cap=3
            )
            for size in SIZES
        },
        rounds=ROUNDS,
        timer=time.process_time,
    )
    cost = {int(size): median(seconds) for size, seconds in rounds.items()}
    shown = ", ".join(f"{cost[size]:.2g}" for size in SIZES)
    return Measured(
        id="B16",
        measure=f"rank of 100, 1,000, 10,000 papers {name}: exponent ({shown} s)",
        value=cost_exponent(cost),
        bar=Bar("at most", 1.05),
    )


def _prior() -> Prior:
    """A prior learned from papers of earlier days."""
    learner, taught = Learner(), written_papers(TAUGHT, seed=3)
    each = TAUGHT // DAYS
    for day in range(DAYS):
        outcomes = [
            FinalVotes(paper=paper, votes=int(paper.id) % 40)
            for paper in taught[day * each : (day + 1) * each]
        ]
        learner.learn((NOW - timedelta(days=DAYS - day)).date(), outcomes)
    prior = learner.prior()
    if prior is None:
        raise RuntimeError(f"{TAUGHT} papers taught nothing")
    return prior


def written_papers(count: int, *, seed: int) -> list[Paper]:
    """`count` papers with words drawn as in written text, the same for the same `seed`."""
    chance = Random(seed)  # noqa: S311 - the same papers every time
    usual = list(accumulate(1 / (place + 3) for place in range(VOCABULARY)))
    return [_paper(number, chance, usual) for number in range(count)]


def _paper(number: int, chance: Random, usual: Sequence[float]) -> Paper:
    words = [f"w{word}" for word in chance.choices(range(VOCABULARY), cum_weights=usual, k=WORDS)]
    return Paper(
        id=PaperId(number),
        identifiers={"local": f"invented:{number}"},
        title=" ".join(words[:9]),
        abstract=" ".join(words[9:]),
        authors=tuple(f"Author {chance.randrange(20_000)}" for _ in range(5)),
        counts_from=NOW - timedelta(hours=number % 160),
        submitter=f"submitter {chance.randrange(500)}",
    )


def _candidate(paper: Paper) -> Candidate:
    """A candidate; half of them have two counts."""
    if int(paper.id) % 2:
        return Candidate(paper=paper)
    counted = (
        Observation(signal="upvotes", captured_at=NOW - timedelta(hours=hours), value=value)
        for hours, value in ((9, int(paper.id) % 17), (1, int(paper.id) % 29))
    )
    return Candidate(paper=paper, observations=tuple(counted))
