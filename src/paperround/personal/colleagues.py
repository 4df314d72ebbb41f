"""Tell readers who share what they save how many others saved a paper.

    numbers frozen with the edition ─► readers who shared before it ─► papers they did not rate
                                                                   └─► the journal club

Readers know what they saved themselves, so a number that includes them would be about one person
fewer than it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from paperround.db.transactions import Transaction
from paperround.editions.model import Edition, JournalClub
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.keyword_index import Papers, any_of
from paperround.personal.views import PaperIndex
from paperround.subscribers.model import SubscriberId, Subscription
from paperround.subscribers.readers import LEAST_COLLEAGUES
from paperround.subscribers.store.subscribers import SubscriberStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleagues:
    """What the readers of an edition may be told: the papers of an index that enough readers saved,
    and the journal club. `rated` has the readers who may be told, each with the papers that they
    saved or rated."""

    saved: Papers = 0
    club: JournalClub | None = None
    rated: Mapping[SubscriberId, frozenset[PaperId]] = field(default_factory=dict)

    def told(self, person: SubscriberId, index: PaperIndex) -> Papers:
        """Return the papers whose number of saves this reader sees."""
        rated = self.rated.get(person)
        return 0 if rated is None else self.saved & ~index.places(rated)

    def club_for(self, person: SubscriberId) -> JournalClub | None:
        """Return the journal club without this reader. A reader who saved or rated the paper is
        assumed to have saved it, so the number is never too high."""
        rated = self.rated.get(person)
        if self.club is None or rated is None:
            return None
        others = self.club.readers - (self.club.paper_id in rated)
        return replace(self.club, readers=others) if others >= LEAST_COLLEAGUES else None


NO_COLLEAGUES = Colleagues()


def load_colleagues(
    work: Transaction, edition: Edition, index: PaperIndex, subscriptions: Sequence[Subscription]
) -> Colleagues:
    """Return what readers of an edition may see of each other, with the papers of `index`.

    Only readers who shared before the edition was ranked see it: a reader who starts sharing, or
    starts again, waits for the next edition. A paper withdrawn since cannot be the journal club.
    """
    shared = edition.shared
    told = [
        one.subscriber_id
        for one in subscriptions
        if (since := one.preferences.shares_since) is not None and since < edition.as_of
    ]
    if not shared or not told:
        return NO_COLLEAGUES
    club = shared.club
    if club is not None:
        paper = work[PaperStore].load([club.paper_id]).get(club.paper_id)
        club = None if paper is None or paper.withdrawn else replace(club, paper_id=paper.id)
    feedback = work[SubscriberStore].feedback_of_all(told)
    return Colleagues(
        saved=any_of(
            1 << place
            for place, paper in enumerate(index.papers)
            if paper.position in shared.readers
        ),
        club=club,
        rated={one: frozenset(paper for paper, _ in feedback.get(one, ())) for one in told},
    )
