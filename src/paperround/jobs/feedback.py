"""What readers say of the papers they were mailed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.digests import papers_at
from paperround.domain.lists import MailingList
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
        return None if owner is None else _sheet(work, owner)


def _feedback_owner(work: UnitOfWork, desk: Desk, token: str) -> DeliveryOwner | None:
    owner = digest_owner(work, desk.keys, token)
    return owner if owner is not None and owner.address else None


def _sheet(work: UnitOfWork, owner: DeliveryOwner) -> FeedbackSheet:
    edition = work.editions.get(owner.edition_id)
    said: dict[PaperId, set[str]] = defaultdict(set)
    for paper_id, verdict in work.subscribers.feedback_of(owner.subscriber_id):
        said[paper_id].add(verdict)
    return FeedbackSheet(
        list_title=_list_of(work, owner).title,
        local_date=owner.local_date,
        papers=tuple(
            FeedbackPaper(
                paper_id=paper.paper_id,
                title=paper.title,
                page=f"/papers/{paper.name}",
                verdicts=frozenset(said[paper.paper_id]),
            )
            for paper in papers_at(edition, owner.positions)
        ),
    )


def _list_of(work: UnitOfWork, owner: DeliveryOwner) -> MailingList:
    return next(one for one in work.lists.all() if one.id == owner.list_id)


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
        paper = None if owner is None else _papers_of(work, owner).get(paper_id)
        if owner is None or paper is None:
            return False
        feedback = NewFeedback(
            subscriber_id=owner.subscriber_id,
            paper_id=paper,
            delivery=owner.delivery,
            verdict=verdict,
        )
        work.subscribers.give_feedback(feedback, now=now)
        return True

    return write_by_link(desk, token, give)


def _papers_of(work: UnitOfWork, owner: DeliveryOwner) -> dict[PaperId, PaperId]:
    """The papers of a digest, by the ids they have and those they had: a page may be older."""
    papers = papers_at(work.editions.get(owner.edition_id), owner.positions)
    return {
        id_: paper.paper_id for paper in papers for id_ in (paper.frozen_id, paper.paper_id) if id_
    }
