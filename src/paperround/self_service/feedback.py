"""Ratings of papers, by the link of a digest or on the preferences page.

a digest's link  ─► rate its papers and undo that, but see nothing the reader wrote
a recent link    ─► see the effect of all ratings, remove any of them, and undo that
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from paperround.db.transactions import Transaction
from paperround.digests.model import papers_at
from paperround.editions.model import EditionPaper, RisenPaper, page_path
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.identifiers import page_name
from paperround.papers.model import Paper, PaperId
from paperround.papers.store.papers import PaperStore
from paperround.ranking.topic_names import own_topics
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import (
    TokenHolder,
    authorized_reader,
    digest_owner,
    run_as_reader,
    write_as_reader,
)
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.readers import VERDICTS, DeliveryOwner, GivenBy, SavedPaper
from paperround.subscribers.store.saved import SAVE, SavedPapers
from paperround.subscribers.store.subscribers import SubscriberStore

MOST_SHOWN = 400
"""Ratings that are shown: as many as count in a profile, of liked and of disliked papers."""

_PLACE = re.compile(r"([pr])([1-9]\d{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackForm:
    """The papers of one digest, in order, those that rose since they were left out, and those that
    follow. It has no ratings and nothing else of now: the digest may have been forwarded."""

    list_title: str
    local_date: date
    papers: tuple[EditionPaper, ...]
    risen: tuple[RisenPaper, ...]
    next_papers: tuple[PaperId, ...]

    def paper_at(self, place: str) -> PaperId | None:
        """Return the paper that an email calls `p3`, its third one, or `r1`, the first that rose;
        None if there is none."""
        found = _PLACE.fullmatch(place)
        if found is None:
            return None
        papers: Sequence[EditionPaper | RisenPaper] = self.papers if found[1] == "p" else self.risen
        number = int(found[2])
        return papers[number - 1].paper_id if number <= len(papers) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A rating, and what it teaches: the `topics` of its paper, which may be empty. `page` is the
    path of the paper's page."""

    paper_id: PaperId
    verdict: str
    title: str
    page: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A rating that its reader removed, with all that is needed to undo it."""

    lesson: Lesson
    note: str = ""
    collections: tuple[str, ...] = ()
    given: GivenBy | None = None


def lesson_of(paper: Paper, verdict: str) -> Lesson:
    """Return what `verdict` on `paper` teaches."""
    return Lesson(
        paper_id=paper.id,
        verdict=verdict,
        title=paper.title,
        page=page_path(page_name(paper.identifiers, paper.id)),
        topics=own_topics(paper.title, paper.abstract, paper.keywords),
    )


# --- the link of a digest ----------------------------------------------------------------------


def papers_of_digest(context: SignupContext, token: str) -> FeedbackForm | None:
    """Return the papers of the digest a link came with; None if it is forged or the reader was
    erased."""
    with context.database.reading() as work:
        owner = _feedback_owner(work, context, token)
        if owner is None:
            return None
        papers = papers_at(work[EditionStore].get(owner.edition_id), owner.positions)
        mailing_list = next(one for one in work[ListStore].all() if one.id == owner.list_id)
    return FeedbackForm(
        list_title=mailing_list.title,
        local_date=owner.local_date,
        papers=papers,
        risen=owner.risen,
        next_papers=owner.next_papers,
    )


def papers_after(context: SignupContext, form: FeedbackForm) -> list[Paper]:
    """Return the papers that follow those of a digest, the best first, without withdrawn ones."""
    with context.database.reading() as work:
        found = work[PaperStore].load(form.next_papers)
    papers = map(found.get, form.next_papers)
    return [one for one in papers if one is not None and not one.withdrawn]


def lesson_at(
    context: SignupContext, form: FeedbackForm, place: str, verdict: str
) -> Lesson | None:
    """Return what `verdict` on the paper at this place of a digest would teach; None if there is
    no paper."""
    paper_id = form.paper_at(place)
    if paper_id is None:
        return None
    with context.database.reading() as work:
        paper = work[PaperStore].load([paper_id]).get(paper_id)
    return None if paper is None else lesson_of(paper, verdict)


def _feedback_owner(work: Transaction, context: SignupContext, token: str) -> DeliveryOwner | None:
    owner = digest_owner(work, context.keys, token)
    return owner if owner is not None and owner.address else None


def give_feedback(
    context: SignupContext, token: str, paper_id: PaperId, verdict: str, *, now: datetime
) -> bool:
    """Store the rating of a paper by the reader of its digest; repeating it changes nothing.

    Returns False for an unknown paper, verdict or link.
    """
    if verdict not in VERDICTS:
        return False

    def give(work: Transaction) -> bool:
        owner = _feedback_owner(work, context, token)
        paper = None if owner is None else _paper_of_digest(work, owner, paper_id)
        if owner is None or paper is None:
            return False
        work[SubscriberStore].give_feedback(
            owner.subscriber_id, paper, verdict, delivery=owner.delivery, now=now
        )
        return True

    return write_as_reader(context, token, give)


def take_back_feedback(context: SignupContext, token: str, paper_id: PaperId, verdict: str) -> None:
    """Delete the rating of a paper by the reader of its digest, if there is one.

    A saved paper with a note or in a collection stays: the digest may have been forwarded. For the
    same reason nobody is told what happened.
    """

    def take_back(work: Transaction) -> bool:
        owner = _feedback_owner(work, context, token)
        paper = None if owner is None else _paper_of_digest(work, owner, paper_id)
        if owner is None or paper is None:
            return False
        person = owner.subscriber_id
        saved = _saved(work, person, paper) if verdict == SAVE else None
        if saved is not None and (saved.note or saved.collections):
            return False
        return work[SubscriberStore].withdraw_feedback(person, paper, verdict) is not None

    write_as_reader(context, token, take_back)


def _paper_of_digest(work: Transaction, owner: DeliveryOwner, paper_id: PaperId) -> PaperId | None:
    """Return the current id of a paper that the digest contains or names as risen, else None.
    A page may be older than a merge of its papers, so both ids are valid."""
    papers = papers_at(work[EditionStore].get(owner.edition_id), owner.positions)
    asked = (one.paper_id for one in papers if paper_id in (one.frozen_id, one.paper_id))
    return next(asked, None) or _risen_paper(work, owner, paper_id)


def _risen_paper(work: Transaction, owner: DeliveryOwner, paper_id: PaperId) -> PaperId | None:
    if all(one.paper_id != paper_id for one in owner.risen):
        return None
    paper = work[PaperStore].load([paper_id]).get(paper_id)
    return None if paper is None else paper.id


def _saved(work: Transaction, person: SubscriberId, paper: PaperId) -> SavedPaper | None:
    saved = work[SavedPapers].saved_by(person)
    return next((one for one in saved if one.paper_id == paper), None)


# --- a recent link -----------------------------------------------------------------------------


def lessons_of(
    context: SignupContext, token: str, *, now: datetime, most: int = MOST_SHOWN
) -> tuple[Lesson, ...]:
    """Return what the feedback of the holder of a recently mailed link taught, the last rating
    first. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        ratings = work[SubscriberStore].feedback_of(reader.person.id)
        unwanted = {paper for paper, verdict in ratings if verdict == "less"}
        # `less` outweighs a save: such a paper moves no other up
        taught = [one for one in ratings if one[1] == "less" or one[0] not in unwanted]
        latest = taught[::-1][:most]
        papers = work[PaperStore].load({paper for paper, _ in latest})
    return tuple(lesson_of(papers[one], verdict) for one, verdict in latest if one in papers)


