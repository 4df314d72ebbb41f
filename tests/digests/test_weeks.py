"""The order of a week."""

from dataclasses import replace

from paperround.digests.model import WEEK, weekly_edition
from paperround.editions.model import EditionPaper
from paperround.papers.model import PaperId
from tests.digests.builders import edition


def paper(position: int, votes: float, recency: float = 0.0, growth: float = 0.0) -> EditionPaper:
    parts = {"votes": votes, "recency": recency, "growth": growth}
    return EditionPaper(
        position=position,
        paper_id=PaperId(position),
        title=f"Paper {position}",
        score=sum(parts.values()),
        parts=parts,
    )


NEW, OLD = paper(1, votes=2.0, recency=2.0), paper(2, votes=3.0, recency=0.1, growth=0.3)
DAY = replace(edition(0), papers=(NEW, OLD))


def test_what_is_new_or_grows_today_counts_nothing_in_a_week() -> None:
    first, second = weekly_edition(DAY).papers
    assert (first.position, second.position) == (2, 1)
    assert (first.score, first.parts[WEEK]) == (3.0, -0.4)
    assert (second.score, second.parts[WEEK]) == (2.0, -2.0)


def test_a_paper_behind_comes_in_when_it_is_as_good_as_those_that_are_shown() -> None:
    better, worse = paper(3, votes=2.5), paper(4, votes=1.0)
    assert [one.position for one in weekly_edition(DAY, [better, worse]).papers] == [2, 3, 1]


def test_papers_of_equal_worth_keep_their_order() -> None:
    equal = replace(edition(0), papers=(paper(1, votes=1.0, recency=1.0), paper(2, votes=1.0)))
    assert [one.position for one in weekly_edition(equal).papers] == [1, 2]
