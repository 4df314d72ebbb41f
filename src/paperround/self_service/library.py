"""Build a reader's interests from their own library, or from papers they rate.

Results are shown first, and stored once the reader confirms.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.db.transactions import Transaction
from paperround.editions.model import Order, Placed
from paperround.editions.store.editions import EditionStore
from paperround.papers.identifiers import canonical
from paperround.papers.libraries import GivenWork, Library, Understood, UnderstoodWork
from paperround.papers.model import Paper, PaperId, Reject
from paperround.papers.phrases import distinguishing_phrases
from paperround.papers.store.papers import PaperStore
from paperround.personal.reader_preferences import interests_of
from paperround.self_service.onboarding_model import (
    MOST_JUDGED,
    Judging,
    Suggestions,
    common_categories,
    distinguishing_authors,
    pick_diverse,
)
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import TokenHolder, authorized_reader, run_as_reader
from paperround.subscribers.choices import find_paper_by_title
from paperround.subscribers.interests import (
    MOST_INTERESTS,
    Interest,
    InterestKind,
    interest,
    seed_name,
    validate_interests,
)
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

MOST_LOOKED_UP = 300
"""Titles of one library that are searched for; the others stay titles."""

_NAMING = ("arxiv", "doi", "biorxiv", "pmid")
"""Kinds of identifiers for a seed, most preferred first."""


def preview_library(
    context: SignupContext, token: str, library: Library, *, now: datetime
) -> Understood | None:
    """Return what an import of a library would store, for the holder of a recently mailed link;
    None for any other. Stores nothing."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        if reader is None:
            return None
        kept = interests_of(work, reader.person.id)
        papers = _find_papers(work, library.works)
    seeds = {seed_name(one.value) for one in kept if one.kind is InterestKind.SEED}
    each = [_recognize(one, paper, seeds) for one, paper in papers]
    nameless = marked("it has neither a title nor an identifier")
    rejects = (
        Reject(reason="no-title", detail=nameless, position=number)
        for number, one in enumerate(each, start=1)
        if one is None
    )
    return Understood(
        called=library.called,
        works=tuple({one.seed: one for one in each if one is not None}.values()),
        refused=(*library.refused, *rejects),
        unread=library.unread,
        left=library.left,
        room=MOST_INTERESTS - len(kept),
    )


def _find_papers(
    work: Transaction, works: Sequence[GivenWork]
) -> list[tuple[GivenWork, Paper | None]]:
    """Return the stored paper of each work, found by any identifier, else by title."""
    named = {pair for one in works for pair in one.identifiers.items()}
    found = work[PaperStore].find(named) if named else {}
    by_name = work[PaperStore].load(set(found.values())) if found else {}
    looked_up = 0
    papers: list[tuple[GivenWork, Paper | None]] = []
    for one in works:
        ids = (found[pair] for pair in one.identifiers.items() if pair in found)
        paper = next((by_name[id_] for id_ in ids if id_ in by_name), None)
        if paper is None and one.title and looked_up < MOST_LOOKED_UP:
            looked_up += 1
            paper = find_paper_by_title(work, one.title)
        papers.append((one, paper))
    return papers


def _recognize(one: GivenWork, paper: Paper | None, seeds: set[str]) -> UnderstoodWork | None:
    """Return what would be stored for a work; None if it has neither a usable title nor an
    identifier."""
    if paper is not None:
        seed = canonical(paper.identifiers)
        return UnderstoodWork(seed=seed, title=paper.title, paper=paper.id, already=seed in seeds)
    title = one.words.lstrip("-– ")
    if title.isprintable() and any(char.isalnum() for char in title):
        seed = interest(InterestKind.SEED, title).value
        return UnderstoodWork(seed=seed, title=title, already=seed in seeds)
    kind = next((kind for kind in _NAMING if kind in one.identifiers), None)
    if kind is None:
        return None
    seed = f"{kind}:{one.identifiers[kind]}"
    return UnderstoodWork(seed=seed, title=seed, is_identifier=True, already=seed in seeds)


def keep_seeds(
    context: SignupContext, token: str, seeds: Sequence[str], *, now: datetime
) -> int | None:
    """Store these papers as interests of the holder of a recently mailed link; return how many were
    new, None for any other link.

    Raises InvalidInput (code `seed`) for an invalid one, and (code `interests`) if they exceed the
    limit.
    """
    wanted = validate_interests([Interest(InterestKind.SEED, one) for one in seeds])

    def keep(work: Transaction, reader: TokenHolder) -> int:
        return add_all(work, reader.person.id, wanted, now=now)

    return run_as_reader(context, token, keep, now=now)


def add_all(
    work: Transaction, person: SubscriberId, more: Sequence[Interest], *, now: datetime
) -> int:
    """Add these interests to a reader's; return how many were new. Raises InvalidInput (code
    `interests`), and adds none, if they exceed the limit."""
    known = interests_of(work, person)
    new = [one for one in dict.fromkeys(more) if one not in known]
    room = MOST_INTERESTS - len(known)
    if len(new) > room:
        raise invalid(
            "interests",
            "%(some)s are chosen and there is room for %(all)s: leave some out, or take "
            "lines out of your choices first",
            some=len(new),
            all=room,
        )
    if new:
        work[SubscriberStore].set_interests(person, (*known, *new), now=now)
    return len(new)


