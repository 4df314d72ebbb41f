"""Rank an edition's papers for readers with preferences or feedback."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from paperround.db.transactions import Transaction
from paperround.editions.model import Edition, EditionPaper, TailPaper
from paperround.editions.sections import listing_of
from paperround.editions.store.editions import EditionStore
from paperround.papers.gist import GistChooser, choose_gist, choose_two
from paperround.papers.identifiers import addresses_of
from paperround.papers.model import Paper, PaperId, Show
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.references import ReferenceStore
from paperround.personal.citing import CitedWork, CitingPapers, cited_works, load_citing
from paperround.personal.keyword_index import IndexedPaper, Papers, findable
from paperround.personal.matches import ReaderPreferences
from paperround.personal.views import (
    Chooser,
    PaperIndex,
    Taste,
    taste_of,
)
from paperround.subscribers.model import SubscriberId, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore

if TYPE_CHECKING:
    from paperround.personal.reader_scores import TasteDay


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedEdition:
    """An edition, prepared for all readers: its papers for their profiles, its tail, and the places
    of the papers that cite each work."""

    day: "TasteDay"
    behind: "EditionTail"
    cited: Mapping[CitedWork, Papers]


class EditionTail:
    """The ranked papers below the cut of an edition, as they are now.

    tail (places in the ranking) ─► papers ─► offered to a reader ─► frozen with the delivery that
                                                                     includes one

    An edition shows its best papers to every reader. Papers of a narrow field rarely trend, so
    readers with preferences choose from the tail too.
    """

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
    def findable(self) -> Mapping[PaperId, IndexedPaper]:
        """The searchable fields of the papers, by id."""
        return {id_: findable(*both) for id_, both in self._known.items()}

    def frozen(self, position: int) -> EditionPaper:
        """The paper at that position of the ranking, with its gist."""
        if position not in self._frozen:
            self._frozen[position] = with_gist(*self._at[position], self._gist)
        return self._frozen[position]


def tail_of(work: Transaction, edition: Edition, gist: GistChooser) -> EditionTail:
    """The tail of `edition`, with the papers as they are now."""
    tail = edition.tail or work[EditionStore].tail(edition.id)
    return EditionTail(tail, work[PaperStore].load([one.paper_id for one in tail]), gist)


def edition_paper(place: TailPaper, paper: Paper, stars: int | None = None) -> EditionPaper:
    """A ranked paper in the form of an edition, without its gists."""
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
        listed=listing_of(paper),
        organization=paper.organization or "",
        stars=stars,
    )


def with_gist(shown: EditionPaper, paper: Paper, gist: GistChooser) -> EditionPaper:
    """The paper with its gists, as far as its source lets us show them.

    A machine's summary is shown alone: two of the authors' sentences beside it would repeat it.
    """
    if paper.show is Show.LINK:
        return replace(shown, gist="")
    text = gist(paper.title, paper.abstract)
    by_authors = gist is choose_gist or text == choose_gist(paper.title, paper.abstract)
    is_lead = by_authors and paper.show is Show.FULL
    lead = choose_two(paper.title, paper.abstract) if is_lead else ""
    return replace(shown, gist=text, lead_gist=lead)


BACKGROUND = 1500
"""Earlier papers, to estimate the rarity of words and the fit of average papers."""

_CACHED_EDITIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalViews:
    """Readers' profiles, the chooser for them, the tail of the edition, and the papers that cite
    works of a reader.

    Readers without a profile get the edition in its order.
    """

    tastes: Mapping[SubscriberId, Taste] = field(default_factory=dict)
    chooser: Chooser | None = None
    behind: EditionTail | None = None
    citing: Mapping[SubscriberId, CitingPapers] = field(default_factory=dict)


class PersonalRanking:
    """Ranks for readers, and caches the models of the last few editions.

    Thread-safe: threads wait for each other, and each edition is prepared once. `gist` chooses the
    gists of papers in the tail.
    """

    def __init__(self, gist: GistChooser = choose_gist) -> None:
        self.gist = gist
        self._prepared: dict[tuple[object, ...], _PreparedEdition] = {}
        self._lock = Lock()

    def of(
        self,
        work: Transaction,
        edition: Edition,
        subscriptions: Sequence[Subscription],
        wishes: Mapping[SubscriberId, ReaderPreferences],
    ) -> PersonalViews:
        """The profiles of these readers with a chooser for them, and the tail if any reader has
        feedback or preferences; empty for an empty edition."""
        people = [one.subscriber_id for one in subscriptions]
        feedback = work[SubscriberStore].feedback_of_all(people)
        tastes: dict[SubscriberId, Taste] = {}
        for person in people:
            taste = taste_of(feedback.get(person, ()), wishes.get(person, ReaderPreferences()))
            if taste:
                tastes[person] = taste
        if not (tastes or wishes) or not edition.papers:
            return PersonalViews()
        with self._lock:
            prepared = self._prepare(work, edition)
            chooser = prepared.day.chooser(list(tastes.values()), work[PaperStore].load)
        return PersonalViews(
            tastes=tastes,
            chooser=chooser.picks,
            behind=prepared.behind,
            citing=load_citing(work, prepared.cited, wishes, tastes),
        )

    def _prepare(self, work: Transaction, edition: Edition) -> _PreparedEdition:
        from paperround.personal import reader_scores  # most commands do not need numpy

        key = edition.list_id, edition.id, edition.as_of, *(one.paper_id for one in edition.papers)
        found = self._prepared.get(key)
        if found is None or work[PaperStore].joined_among([one.paper_id for one in found.behind]):
            tail = edition.tail or work[EditionStore].tail(edition.id)
            ids = [*(one.paper_id for one in edition.papers), *(one.paper_id for one in tail)]
            known = work[PaperStore].load(ids)
            behind = EditionTail(tail, known, self.gist)
            index = PaperIndex(edition.papers, tuple(behind))
            today = known | {paper.id: paper for paper in known.values()}
            indexed = [one.paper_id for one in index.papers]
            papers = [today[one] for one in indexed]
            scores = [one.score for one in index.papers]
            background = work[PaperStore].background(edition.as_of, limit=BACKGROUND)
            found = _PreparedEdition(
                day=reader_scores.TasteDay(papers, scores, background, index.shown),
                behind=behind,
                cited=cited_works(work[ReferenceStore].of(indexed), indexed),
            )
        self._prepared[key] = found
        while len(self._prepared) > _CACHED_EDITIONS:
            del self._prepared[next(iter(self._prepared))]
        return found
