"""Two orders of the same papers: what differs, and which of them foresaw more."""

from datetime import timedelta

import pytest

from paperround.domain.editions import Candidate, Ranked, Ranking
from paperround.domain.papers import PaperId
from paperround.domain.reordering import Foresight, Gains, Reordering, gained_votes, reordering
from tests.builders import HOUR, NOW, observation, paper

pytestmark = pytest.mark.accept("F17", part="other weights")

DAY = timedelta(days=1)


def order(*numbers: int, folded: tuple[int, ...] = ()) -> Ranking:
    """The papers in this order; the first stands for those `folded`."""
    items = tuple(
        Ranked(
            paper=paper(id=PaperId(number), title=f"Paper {number}"),
            score=0.0,
            parts={},
            reason="",
            folded=tuple(map(PaperId, folded)) if place == 0 else (),
        )
        for place, number in enumerate(numbers)
    )
    return Ranking(ranker="test", as_of=NOW, items=items)


def compared(
    before: Ranking, after: Ranking, *, size: int = 2, gains: Gains | None = None
) -> Reordering:
    return reordering(before, after, size=size, gains=gains or {})


def test_the_first_places_say_who_came_and_who_went() -> None:
    found = compared(order(1, 2, 3, 4), order(1, 4, 2, 3))
    assert [(one.paper.title, one.before, one.after) for one in found.came] == [("Paper 4", 4, 2)]
    assert [(one.paper.title, one.before, one.after) for one in found.went] == [("Paper 2", 2, 3)]
    assert (found.papers, found.overlap) == (4, 0.5)


def test_who_left_a_better_place_is_named_first() -> None:
    found = compared(order(1, 2, 3, 4), order(4, 3, 2, 1))
    assert [one.paper.title for one in found.came] == ["Paper 4", "Paper 3"]
    assert [one.paper.title for one in found.went] == ["Paper 1", "Paper 2"]


@pytest.mark.parametrize(
    ("after", "correlation"),
    [((1, 2, 3), 1.0), ((3, 2, 1), -1.0), ((1, 3, 2), 0.5)],
)
def test_the_correlation_is_spearman_s(after: tuple[int, ...], correlation: float) -> None:
    assert compared(order(1, 2, 3), order(*after)).correlation == correlation


def test_a_day_of_one_paper_or_none_has_no_correlation() -> None:
    assert compared(order(1), order(1)).correlation is None
    none = compared(order(), order())
    assert (none.correlation, none.overlap, none.papers) == (None, 1.0, 0)


def test_a_day_of_fewer_papers_than_a_digest_is_all_top() -> None:
    found = compared(order(1, 2, 3), order(3, 2, 1), size=12)
    assert (found.came, found.went, found.size) == ((), (), 3)


def test_another_of_two_near_duplicates_is_no_difference() -> None:
    found = compared(order(5, 2, 3, folded=(1,)), order(1, 2, 3, folded=(5,)), size=1)
    assert (found.came, found.correlation) == ((), 1.0)


def test_each_order_has_a_share_of_those_that_won_most_later() -> None:
    gains = {PaperId(1): 1, PaperId(2): 0, PaperId(3): 30, PaperId(4): 20}
    found = compared(order(1, 2, 3, 4), order(3, 1, 4, 2), gains=gains)
    assert found.foresight == Foresight(before=0.0, after=0.5)


def test_what_a_near_duplicate_won_counts_for_the_one_that_is_shown() -> None:
    gains = {PaperId(9): 30, PaperId(2): 20}
    found = compared(order(1, 2, 3, folded=(9,)), order(1, 3, 2, folded=(9,)), gains=gains)
    assert found.foresight == Foresight(before=1.0, after=0.5)


def test_nothing_is_said_of_what_came_where_too_few_are_known_to_have_won_votes() -> None:
    gains = {PaperId(1): 5, PaperId(2): 0, PaperId(3): -1}
    assert compared(order(1, 2, 3), order(3, 2, 1), gains=gains).foresight is None


def counted(*counts: tuple[int, float], listed: float = -48) -> Candidate:
    """A paper with votes at so many hours after NOW."""
    votes = tuple(observation(value, at=NOW + hours * HOUR) for value, hours in counts)
    listed_at = NOW + listed * HOUR
    return Candidate(paper=paper(id=PaperId(1), counts_from=listed_at), observations=votes)


@pytest.mark.parametrize(
    ("candidate", "gained"),
    [
        (counted((5, -9), (8, -1), (20, 24)), 12),
        (counted((8, -1), (20, 24), (15, 90)), 7),  # the newest count, though votes were taken back
        (counted((8, 0), (20, 24)), 12),
        (counted((8, -1), (20, 23)), None),  # within a day
        (counted((20, 24), listed=-23), 20),  # new, so all its votes came later
        (counted((20, 24), listed=-48), None),  # it may have had any number of them
        (counted(), None),
    ],
)
def test_votes_count_as_won_later_when_they_are_known_to(
    candidate: Candidate, gained: int | None
) -> None:
    assert gained_votes([candidate], NOW) == ({} if gained is None else {PaperId(1): gained})


def test_other_counts_are_no_votes() -> None:
    stars = observation(99, at=NOW + DAY, signal="github_stars")
    starred = Candidate(paper=paper(id=PaperId(1)), observations=(stars,))
    assert gained_votes([starred], NOW) == {}
