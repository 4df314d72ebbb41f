"""What many readers get at once is what each would get alone, and by the rules."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.personal.keyword_index import KeywordIndex
from paperround.personal.matches import Matches
from paperround.personal.selection import (
    PickedPapers,
    ScoredPapers,
    in_batches,
    pick_papers,
    with_empty_paper,
)
from paperround.personal.views import PersonalView, Taste
from tests.personal.plain_picks import PlainDay, PlainPick, plain_pick

ANYONE = PersonalView(taste=Taste(), size=3)

quarters = st.integers(-8, 24).map(lambda number: number / 4)
"""Sums of them are exact, and often equal."""


@st.composite
def days(draw: st.DrawFn) -> PlainDay:
    papers = draw(st.integers(1, 40))
    scores = draw(st.lists(quarters, min_size=papers, max_size=papers))
    kinds = draw(st.lists(st.integers(0, 4), min_size=papers, max_size=papers))
    costs = [[3.0 if one == other else abs(one - other) / 4 for one in kinds] for other in kinds]
    return PlainDay(scores=scores, costs=costs, shown=draw(st.integers(1, papers)))


def personal_views(papers: int) -> st.SearchStrategy[PersonalView]:
    some = st.one_of(st.just(0), st.integers(0, 2**papers - 1))
    return st.builds(
        PersonalView,
        taste=st.just(Taste()),
        size=st.sampled_from([1, 3, 5]),
        sent=some,
        withheld=some,
        matches=st.builds(
            Matches,
            finder=st.just(KeywordIndex(())),
            followed=some,
            wanted=some,
            lifted=some,
            muted=some,
            lift=st.sampled_from([0.0, 0.25, 4.0]),
        ),
        floor=st.one_of(st.none(), quarters),
    )


def picks(day: PlainDay, worth: list[list[float]], views: list[PersonalView]) -> list[PlainPick]:
    """The picks of all of these, in their order."""
    numbers = ScoredPapers(
        scores=np.array(day.scores), costs=with_empty_paper(np.array(day.costs)), shown=day.shown
    )
    found: dict[int, PlainPick] = {}
    for part in in_batches(views):
        rows = np.array([worth[one] for one in part], dtype=np.float32)
        several = pick_papers(numbers, rows, [views[one] for one in part])
        found.update(zip(part, _plain(several), strict=True))
    return [found[one] for one in range(len(views))]


def _plain(several: PickedPapers) -> list[PlainPick]:
    return [
        PlainPick(places=[one for one in places if one >= 0], unseen=unseen, heard=heard)
        for places, unseen, heard in zip(
            several.places.tolist(), several.unseen.tolist(), several.heard.tolist(), strict=True
        )
    ]


@pytest.mark.slow
@given(st.data())
@settings(max_examples=100)
def test_many_at_once_get_what_each_gets_alone(data: st.DataObject) -> None:
    day = data.draw(days())
    papers = len(day.scores)
    views = data.draw(st.lists(personal_views(papers), min_size=1, max_size=6))
    row = st.lists(quarters, min_size=papers, max_size=papers)
    worth = data.draw(st.lists(row, min_size=len(views), max_size=len(views)))
    alone = [plain_pick(day, own, view) for own, view in zip(worth, views, strict=True)]
    assert picks(day, worth, views) == alone


def apart(papers: int, shown: int) -> PlainDay:
    """A day whose first paper is the best and whose papers have nothing in common."""
    costs = [[0.0] * papers for _ in range(papers)]
    return PlainDay(scores=[float(papers - one) for one in range(papers)], costs=costs, shown=shown)


def pick(day: PlainDay, view: PersonalView, **worth: float) -> list[int]:
    row = [worth.get(f"n{place}", 0.0) for place in range(len(day.scores))]
    return picks(day, [row], [view])[0].places


@pytest.mark.accept("F13", part="blend")
def test_the_best_that_a_reader_was_not_sent_are_offered_of_what_stands_behind() -> None:
    assert pick(apart(20, 3), ANYONE, n15=18.0, n16=18.0, n17=30.0) == [17, 15, 16]
    seen = replace(ANYONE, sent=1 << 17)
    assert pick(apart(20, 3), seen, n15=18.0, n16=18.0, n17=30.0) == [15, 16, 0]
