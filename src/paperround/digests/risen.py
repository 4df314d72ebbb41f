"""Find the papers that rose after a reader's digests had left them out.

    most voted of a week ─► got most of their votes later ─► not sent, muted or refused ─► three

Once a week a digest lists them, so that a reader can trust what it leaves out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperround.db.transactions import Transaction
from paperround.delivery.store.ledger import Ledger
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, ListedBy, RisenPaper, TrendingPeriod
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.history import HistoryStore
from paperround.papers.identifiers import page_name
from paperround.papers.model import Paper, PaperId, Vote
from paperround.papers.store.papers import PaperStore
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex, keyword_index_of
from paperround.personal.matches import NO_MATCHES, ReaderPreferences, match_preferences
from paperround.subscribers.interests import InterestKind
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

MOST_RISEN = 3
"""The most papers in one digest."""

MOST_VOTED = 20
"""Papers of a week, by votes, that are considered."""

LEAST_VOTES = 5
"""The fewest votes of a paper that rose."""

_WEEK = timedelta(days=7)
_FIRST_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RisenPapers:
    """The papers of a list that rose, most votes first, and when the list first knew each."""

    papers: tuple[RisenPaper, ...]
    known_at: Mapping[PaperId, datetime]
    finder: KeywordIndex

    def left_out(
        self, wishes: ReaderPreferences, *, ranked_at: datetime, not_for: Collection[PaperId]
    ) -> tuple[RisenPaper, ...]:
        """Return those that a digest ranked at `ranked_at` could have held, that the reader did not
        mute, in the categories they follow if they follow any, and not in `not_for`."""
        matches = match_preferences(wishes, self.finder) if wishes else NO_MATCHES
        everything = (1 << len(self.papers)) - 1
        wanted = matches.lifted if any(wishes.of_kind(InterestKind.CATEGORY)) else everything
        return tuple(
            one
            for place, one in enumerate(self.papers)
            if (wanted & ~matches.muted) >> place & 1
            and self.known_at[one.paper_id] <= ranked_at
            and one.paper_id not in not_for
        )


def load_risen(
    work: Transaction, edition: Edition, mailing_list: MailingList, period: TrendingPeriod
) -> RisenPapers | None:
    """Return the papers that rose since digests of the last seven days could have held them; None
    if there are none, and for monthly digests, which list none.

    The last weekly digest covered the seven days before this one's.
    """
    if period is TrendingPeriod.MONTH:
        return None
    is_week = period is TrendingPeriod.WEEK
    until = edition.as_of - _WEEK if is_week else edition.as_of
    days = ((until - _WEEK).date(), until.date())
    ids = work[CandidateStore].listed(
        mailing_list, ListedBy.VOTES, days=days, by=edition.as_of, limit=MOST_VOTED
    )
    papers = work[PaperStore].load(ids)
    known_at = work[CandidateStore].known_at(mailing_list, ids)
    votes = work[HistoryStore].votes(ids, by=edition.as_of)
    risen: list[tuple[Paper, int]] = []
    for paper in (papers[one] for one in ids if one in papers and one in known_at):
        left_out_at = until if is_week else known_at[paper.id] + _FIRST_DAY
        now = _votes_at(votes.get(paper.id, ()), edition.as_of)
        is_of_week = until - _WEEK < paper.counts_from <= until
        is_risen = now >= LEAST_VOTES and now > 2 * _votes_at(votes[paper.id], left_out_at)
        if is_of_week and is_risen and not paper.withdrawn:
            risen.append((paper, now))
    if not risen:
        return None
    return RisenPapers(
        papers=tuple(_risen_paper(*one) for one in risen),
        known_at=known_at,
        finder=keyword_index_of(tuple(_findable(paper) for paper, _ in risen)),
    )


def left_out_of(
    work: Transaction,
    risen: RisenPapers,
    list_id: ListId,
    period: TrendingPeriod,
    days: Mapping[SubscriberId, date],
    memory: Mapping[SubscriberId, frozenset[PaperId]],
    wishes: Mapping[SubscriberId, ReaderPreferences],
) -> dict[SubscriberId, tuple[RisenPaper, ...]]:
    """Return the papers that digests of the last seven days left out for each reader whose digest
    of their day (`days`) is the first of their week, or weekly.

    `memory` has the papers they were sent. Papers they rated or gave us do not count: they know
    them.
    """
    ids = frozenset(one.paper_id for one in risen.papers)
    maybe = {person: day for person, day in days.items() if not ids <= memory[person]}
    ranked_at: dict[SubscriberId, datetime] = {}
    for day in sorted({*maybe.values()}):
        people = [person for person, one in maybe.items() if one == day]
        last = work[Ledger].last_digests(list_id, people, since=day - _WEEK, before=day)
        is_daily, monday = period is TrendingPeriod.DAY, day - timedelta(days=day.weekday())
        ranked_at |= {
            person: as_of
            for person, (last_day, as_of) in last.items()
            if not (is_daily and last_day >= monday)
        }
    ratings = work[SubscriberStore].feedback_of_all(ranked_at) if ranked_at else {}
    found: dict[SubscriberId, tuple[RisenPaper, ...]] = {}
    for person, as_of in ranked_at.items():
        wish = wishes.get(person, ReaderPreferences())
        rated = {paper for paper, _ in ratings.get(person, ())}
        not_for = rated.union(memory[person], wish.known)
        found[person] = risen.left_out(wish, ranked_at=as_of, not_for=not_for)
    return found


def _votes_at(votes: Sequence[Vote], moment: datetime) -> int:
    """Return the last count up to `moment`; 0 without one."""
    known = [one for one in votes if one.captured_at <= moment]
    return max(known, key=lambda one: one.captured_at).value if known else 0


def _risen_paper(paper: Paper, votes: int) -> RisenPaper:
    return RisenPaper(
        paper_id=paper.id,
        title=paper.title,
        page=page_name(paper.identifiers, paper.id),
        votes=votes,
    )


def _findable(paper: Paper) -> IndexedPaper:
    return IndexedPaper(
        paper_id=paper.id,
        title=paper.title,
        abstract=paper.abstract,
        authors=paper.authors,
        categories=paper.categories,
    )
