"""What an edition's papers are worth to the readers who said what they like."""

from collections.abc import Mapping, Sequence
from threading import Lock

from paperround.domain.editions import Edition, EditionPaper
from paperround.domain.papers import Paper, PaperId
from paperround.domain.subscribers import SubscriberId, Subscription
from paperround.domain.tastes import Opinion, Taste, taste_of
from paperround.domain.wishes import Wishes
from paperround.jobs.ports import TasteDay, TasteModel, UnitOfWork
from paperround.jobs.wishes import wishes_of_all

BACKGROUND = 1500
"""Earlier papers that say which words are rare, and what a reader could have been given."""

_KEPT = 4


class Opinions:
    """Asks the model of tastes, and keeps what it made of the last few editions.

    Threads may share one; each edition is made ready once.
    """

    def __init__(self, model: TasteModel) -> None:
        self._model = model
        self._days: dict[tuple[object, ...], TasteDay] = {}
        self._lock = Lock()

    def of(
        self,
        work: UnitOfWork,
        edition: Edition,
        subscriptions: Sequence[Subscription],
        wishes: Mapping[SubscriberId, Wishes] | None = None,
    ) -> dict[SubscriberId, Opinion]:
        """The opinion for each of these readers who has a taste; none for an empty edition.

        `wishes` are what they asked for, by `wishes_of_all`, where that was read already.
        """
        if wishes is None:
            wishes = wishes_of_all(work, subscriptions)
        tastes = _tastes(work, subscriptions, wishes)
        if not tastes or not edition.papers:
            return {}
        day = self._day(work, edition)
        known = work.papers.load({paper for taste in tastes.values() for paper in taste.papers})
        opinions = day.opinions(list(tastes.values()), known)
        return dict(zip(tastes, opinions, strict=True))

    def _day(self, work: UnitOfWork, edition: Edition) -> TasteDay:
        what = edition.as_of, *(paper.paper_id for paper in edition.papers)
        with self._lock:
            day = self._days.get(what) or self._made(work, edition)
            self._days[what] = day
            while len(self._days) > _KEPT:
                del self._days[next(iter(self._days))]
        return day

    def _made(self, work: UnitOfWork, edition: Edition) -> TasteDay:
        known = work.papers.load({paper.paper_id for paper in edition.papers})
        by_id = {
            one.paper_id: known.get(one.paper_id) or _as_frozen(one, edition)
            for one in edition.papers
        }
        background = work.papers.background(edition.as_of, limit=BACKGROUND)
        return self._model.day(list(by_id.values()), background)


def _tastes(
    work: UnitOfWork,
    subscriptions: Sequence[Subscription],
    wishes: Mapping[SubscriberId, Wishes],
) -> dict[SubscriberId, Taste]:
    said = work.subscribers.feedback_of_all([one.subscriber_id for one in subscriptions])
    tastes = {
        person: _taste(said.get(person, ()), wishes.get(person, Wishes()))
        for person in (one.subscriber_id for one in subscriptions)
    }
    return {person: taste for person, taste in tastes.items() if taste}


def _taste(said: Sequence[tuple[PaperId, str]], wish: Wishes) -> Taste:
    return taste_of(said, wish.words, wish.seeds, wish.titles, wish.unlike)


def _as_frozen(paper: EditionPaper, edition: Edition) -> Paper:
    """A paper the database no longer holds, as far as the edition tells."""
    return Paper(
        id=paper.paper_id,
        identifiers=paper.identifiers,
        title=paper.title,
        abstract=paper.gist,
        counts_from=edition.as_of,
    )
