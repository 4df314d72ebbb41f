"""What a model is told of days that are over."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from paperround.editions.model import Ranking
from paperround.papers.formatting import shown_authors
from paperround.ranking.models import FinalVotes, TrainingBatch
from tests.builders import english
from tests.ranking.ranked_papers import TODAY, paper

START = TODAY.date() - timedelta(days=90)
KINDS: tuple[dict[str, Any], ...] = (
    {
        "title": "Quantum whales",
        "abstract": "We hear quantum whales sing over optical flow.",
        "authors": ("Ada Star", "Eve Plain"),
        "submitter": "s1",
    },
    {"title": "Plain gravel", "abstract": "Gravel is counted.", "authors": ("Bo Dim",)},
    {
        "title": "Plain sand",
        "abstract": "Sand is counted.",
        "authors": ("Cy Mid",),
        "organization": "Sand Lab",
        "links": {"code": "x"},
    },
)
VOTES = (40, 2, 9)


def cohorts(days: int = 70) -> list[TrainingBatch]:
    """Ten papers a day: one kind draws many votes, one few, one some."""
    return [
        TrainingBatch(
            day=START + timedelta(days=number), feed=None, settled=tuple(_settled(number))
        )
        for number in range(days)
    ]


def _settled(day: int) -> Iterator[FinalVotes]:
    listed_on = START + timedelta(days=day)
    for i in range(10):
        one = paper(1000 + 10 * day + i, **KINDS[i % 3], listed_on=listed_on)
        yield FinalVotes(paper=one, votes=VOTES[i % 3] + i % 2)


def told(ranking: Ranking) -> Iterator[tuple[str, str]]:
    """What reasons name, with the text it must stand in."""
    for item in ranking.items:
        name, mark, _ = english(item.reason).removeprefix("From ").partition(", whose papers")
        if mark:
            yield name, "|".join(shown_authors(item.paper.authors))
        _, mark, rest = english(item.reason).partition("“")
        if mark:
            yield rest.partition("”")[0], f"{item.paper.title} | {item.paper.abstract}"
