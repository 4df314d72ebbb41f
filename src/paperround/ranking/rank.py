"""Rank the candidates of a list at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from paperround.core.times import local_date
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import ListId, MailingList, Window, window_of
from paperround.editions.model import Candidate, Edition, EditionState, JournalClub, Ranking
from paperround.editions.rank_changes import find_risers
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.identifiers import page_name
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.ranking.models import Ranker
from paperround.subscribers.readers import SharedOpinion
from paperround.subscribers.store.shared import SharedFeedback

BACKGROUND = 5000
"""Earlier papers to compare bursts with."""

CLUB_DAYS = timedelta(days=7)
"""How far back saves count for the journal club."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRanking:
    """A ranking with its list, day and window, and the shared opinions of readers."""

    mailing_list: MailingList
    day: date
    window: Window
    ranking: Ranking
    papers_known: int
    opinions: Mapping[PaperId, SharedOpinion] = field(default_factory=dict)
    club: JournalClub | None = None


def rank_list(
    *,
    database: Database,
    ranker: Ranker,
    list_name: str,
    day: date | None,
    now: datetime,
    with_shared: bool = True,
) -> ListRanking:
    """Rank the candidates of `list_name` as known at the end of `day` (default: today), or `now`.

    Without `with_shared`, what readers share does not count: a preview that a reader can repeat
    must not reveal who shared what. Raises NotFound if there is no such list.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get(list_name)
        day = day or local_date(now, mailing_list.zone)
        window = window_of(mailing_list, day, now)
        candidates = work[CandidateStore].candidates(mailing_list, window)
        background = work[PaperStore].background(window.start, limit=BACKGROUND)
        known = work[PaperStore].count()
        opinions, club = {}, None
        if with_shared:
            opinions = work[SharedFeedback].opinions(
                mailing_list.id, after=window.start, by=window.as_of
            )
            club = _journal_club(work, mailing_list.id, window.as_of)
    candidates = [_with_opinion(one, opinions) for one in candidates]
    ranking = ranker.rank(
        candidates,
        background=background,
        as_of=window.as_of,
        submitter_cap=mailing_list.submitter_cap,
    )
    return ListRanking(
        mailing_list=mailing_list,
        day=day,
        window=window,
        ranking=ranking,
        papers_known=known,
        opinions=opinions,
        club=club,
    )


def _with_opinion(candidate: Candidate, opinions: Mapping[PaperId, SharedOpinion]) -> Candidate:
    opinion = opinions.get(candidate.paper.id)
    return candidate if opinion is None else replace(candidate, colleagues=opinion.balance)


def _journal_club(work: Transaction, list_id: ListId, now: datetime) -> JournalClub | None:
    found = work[SharedFeedback].most_saved(list_id, after=now - CLUB_DAYS, by=now)
    if found is None:
        return None
    paper_id, readers = found
    paper = work[PaperStore].load([paper_id])[paper_id]
    page = page_name(paper.identifiers, paper.id)
    return JournalClub(paper_id=paper.id, title=paper.title, page=page, readers=readers)


def reasons_of_risers(database: Database, ranked: ListRanking, cut: str) -> Mapping[PaperId, str]:
    """The reason of each paper that rose since the previous edition, to replace its own."""
    items = ranked.ranking.items
    with database.reading() as work:
        before = _edition_before(work, ranked, cut)
        if before is None:
            return {}
        top = [item.paper.id for item in items[: ranked.mailing_list.size]]
        known = work[PaperStore].known_by(top, before.as_of)
    return find_risers(items, before, ranked.mailing_list, day=ranked.day, known=known)


def _edition_before(work: Transaction, ranked: ListRanking, cut: str) -> Edition | None:
    """The edition of the same cut the day before, which readers of this one got yesterday.

    If it is missing, empty or cancelled, the newest earlier one; None for a list's first edition.
    """
    list_id = ranked.mailing_list.id
    usual = work[EditionStore].find(list_id, ranked.day - timedelta(days=1), cut)
    if usual is not None and usual.papers and usual.state is not EditionState.CANCELLED:
        return usual
    for newest in work[EditionStore].recent(list_id, before=ranked.day, limit=1):
        return work[EditionStore].find(list_id, newest.day, newest.cut)
    return None
