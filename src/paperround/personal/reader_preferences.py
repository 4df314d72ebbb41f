"""Load the preferences of readers in bulk, and the papers they gave."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from paperround.db.transactions import Transaction
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.matches import ReaderPreferences
from paperround.subscribers.choices import settled
from paperround.subscribers.interests import (
    MOST_INTERESTS,
    STATEMENTS,
    Interest,
    InterestKind,
    is_own,
    is_unlike,
    seed_identifier,
    seed_name,
)
from paperround.subscribers.model import SubscriberId, Subscription
from paperround.subscribers.readers import GivenPaper
from paperround.subscribers.store.subscribers import SubscriberStore


def load_preferences(
    work: Transaction,
    subscriptions: Sequence[Subscription],
    interests: Mapping[SubscriberId, tuple[Interest, ...]] | None = None,
) -> dict[SubscriberId, ReaderPreferences]:
    """The preferences of these readers, without those who have none. Pass `interests` to preview
    them instead of the stored ones."""
    if interests is None:
        interests = work[SubscriberStore].interests_of_all(
            [one.subscriber_id for one in subscriptions]
        )
    known = known_seeds(work, (one for each in interests.values() for one in each))
    preferences = dict[SubscriberId, ReaderPreferences]()
    for one in subscriptions:
        topics, own = one.preferences.topics, interests.get(one.subscriber_id, ())
        if not (topics or own):
            continue
        given = [each.value for each in own if each.kind is InterestKind.SEED]
        papers = [(known[value], is_unlike(value)) for value in given if value in known]
        preferences[one.subscriber_id] = ReaderPreferences(
            topics=topics,
            interests=own,
            seeds=tuple(paper for paper, unlike in papers if not unlike),
            unlike=tuple(paper for paper, unlike in papers if unlike),
            own=tuple(known[value] for value in given if value in known and is_own(value)),
        )
    return preferences


def known_seeds(work: Transaction, interests: Iterable[Interest]) -> dict[str, PaperId]:
    """The paper of each known seed, by its value."""
    seeds = {one.value for one in interests if one.kind is InterestKind.SEED}
    named = {value: named for value in seeds if (named := seed_identifier(value)) is not None}
    found = work[PaperStore].find(set(named.values())) if named else {}
    return {value: found[it] for value, it in named.items() if it in found}


def interests_of(work: Transaction, person: SubscriberId) -> tuple[Interest, ...]:
    """The interests of one subscriber."""
    return work[SubscriberStore].interests_of_all([person]).get(person, ())


def add_interests(
    work: Transaction, person: SubscriberId, more: Sequence[Interest], *, now: datetime
) -> tuple[Interest, ...]:
    """Add interests up to the limit; returns all interests of the subscriber. An existing statement
    stays as it is."""
    known = interests_of(work, person)
    if not more:
        return known
    stated = {one.kind for one in known if one.kind in STATEMENTS}
    new = [one for one in settled(work, more) if one.kind not in stated]
    both = tuple(dict.fromkeys((*known, *new)))[:MOST_INTERESTS]
    work[SubscriberStore].set_interests(person, both, now=now)
    return both


def papers_given(work: Transaction, interests: Sequence[Interest]) -> tuple[GivenPaper, ...]:
    """The papers among these interests, with the titles of known ones."""
    known = known_seeds(work, interests)
    papers = work[PaperStore].load(set(known.values())) if known else {}
    titles = {value: papers[paper].title for value, paper in known.items() if paper in papers}
    return tuple(
        GivenPaper(
            value=seed_name(one.value),
            title=titles.get(one.value),
            counts=not is_unlike(one.value) and seed_identifier(one.value) is None,
        )
        for one in interests
        if one.kind is InterestKind.SEED
    )
