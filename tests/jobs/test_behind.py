"""What stands behind an edition, and who is offered which of it."""

from collections.abc import Sequence

from paperround.domain.editions import EditionPaper, TailPaper
from paperround.domain.papers import PaperId, Show
from paperround.domain.tastes import Why
from paperround.jobs.behind import OFFERED, Behind
from tests.builders import paper

PAPERS = {PaperId(number): paper(number, id=PaperId(number)) for number in range(1, 31)}


class Backwards:
    """An opinion that likes the last paper best."""

    def worth(self, paper: PaperId) -> float:
        return float(paper)

    def best(self, count: int) -> list[PaperId]:
        return sorted(PAPERS, reverse=True)[:count]

    def spread(
        self, papers: Sequence[EditionPaper], size: int, taken: Sequence[EditionPaper] = ()
    ) -> list[EditionPaper]:
        return [one for one in papers if one not in taken][:size]

    def explain(self, papers: Sequence[EditionPaper]) -> list[Why]:
        return [Why() for _ in papers]


def places(*numbers: int) -> list[TailPaper]:
    return [
        TailPaper(position=n, paper_id=PaperId(n), score=0, parts={}, reason="new") for n in numbers
    ]


def behind(tail: list[TailPaper]) -> Behind:
    return Behind(tail, PAPERS, lambda title, _: f"The gist of {title}")


def test_the_best_that_a_reader_was_not_sent_are_offered() -> None:
    tail = behind(places(*range(11, 31)))
    offered = tail.offered(Backwards(), (), {PaperId(30), PaperId(28)}, 1)
    assert [one.position for one in offered] == [29, 27, 26]
    assert len(offered) == OFFERED


def test_what_a_reader_muted_takes_nothing_elses_room() -> None:
    tail = behind(places(*range(11, 31)))
    offered = tail.offered(Backwards(), (), (), 1, {PaperId(30), PaperId(29)})
    assert [one.position for one in offered] == [28, 27, 26]


def test_all_that_a_reader_asked_for_is_offered_however_far_behind() -> None:
    tail = behind(places(*range(11, 31)))
    asked = {PaperId(11), PaperId(30), PaperId(99)}
    assert [one.position for one in tail.offered(Backwards(), asked, (), 1)] == [30, 29, 28, 11]
    assert [one.position for one in tail.offered(None, asked, (), 1)] == [11, 30]


def test_what_the_edition_shows_is_not_offered_again() -> None:
    assert [one.position for one in behind(places(25)).offered(Backwards(), (), (), 2)] == [25]


def test_papers_that_are_one_by_now_stand_at_the_better_place() -> None:
    joined = {PaperId(11): PAPERS[PaperId(1)], PaperId(12): PAPERS[PaperId(1)]}
    tail = Behind(places(11, 12, 13), joined, lambda title, _: title)
    assert [(one.position, one.paper_id) for one in tail] == [(11, 1)]


def test_a_source_that_allows_a_link_only_gets_no_sentence_behind_either() -> None:
    linked = {PaperId(11): paper(11, id=PaperId(11), show=Show.LINK)}
    tail = Behind(places(11), linked, lambda title, _: f"The gist of {title}")
    assert tail.frozen(11).gist == ""
    assert behind(places(12)).frozen(12).gist == f"The gist of {PAPERS[PaperId(12)].title}"