# Onboarding by ratings: a reader rates recent papers, at least five good and three bad, and chooses
# among the interests that suggests.

PAGE = 12
"""Papers per page: enough to find five good and three bad ones."""

MOST_PAGES = 5
LOOKED_BACK = timedelta(days=14)
_LOOKED_AT = 300
MOST_TOPICS = 10
MOST_AUTHORS = 8
MOST_CATEGORIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptJudgements:
    """How many ratings, and how many new interests, were stored."""

    papers: int
    interests: int


def papers_to_judge(
    context: SignupContext, token: str, *, page: int, now: datetime
) -> Judging | None:
    """Return recent papers of the reader's lists that differ from each other and that they have not
    rated; None if the link was not recently mailed."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        if reader is None:
            return None
        placed = _unrated(work, reader, now)
        papers = work[PaperStore].load(placed) if placed else {}
    known = [papers[one] for one in placed if one in papers and not papers[one].withdrawn]
    chosen = pick_diverse(known, most=PAGE * MOST_PAGES)
    page = min(max(page, 1), MOST_PAGES)
    shown = chosen[(page - 1) * PAGE : page * PAGE]
    return Judging(
        papers=tuple(placed[one.id].paper for one in shown if one.id in placed),
        page=page,
        more=len(chosen) > page * PAGE,
    )


def _unrated(work: Transaction, reader: TokenHolder, now: datetime) -> dict[PaperId, Placed]:
    """Return unrated papers of all of the reader's lists, best first."""
    since = (now - LOOKED_BACK).date()
    ratings = {paper for paper, _ in work[SubscriberStore].feedback_of(reader.person.id)}
    lists = [one.list_id for one in work[SubscriberStore].subscriptions_of(reader.person.id)]
    found = [
        placed
        for list_id in lists
        for placed in work[EditionStore].places(
            list_id, Order.RANKED, days=(since, None), limit=_LOOKED_AT
        )
    ]
    found.sort(key=lambda one: (-one.paper.score, one.paper.paper_id))
    each: dict[PaperId, Placed] = {}
    for one in found:
        if one.paper.paper_id not in ratings and not one.paper.withdrawn:
            each.setdefault(one.paper.paper_id, one)
    return each


def suggest(
    context: SignupContext,
    token: str,
    good: Collection[PaperId],
    bad: Collection[PaperId],
    *,
    now: datetime,
) -> Suggestions | None:
    """Return the interests that these ratings suggest, without storing them; None if the link was
    not recently mailed."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        if reader is None:
            return None
        others = [one for one in _unrated(work, reader, now) if one not in {*good, *bad}]
        papers = work[PaperStore].load({*good, *bad, *others})
    liked, disliked = _select(good, papers), _select(bad, papers)
    rest = _select(others, papers)
    return Suggestions(
        good=tuple(liked),
        bad=tuple(disliked),
        topics=_valid_interests(
            InterestKind.TOPIC, distinguishing_phrases(liked, disliked, rest, most=MOST_TOPICS)
        ),
        authors=_valid_interests(
            InterestKind.AUTHOR, distinguishing_authors(liked, disliked, most=MOST_AUTHORS)
        ),
        categories=_valid_interests(
            InterestKind.CATEGORY, common_categories(liked, disliked, most=MOST_CATEGORIES)
        ),
    )


def _select(ids: Collection[PaperId], papers: dict[PaperId, Paper]) -> list[Paper]:
    return [papers[one] for one in dict.fromkeys(ids) if one in papers][:_LOOKED_AT]


def _valid_interests(kind: InterestKind, values: Sequence[str]) -> tuple[Interest, ...]:
    """Return valid interests: an author's name from a feed may be too long for one."""
    found = []
    for value in values:
        with suppress(InvalidInput):
            found.append(interest(kind, value))
    return tuple(found)


def store_ratings(
    context: SignupContext,
    token: str,
    good: Sequence[PaperId],
    bad: Sequence[PaperId],
    interests: Sequence[Interest],
    *,
    now: datetime,
) -> KeptJudgements | None:
    """Store ratings as feedback, and these interests; None, and nothing stored, if the link was not
    recently mailed.

    Raises InvalidInput for an invalid interest, and if they exceed the limit.
    """
    wanted = validate_interests(interests)
    ratings = [*((one, "more") for one in good), *((one, "less") for one in bad)][:MOST_JUDGED]

    def keep(work: Transaction, reader: TokenHolder) -> KeptJudgements:
        new = add_all(work, reader.person.id, wanted, now=now)
        papers = work[PaperStore].load({one for one, _ in ratings}) if ratings else {}
        kept = [
            work[SubscriberStore].give_feedback(
                reader.person.id, papers[paper].id, verdict, now=now
            )
            for paper, verdict in ratings
            if paper in papers
        ]
        return KeptJudgements(papers=len(kept), interests=new)

    return run_as_reader(context, token, keep, now=now)