def remove_feedback(
    context: SignupContext,
    token: str,
    paper_id: PaperId,
    verdict: str,
    *,
    now: datetime,
    note: str = "",
    collections: Sequence[str] = (),
) -> Removed | None:
    """Delete a rating by the holder of a recently mailed link, and return it; None for an unknown
    paper or verdict. Raises LinkExpired.

    A reader who pressed twice can still undo it: `note` and `collections` come from their page.
    """

    def remove(work: Transaction, reader: TokenHolder) -> Removed | None:
        person, paper = reader.person.id, work[PaperStore].load([paper_id]).get(paper_id)
        if paper is None or verdict not in VERDICTS:
            return None
        saved = _saved(work, person, paper.id) if verdict == SAVE else None
        removed = Removed(
            lesson=lesson_of(paper, verdict),
            note=note if saved is None else saved.note,
            collections=tuple(collections) if saved is None else saved.collections,
        )
        given = work[SubscriberStore].withdraw_feedback(person, paper.id, verdict)
        return replace(removed, given=given)

    return run_as_reader(context, token, remove, now=now)


def restore_feedback(
    context: SignupContext,
    token: str,
    paper_id: PaperId,
    verdict: str,
    *,
    now: datetime,
    given: GivenBy | None = None,
) -> None:
    """Store a rating that the holder of a recently mailed link removed, as it was `given`, unless
    its paper or verdict is unknown. Raises LinkExpired."""

    def restore(work: Transaction, reader: TokenHolder) -> None:
        paper = work[PaperStore].load([paper_id]).get(paper_id)
        if paper is not None and verdict in VERDICTS:
            give_again(work, reader.person.id, paper.id, verdict, given, now=now)

    run_as_reader(context, token, restore, now=now)


def give_again(
    work: Transaction,
    person: SubscriberId,
    paper: PaperId,
    verdict: str,
    given: GivenBy | None,
    *,
    now: datetime,
) -> None:
    """Store a rating as it was `given` (None: by a button on a page), as far as that is valid: no
    later than `now`, and by a digest only if it was sent to this person and has the paper."""
    delivery = None if given is None else given.delivery
    owner = None if delivery is None else work[SubscriberStore].owner_of_delivery(delivery)
    is_theirs = owner is not None and owner.subscriber_id == person
    if owner is None or not is_theirs or _paper_of_digest(work, owner, paper) is None:
        delivery = None
    at = now if given is None else min(given.at, now)
    work[SubscriberStore].give_feedback(person, paper, verdict, delivery=delivery, now=at)
