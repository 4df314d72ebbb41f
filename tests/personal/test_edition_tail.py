"""What stands behind an edition, and who is offered which of it."""

from paperround.editions.model import TailPaper
from paperround.papers.model import PaperId, Show
from paperround.personal.matches import Matches
from paperround.personal.ranking import EditionTail, edition_paper
from paperround.personal.views import PaperIndex, PersonalView, in_order
from tests.builders import paper

PAPERS = {PaperId(number): paper(number, id=PaperId(number)) for number in range(1, 31)}


def places(*numbers: int) -> list[TailPaper]:
    return [
        TailPaper(position=n, paper_id=PaperId(n), score=0, parts={}, reason="new") for n in numbers
    ]


def behind(tail: list[TailPaper]) -> EditionTail:
    return EditionTail(tail, PAPERS, lambda title, _: f"The gist of {title}")


def test_all_that_a_reader_asked_for_is_there_however_far_behind() -> None:
    shown = tuple(edition_paper(place, PAPERS[place.paper_id]) for place in places(*range(1, 11)))
    index = PaperIndex(shown, tuple(behind(places(*range(11, 31)))))
    asked = index.places({PaperId(30), PaperId(11), PaperId(99)})
    found = in_order(PersonalView(size=3, matches=Matches(wanted=asked)), index)
    assert [index.papers[place].position for place in found.places] == [11, 30, 1]


def test_papers_that_are_one_by_now_stand_at_the_better_place() -> None:
    joined = {PaperId(11): PAPERS[PaperId(1)], PaperId(12): PAPERS[PaperId(1)]}
    tail = EditionTail(places(11, 12, 13), joined, lambda title, _: title)
    assert [(one.position, one.paper_id) for one in tail] == [(11, 1)]


def test_a_source_that_allows_a_link_only_gets_no_sentence_behind_either() -> None:
    linked = {PaperId(11): paper(11, id=PaperId(11), show=Show.LINK)}
    tail = EditionTail(places(11), linked, lambda title, _: f"The gist of {title}")
    assert tail.frozen(11).gist == ""
    assert behind(places(12)).frozen(12).gist == f"The gist of {PAPERS[PaperId(12)].title}"
