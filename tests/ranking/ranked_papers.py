"""Candidates in one line: everything a test does not say is left unknown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.papers.model import Observation, Paper, PaperId
from paperround.papers.topics import folded, whole_words
from paperround.ranking.trending import TrendingRanker

NOW = datetime(2026, 1, 30, 8, 0, tzinfo=UTC)
TODAY = datetime(2026, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def paper(number: int = 1, **changes: Any) -> Paper:
    """A paper listed today, its texts made of its number alone."""
    given: dict[str, Any] = {
        "id": PaperId(number),
        "identifiers": {"arxiv": f"2601.{number:05}"},
        "title": f"Paper{number}",
        "counts_from": TODAY,
        "listed_on": TODAY.date(),
    }
    return Paper(**{**given, **changes})


def seen(value: int, hours_ago: float = 0, signal: str = "upvotes") -> Observation:
    return Observation(signal=signal, captured_at=NOW - hours_ago * HOUR, value=value)


def candidate(number: int = 1, *observations: Observation, **changes: Any) -> Candidate:
    return Candidate(paper=paper(number, **changes), observations=observations)


def listed(days_ago: int) -> dict[str, Any]:
    """The fields of a paper listed that many days ago, hour unknown."""
    day = TODAY - days_ago * DAY
    return {"counts_from": day, "listed_on": day.date()}


def rank(
    candidates: Sequence[Candidate],
    *,
    background: Sequence[str] = (),
    as_of: datetime = NOW,
    submitter_cap: int = 3,
    ranker: TrendingRanker | None = None,
) -> Ranking:
    chosen = ranker or TrendingRanker()
    return chosen.rank(candidates, background=background, as_of=as_of, submitter_cap=submitter_cap)


def order(ranking: Ranking) -> list[int]:
    return [item.paper.id for item in ranking.items]


def by_number(ranking: Ranking) -> dict[int, Ranked]:
    return {item.paper.id: item for item in ranking.items}


def only(ranking: Ranking) -> Ranked:
    (item,) = ranking.items
    return item


def crowded_by_a_topic() -> tuple[list[Candidate], list[str]]:
    """Twelve papers on optical flow and fifteen on other things, and texts of before."""
    subjects = "kelp moss lava dust salt iron moth reef peat wolf fern silt tide crow bark".split()
    flow = [candidate(n, abstract=f"Optical flow, optical flow of q{n}z.") for n in range(1, 13)]
    others = [
        candidate(100 + n, abstract=f"On {word}, more {word}.") for n, word in enumerate(subjects)
    ]
    return [*flow, *others], [f"We look at {word} and at {word}s." for word in subjects] * 20


def occurs(term: str, *texts: str) -> bool:
    """Whether one of the texts has the term as whole words."""
    pattern = whole_words(folded(term))
    return any(pattern.search(folded(text)) for text in texts)
