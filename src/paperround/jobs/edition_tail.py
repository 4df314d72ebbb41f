"""The papers behind those that an edition shows, for readers whose wishes are known.

    tail (places in the ranking) ─► papers ─► offered to a reader ─► frozen with the row that takes
                                                                     one up, as the edition's are

An edition shows its first papers to everybody. Whoever follows a narrow field would wait for its
papers to trend: they choose among all that were ranked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from paperround.domain.editions import Edition, EditionPaper, TailPaper
from paperround.domain.finder import Findable, findable
from paperround.domain.identifiers import addresses_of
from paperround.domain.papers import Paper, PaperId, Show
from paperround.jobs.ports import GistChooser
from paperround.store.unit_of_work import UnitOfWork


class EditionTail:
    """The tail of one edition, as its papers stand now."""

    def __init__(
        self, tail: Sequence[TailPaper], papers: Mapping[PaperId, Paper], gist: GistChooser
    ) -> None:
        self._gist = gist
        self._frozen: dict[int, EditionPaper] = {}
        self._known: dict[PaperId, tuple[EditionPaper, Paper]] = {}
        for one in tail:
            paper = papers.get(one.paper_id)
            if paper is not None:
                self._known.setdefault(paper.id, (edition_paper(one, paper), paper))
        self._at = {shown.position: (shown, paper) for shown, paper in self._known.values()}

    def __iter__(self) -> Iterator[EditionPaper]:
        return (shown for shown, _ in self._known.values())

    def __contains__(self, position: int) -> bool:
        return position in self._at

    @cached_property
    def findable(self) -> Mapping[PaperId, Findable]:
        """What readers can look for in them."""
        return {id_: findable(*both) for id_, both in self._known.items()}

    def frozen(self, position: int) -> EditionPaper:
        """The paper at that place as a digest takes it up, with its gist."""
        if position not in self._frozen:
            self._frozen[position] = with_gist(*self._at[position], self._gist)
        return self._frozen[position]


def tail_of(work: UnitOfWork, edition: Edition, gist: GistChooser) -> EditionTail:
    """The papers behind `edition`, as they stand now."""
    tail = edition.tail or work.editions.tail(edition.id)
    return EditionTail(tail, work.papers.load([one.paper_id for one in tail]), gist)


def edition_paper(place: TailPaper, paper: Paper) -> EditionPaper:
    """A paper of a ranking as an edition shows it, without its gist."""
    return EditionPaper(
        position=place.position,
        paper_id=paper.id,
        title=paper.title,
        authors=paper.authors,
        links={**addresses_of(paper.identifiers), **paper.links},
        identifiers=paper.identifiers,
        score=place.score,
        parts=place.parts,
        reason=place.reason,
        votes=place.votes,
        comments=place.comments,
        show=paper.show,
    )


def with_gist(shown: EditionPaper, paper: Paper, gist: GistChooser) -> EditionPaper:
    """The same with its gist, as far as its source allows to show one."""
    allowed = paper.show is not Show.LINK
    return replace(shown, gist=gist(paper.title, paper.abstract) if allowed else "")
