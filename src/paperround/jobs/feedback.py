"""What readers say of the papers they were mailed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.digests import papers_at
from paperround.domain.papers import PaperId
from paperround.domain.readers import VERDICTS, DeliveryOwner, NewFeedback
from paperround.jobs.desk import Desk
from paperround.jobs.links import digest_owner, write_by_link
from paperround.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPaper:
    """A paper of a digest, its page on the site, and what its reader has said of it."""

    paper_id: PaperId
    title: str
    page: str
    verdicts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSheet:
    """The papers of one digest, in its order."""

    list_title: str
    local_date: date
    papers: tuple[FeedbackPaper, ...]


def feedback_sheet(desk: Desk, token: str) -> FeedbackSheet | None:
    """The papers of the digest a link came with; None for a forged link, or nobody's."""
    with desk.database.reading() as work:
        owner = _feedback_owner(work, desk, token)
        if owner is None:
            return None
        papers = papers_at(work.editions.get(owner.edition_id), owner.positions)
        said: dict[PaperId, set[str]] = defaultdict(set)
        for paper_id, verdict in work.subscribers.feedback_of(owner.subscriber_id):
            said[paper_id].add(verdict)
        mailing_list = next(one for one in work.lists.all() if one.id == owner.list_id)
    return FeedbackSheet(
        list_title=mailing_list.title,
        local_date=owner.local_date,
        papers=tuple(
            FeedbackPaper(
                paper_id=paper.paper_id,
                title=paper.title,
                page=f"/papers/{paper.name}",
                verdicts=frozenset(said[paper.paper_id]),
            )
            for paper in papers
        ),
    )


def _feedback_owner(work: UnitOfWork, desk: Desk, token: str) -> DeliveryOwner | None:
    owner = digest_owner(work, desk.keys, token)
    return owner if owner is not None and owner.address else None


def give_feedback(
    desk: Desk, token: str, paper_id: PaperId, verdict: str, *, now: datetime
) -> bool:
    """Keep what the reader of a digest says of one of its papers; said twice is said once.

    False for any other paper, verdict or link.
    """
    if verdict not in VERDICTS:
        return False

    def give(work: UnitOfWork) -> bool:
        owner = _feedback_owner(work, desk, token)
        if owner is None:
            return False
        papers = papers_at(work.editions.get(owner.edition_id), owner.positions)
        # a page may be older than the ids of its papers, so both count
        asked = (one for one in papers if paper_id in (one.frozen_id, one.paper_id))
        paper = next(asked, None)
        if paper is None:
            return False
        feedback = NewFeedback(
            subscriber_id=owner.subscriber_id,
            paper_id=paper.paper_id,
            delivery=owner.delivery,
            verdict=verdict,
        )
        work.subscribers.give_feedback(feedback, now=now)
        return True

    return write_by_link(desk, token, give)
