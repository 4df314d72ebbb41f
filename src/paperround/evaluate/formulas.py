"""How other sites order by votes and age, as their public sources say."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from paperround.domain.papers import Paper

Formula = Callable[[Paper, int, datetime], float]
"""Of a paper with so many votes at a moment."""


def raw_votes(paper: Paper, votes: int, at: datetime) -> float:  # noqa: ARG001
    """The votes as they are: how Daily Papers itself orders a day."""
    return float(votes)


def hacker_news(paper: Paper, votes: int, at: datetime) -> float:
    """(v - 1)^0.8 / (age in hours + 2)^1.8 (arclanguage/anarki, apps/news/news.arc)."""
    age = max(0.0, (at - paper.counts_from).total_seconds() / 3600)
    base = math.copysign(abs(votes - 1) ** 0.8, votes - 1)
    return float(base / (age + 2) ** 1.8)


def reddit_hot(paper: Paper, votes: int, at: datetime) -> float:  # noqa: ARG001
    """log10(max(v, 1)) + seconds of its listing / 45,000 (reddit, r2/r2/lib/db/_sorts.pyx)."""
    seconds = paper.counts_from.timestamp() - 1134028003
    return round(math.log10(max(votes, 1)) + seconds / 45000, 7)


RAW_VOTES = "raw_votes"
FORMULAS: Mapping[str, Formula] = {
    RAW_VOTES: raw_votes,
    "hacker_news": hacker_news,
    "reddit_hot": reddit_hot,
}
