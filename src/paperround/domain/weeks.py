"""A week's edition: what is best of all its days, and not what is newest.

A trending score gives a paper points for being new and for growing now, so that a day's edition
opens with that day's papers. For a reader who missed six days these points are taken off again.
"""

from collections.abc import Iterable
from dataclasses import replace

from paperround.domain.editions import Edition, EditionPaper

WEEK = "week"
"""The part of a score that takes off what is of one day. A digest with it is of a week."""

_OF_ONE_DAY = ("recency", "growth")


def of_the_week(edition: Edition, behind: Iterable[EditionPaper] = ()) -> Edition:
    """`edition` in the order of the week: the papers it shows, and those `behind` it that are as
    good as these."""
    shown = len(edition.papers)
    every = sorted(
        map(_without_today, (*edition.papers, *behind)),
        key=lambda paper: (-paper.score, paper.position),
    )
    papers = [one for place, one in enumerate(every) if place < shown or one.position <= shown]
    return replace(edition, papers=tuple(papers))


def _without_today(paper: EditionPaper) -> EditionPaper:
    taken = -round(sum(paper.parts.get(part, 0.0) for part in _OF_ONE_DAY), 4)
    return replace(paper, score=round(paper.score + taken, 4), parts={**paper.parts, WEEK: taken})
