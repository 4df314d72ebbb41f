"""Five good, three bad: a reader judges papers of late, sees what that says, and keeps what they
want of it."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.editions import Order, Placed
from paperround.domain.errors import InvalidInput
from paperround.domain.interests import Interest, InterestKind, checked_interests, interest
from paperround.domain.judging import (
    MOST_JUDGED,
    JudgedPaper,
    Judging,
    Suggestions,
    common_categories,
    spread_out,
    telling_authors,
)
from paperround.domain.papers import Paper, PaperId
from paperround.domain.phrases import telling_phrases
from paperround.domain.readers import NewFeedback
from paperround.jobs.desk import Desk
from paperround.jobs.library import add_all
from paperround.jobs.links import Reader, choosing_reader, write_by_link
from paperround.store.unit_of_work import Database, UnitOfWork

PAGE = 12
"""Papers of one page: enough for five good ones and three bad ones among them."""

MOST_PAGES = 5
LOOKED_BACK = timedelta(days=14)
_LOOKED_AT = 300
MOST_TOPICS = 10
MOST_AUTHORS = 8
MOST_CATEGORIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept: how many judgements, and how many new lines of interests."""

    papers: int
    interests: int


def papers_to_judge(desk: Desk, token: str, *, page: int, now: datetime) -> Judging | None:
    """Papers of the last editions of the reader's lists that differ from each other and that they
    said nothing of yet; None for a link that is not freshly mailed."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        placed = _unjudged(work, reader, now)
        papers = work.papers.load(placed) if placed else {}
    known = [papers[one] for one in placed if one in papers and not papers[one].withdrawn]
    chosen = spread_out(known, most=PAGE * MOST_PAGES)
    page = min(max(page, 1), MOST_PAGES)
    shown = chosen[(page - 1) * PAGE : page * PAGE]
    return Judging(
        papers=tuple(
            JudgedPaper(
                paper_id=paper.paper_id,
                title=paper.title,
                authors=paper.authors,
                gist=paper.gist,
                page=f"/papers/{paper.name}",
            )
            for paper in (placed[one.id].paper for one in shown if one.id in placed)
        ),
        page=page,
        more=len(chosen) > page * PAGE,
    )


def _unjudged(work: UnitOfWork, reader: Reader, now: datetime) -> dict[PaperId, Placed]:
    """By paper, best first; of every list of theirs."""
    since = (now - LOOKED_BACK).date()
    said = {paper for paper, _ in work.subscribers.feedback_of(reader.person.id)}
    lists = [one.list_id for one in work.subscribers.subscriptions_of(reader.person.id)]
    found = [
        placed
        for list_id in lists
        for placed in work.editions.places(
            list_id, Order.RANKED, days=(since, None), limit=_LOOKED_AT
        )
    ]
    found.sort(key=lambda one: (-one.paper.score, one.paper.paper_id))
    each: dict[PaperId, Placed] = {}
    for one in found:
        if one.paper.paper_id not in said and not one.paper.withdrawn:
            each.setdefault(one.paper.paper_id, one)
    return each


def titles_of(database: Database, papers: Collection[PaperId]) -> dict[PaperId, str]:
    """What papers are called; those that nobody knows are left out."""
    if not papers:
        return {}
    with database.reading() as work:
        return {id_: paper.title for id_, paper in work.papers.load(papers).items()}


def suggest(
    desk: Desk,
    token: str,
    good: Collection[PaperId],
    bad: Collection[PaperId],
    *,
    now: datetime,
) -> Suggestions | None:
    """What these judgements say, to be looked at before it is kept; None for a link that is not
    freshly mailed."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        others = [one for one in _unjudged(work, reader, now) if one not in {*good, *bad}]
        papers = work.papers.load({*good, *bad, *others})
    liked, disliked = _known(good, papers), _known(bad, papers)
    rest = _known(others, papers)
    return Suggestions(
        good=tuple(liked),
        bad=tuple(disliked),
        topics=_wants(InterestKind.TOPIC, telling_phrases(liked, disliked, rest, most=MOST_TOPICS)),
        authors=_wants(InterestKind.AUTHOR, telling_authors(liked, disliked, most=MOST_AUTHORS)),
        categories=_wants(
            InterestKind.CATEGORY, common_categories(liked, disliked, most=MOST_CATEGORIES)
        ),
    )


def _known(ids: Collection[PaperId], papers: dict[PaperId, Paper]) -> list[Paper]:
    return [papers[one] for one in dict.fromkeys(ids) if one in papers][:_LOOKED_AT]


def _wants(kind: InterestKind, values: Sequence[str]) -> tuple[Interest, ...]:
    """Those that can be kept: a feed may name an author in more letters than a line has."""
    found = []
    for value in values:
        with suppress(InvalidInput):
            found.append(interest(kind, value))
    return tuple(found)


def keep_judgements(
    desk: Desk,
    token: str,
    good: Sequence[PaperId],
    bad: Sequence[PaperId],
    interests: Sequence[Interest],
    *,
    now: datetime,
) -> Kept | None:
    """Keep what was said of papers as feedback on them, and these interests; None, and nothing
    kept, for a link that is not freshly mailed.

    Raises InvalidInput for an interest that cannot be, and where there is no room.
    """
    wanted = checked_interests(interests)
    said = [*((one, "more") for one in good), *((one, "less") for one in bad)][:MOST_JUDGED]

    def keep(work: UnitOfWork) -> Kept | None:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        new = add_all(work, reader.person.id, wanted, now=now)
        papers = work.papers.load({one for one, _ in said}) if said else {}
        kept = [
            work.subscribers.give_feedback(
                NewFeedback(
                    subscriber_id=reader.person.id,
                    paper_id=papers[paper].id,
                    delivery=None,
                    verdict=verdict,
                ),
                now=now,
            )
            for paper, verdict in said
            if paper in papers
        ]
        return Kept(papers=len(kept), interests=new)

    return write_by_link(desk, token, keep)
