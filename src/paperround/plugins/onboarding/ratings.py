"""Onboarding by ratings: a reader rates recent papers, at least five good and three bad, and
chooses among the interests that suggests.

Suggestions are shown first, and stored once the reader confirms.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Transaction
from paperround.editions.model import EditionPaper, Order, Placed
from paperround.editions.store.editions import EditionStore
from paperround.papers.model import Paper, PaperId
from paperround.papers.phrases import (
    LEAST_PAPERS,
    MOST_CHECKED,
    MOST_PAPERS,
    find_phrases,
    without_contained,
)
from paperround.papers.stems import stems
from paperround.papers.store.papers import PaperStore
from paperround.papers.topics import folded, whole_words
from paperround.plugins.onboarding.library import add_all
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import TokenHolder, authorized_reader, run_as_reader
from paperround.subscribers.interests import Interest, InterestKind, interest, validate_interests
from paperround.subscribers.store.subscribers import SubscriberStore

GOOD, BAD = "good", "bad"
ENOUGH_GOOD, ENOUGH_BAD = 5, 3
PAGE = 12
"""Papers per page: enough to find five good and three bad ones."""

MOST_PAGES = 5
LOOKED_BACK = timedelta(days=14)
_LOOKED_AT = 300
MOST_TOPICS = 10
MOST_AUTHORS = 8
MOST_CATEGORIES = 4

MOST_RATINGS = 60
"""Ratings that are stored at a time."""

_CANDIDATES = 5
"""Candidates per paper chosen; the most different ones are chosen among them."""

_COST = 2.0
"""The penalty for equalling a chosen paper; 1 is the distance from the first to the last place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingPage:
    """A page of papers to rate; `page` counts from 1, `more` tells whether another page follows."""

    papers: tuple[EditionPaper, ...]
    page: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What the papers rated good have in common, as interests to choose from."""

    good: tuple[Paper, ...]
    bad: tuple[Paper, ...]
    topics: tuple[Interest, ...] = ()
    authors: tuple[Interest, ...] = ()
    categories: tuple[Interest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRatings:
    """How many ratings, and how many new interests, were stored."""

    papers: int
    interests: int


def pick_diverse(papers: Sequence[Paper], *, most: int) -> list[Paper]:
    """Return at most `most` papers that differ from each other, preferring earlier ones."""
    pool = list(papers[: most * _CANDIDATES])
    said = {one.id: frozenset(stems(f"{one.title} {' '.join(one.keywords)}")) for one in pool}
    nearest: dict[PaperId, float] = dict.fromkeys(said, 0.0)
    place = {one.id: number / max(1, len(pool)) for number, one in enumerate(pool)}
    chosen: list[Paper] = []
    while pool and len(chosen) < most:
        best = min(pool, key=lambda one: (place[one.id] + _COST * nearest[one.id], one.id))
        chosen.append(best)
        pool.remove(best)
        for one in pool:
            mine, theirs = said[one.id], said[best.id]
            alike = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
            nearest[one.id] = max(nearest[one.id], alike)
    return chosen


def common_categories(good: Sequence[Paper], bad: Sequence[Paper], *, most: int) -> tuple[str, ...]:
    """Return categories of at least two good papers that are rarer among the bad ones, most
    frequent first."""
    counts, against = (
        Counter(one for paper in papers for one in set(paper.categories)) for papers in (good, bad)
    )
    kept = [one for one, count in counts.items() if count >= 2 and count > against[one]]
    return tuple(sorted(kept, key=lambda one: (-counts[one], one))[:most])


def distinguishing_authors(
    good: Sequence[Paper], bad: Sequence[Paper], *, most: int
) -> tuple[str, ...]:
    """Return authors of good papers who wrote none of the bad ones: first those of several papers,
    then the first and last author of each."""
    unwanted = {name for paper in bad for name in paper.authors}
    counts = Counter(name for paper in good for name in dict.fromkeys(paper.authors))
    several = [name for name, count in counts.most_common() if count > 1]
    ends = (name for paper in good for name in (*paper.authors[:1], *paper.authors[-1:]))
    named = dict.fromkeys((*several, *ends))
    return tuple(name for name in named if name not in unwanted and name.strip())[:most]


def distinguishing_phrases(
    good: Sequence[Paper], bad: Sequence[Paper], others: Sequence[Paper], *, most: int
) -> tuple[str, ...]:
    """At most `most` phrases that distinguish `good` papers from `bad` ones and `others`, best
    first.

    Candidates are phrases of the good papers, and phrases of several others that a good paper
    contains. The score is (good papers - 2 * bad papers) ** 1.5, times the rarity among the others.
    A phrase of a single paper is dropped.
    """
    found = find_phrases([*good, *others[:MOST_PAPERS]])
    texts = {
        id(one): folded(" ".join((one.title, one.abstract, *one.keywords)))
        for one in (*good, *bad, *others)
    }

    def holding(key: str, papers: Iterable[Paper]) -> int:
        wanted = whole_words(folded(found.spelling(key)))
        return sum(wanted.search(texts[id(one)]) is not None for one in papers)

    of_good = [key for key, where in found.papers.items() if min(where) < len(good)]
    often = [key for key, where in found.papers.items() if len(where) >= LEAST_PAPERS]
    often.sort(key=lambda key: (-len(found.papers[key]), key))
    scores: dict[str, float] = {}
    for key in list(dict.fromkeys((*of_good, *often)))[:MOST_CHECKED]:
        liked = holding(key, good) - 2 * holding(key, bad)
        elsewhere = holding(key, others) if liked > 0 else 0
        if liked > 0 and liked + elsewhere > 1:
            rarity = log((len(others) + 2) / (elsewhere + 1))
            scores[key] = liked**1.5 * rarity
    best = sorted(scores, key=lambda key: (-scores[key], key))
    return tuple(found.spelling(key) for key in without_contained(best, found.papers))[:most]


def papers_to_rate(context: SignupContext, token: str, *, page: int, now: datetime) -> RatingPage:
    """Return recent papers of the reader's lists that differ from each other and that they have not
    rated. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        placed = _unrated(work, reader, now)
        papers = work[PaperStore].load(placed) if placed else {}
    known = [papers[one] for one in placed if one in papers and not papers[one].withdrawn]
    chosen = pick_diverse(known, most=PAGE * MOST_PAGES)
    page = min(max(page, 1), MOST_PAGES)
    shown = chosen[(page - 1) * PAGE : page * PAGE]
    return RatingPage(
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
) -> Suggestions:
    """Return the interests that these ratings suggest, without storing them. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
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
) -> StoredRatings:
    """Store ratings as feedback, and these interests.

    Raises LinkExpired, and InvalidInput for an invalid interest, and if they exceed the limit.
    """
    wanted = validate_interests(interests)
    ratings = [*((one, "more") for one in good), *((one, "less") for one in bad)][:MOST_RATINGS]

    def keep(work: Transaction, reader: TokenHolder) -> StoredRatings:
        new = add_all(work, reader.person.id, wanted, now=now)
        papers = work[PaperStore].load({one for one, _ in ratings}) if ratings else {}
        kept = [
            work[SubscriberStore].give_feedback(
                reader.person.id, papers[paper].id, verdict, now=now
            )
            for paper, verdict in ratings
            if paper in papers
        ]
        return StoredRatings(papers=len(kept), interests=new)

    return run_as_reader(context, token, keep, now=now)
