"""Find the papers of a month closest to what researchers write about their work, to be graded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.evaluate.papers import read_papers, read_rows, text
from paperround.papers.model import Paper
from paperround.personal.own_words import PairIndex, likeness_of
from paperround.ranking.text_space import bag_of, space_and_texts

CLOSEST = 10
_BACKGROUND = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Closest:
    """A statement, and the papers closest to it, with their likeness."""

    statement: str
    papers: Sequence[tuple[Paper, float]]


def closest_papers(statements: Path, papers: Path, month: date) -> list[Closest]:
    """Return the papers of a month that are closest to each statement (`text`).

    Raises InvalidInput for rows in another format, or a month without papers.
    """
    written = [text(row, "text") for row in read_rows(statements)]
    known = read_papers([papers])
    inside = [one for one in known if _month(one) == (month.year, month.month)]
    if not inside:
        raise InvalidInput(f"{papers} has no paper of {month:%Y-%m}")
    before = [one for one in known if _month(one) < (month.year, month.month)][-_BACKGROUND:]
    texts = [f"{one.title}\n{one.abstract}" for one in (*inside, *before)]
    space, field = space_and_texts(list(map(bag_of, texts)), len(inside))
    likeness = likeness_of(written, space, field, PairIndex(texts[: len(inside)]))
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :CLOSEST]
    return [
        Closest(statement=one, papers=[(inside[place], float(row[place])) for place in places])
        for one, row, places in zip(written, likeness, order.tolist(), strict=True)
    ]


def _month(paper: Paper) -> tuple[int, int]:
    return paper.counts_from.year, paper.counts_from.month
