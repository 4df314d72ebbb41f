"""The papers behind those that an edition shows, for readers whose wishes are known.

    tail (places in the ranking) ─► papers ─► offered to a reader ─► frozen with the row that takes
                                                                     one up, as the edition's are

An edition shows its first papers to everybody. Whoever follows a narrow field would wait for its
papers to trend: they choose among all that were ranked.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice

from paperround.domain.editions import EditionPaper, TailPaper
from paperround.domain.finder import Findable, findable
from paperround.domain.identifiers import addresses_of
from paperround.domain.papers import Paper, PaperId, Show
from paperround.domain.tastes import Opinion
from paperround.jobs.ports import GistChooser

OFFERED = 3
"""Times the size of a digest: so many papers behind the edition's own are enough to choose from."""

REACH = 10
"""Times the size of a digest: so many of the best are looked at for those, as the reader may have
got the best of a week."""


class Behind:
    """The tail of one edition, as its papers stand now."""

    def __init__(
        self, tail: Sequence[TailPaper], papers: Mapping[PaperId, Paper], gist: GistChooser
    ) -> None:
        self._gist = gist
        self._frozen: dict[int, EditionPaper] = {}
        known = [(one, papers[one.paper_id]) for one in tail if one.paper_id in papers]
        self._paper = {paper.id: paper for _, paper in known}
        self._by_id: dict[PaperId, EditionPaper] = {}
        for one, paper in known:
            self._by_id.setdefault(paper.id, _without_gist(one, paper))

    def __iter__(self) -> Iterator[EditionPaper]:
        return iter(self._by_id.values())

    @cached_property
    def findable(self) -> Mapping[PaperId, Findable]:
        """What readers can look for in them."""
        return {id_: findable(one, self._paper[id_]) for id_, one in self._by_id.items()}

    def offered(
        self,
        opinion: Opinion | None,
        pinned: Collection[PaperId],
        already_sent: Collection[PaperId],
        size: int,
        muted: Collection[PaperId] = (),
    ) -> tuple[EditionPaper, ...]:
        """The best for a reader who was sent some and muted some, best first, and all that are
        `pinned` by what they asked for, in the order of the ranking."""
        best = opinion.best(REACH * size) if opinion is not None else ()
        fresh = (id_ for id_ in best if id_ in self._by_id and id_ not in already_sent)
        heard = (id_ for id_ in fresh if id_ not in muted) if muted else fresh
        offered = dict.fromkeys(islice(heard, OFFERED * size))
        asked = [self._by_id[id_] for id_ in pinned if id_ in self._by_id]
        offered |= dict.fromkeys(one.paper_id for one in sorted(asked, key=_position))
        return tuple(self._by_id[id_] for id_ in offered)

    def frozen(self, position: int) -> EditionPaper:
        """The paper at that place as a digest takes it up, with its gist."""
        if position not in self._frozen:
            paper = next(one for one in self if one.position == position)
            self._frozen[position] = replace(paper, gist=self._gist_of(paper))
        return self._frozen[position]

    def _gist_of(self, paper: EditionPaper) -> str:
        text = self._paper[paper.paper_id]
        return "" if paper.show is Show.LINK else self._gist(text.title, text.abstract)


def _position(paper: EditionPaper) -> int:
    return paper.position


def _without_gist(place: TailPaper, paper: Paper) -> EditionPaper:
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
