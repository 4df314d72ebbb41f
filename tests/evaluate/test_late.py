"""Papers listed after the morning, by what the days before taught of such papers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paperround.evaluate.papers import Listed
from paperround.evaluate.trending import LEAST_LATE, Late
from paperround.papers.model import Paper, PaperId
from tests.ranking.ranked_papers import paper, seen


@dataclass(frozen=True)
class Says:
    """Expects 1 of every second paper, -1 of the others."""

    version: str = "says"

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        return [{"one": 1.0 if paper.id % 2 else -1.0} for paper in papers]


def day(morning: int, late: Sequence[int]) -> list[Listed]:
    """Four early papers with that many votes in the morning and twice as many later, and late ones
    with the votes given."""
    early = [
        Listed(paper=paper(n), morning=(seen(morning),), afternoon=(seen(2 * morning),))
        for n in range(4)
    ]
    return early + [Listed(paper=paper(4 + n), afternoon=(seen(v),)) for n, v in enumerate(late)]


def learned(*days: Sequence[Listed]) -> Late:
    found = Late()
    for one in days:
        found.learn(one, Says())
    return found


FIRST, SECOND = PaperId(4), PaperId(5)


def test_nothing_is_said_of_late_papers_before_some_are_known() -> None:
    few = learned(*[day(10, (3,))] * (LEAST_LATE - 1))
    assert few.gaps(day(10, (0, 0)), Says()) == {FIRST: 0.0, SECOND: 0.0}
    assert few.gaps(day(10, (0,)), None) == {FIRST: 0.0}
    assert Late().gaps([], Says()) == {}


def test_late_papers_stand_lower_and_by_what_is_expected_of_them() -> None:
    gaps = learned(*[day(10, (3, 8))] * 50).gaps(day(10, (0, 0)), Says())
    assert gaps[FIRST] < gaps[SECOND] < 0


def test_they_stand_lower_still_on_a_day_whose_early_papers_are_far_ahead() -> None:
    late = learned(*[day(10, (4, 4)), day(40, (6, 6))] * 50)
    assert late.gaps(day(40, (0,)), Says())[FIRST] < late.gaps(day(10, (0,)), Says())[FIRST]


def test_days_without_late_papers_or_without_a_prior_teach_nothing() -> None:
    late = learned(*[day(10, ())] * 50)
    for _ in range(50):
        late.learn(day(10, (3,)), None)
    assert late.gaps(day(10, (0,)), Says()) == {FIRST: 0.0}
