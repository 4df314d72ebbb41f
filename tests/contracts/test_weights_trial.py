"""Other weights on the editions of the last days, on every database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from paperround.core.errors import InvalidInput, NotFound
from paperround.db.schema import tables as db
from paperround.db.transactions import Database
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, Edition, EditionState
from paperround.editions.store.editions import EditionStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.ranking.trial import TrialOutcome, WeightsTrial, try_weights
from paperround.ranking.weights import parse_weights
from tests.builders import (
    DAY,
    NOW,
    edition_paper,
    new_delivery,
    new_edition,
    observation,
    plan,
    seed_list,
    seed_papers,
    seed_subscribers,
)

A_DAY = timedelta(days=1)
VOTED = {"votes": 2.0, "recency": 0.5}
FRESH = {"votes": 1.0, "recency": 2.0}
"""The parts of a paper with votes, and of a fresh one, which ranks above it."""


@pytest.fixture
def trending(database: Database, engine: Engine) -> MailingList:
    """A list whose digests hold two papers."""
    mailing_list = seed_list(database)
    with engine.begin() as connection:
        connection.execute(update(db.lists).values(size=2))
    return replace(mailing_list, size=2)


def frozen(
    database: Database,
    mailing_list: MailingList,
    papers: Sequence[PaperId],
    parts: Sequence[Mapping[str, float]],
    *,
    days_ago: int = 0,
    cut: str = "0",
    ranker: str = "trending-3",
) -> Edition:
    """An edition of some days ago whose papers had these parts."""
    at = NOW - days_ago * A_DAY
    shown = tuple(
        replace(edition_paper(place, paper), parts=its)
        for place, (paper, its) in enumerate(zip(papers, parts, strict=True), start=1)
    )
    made = replace(
        new_edition(mailing_list, cut=cut, day=DAY - days_ago * A_DAY),
        as_of=at,
        cut_at=at,
        papers=shown,
        empty_reason=None,
        ranker=ranker,
    )
    with database.writing() as work:
        return work[EditionStore].freeze(made)


def tried(database: Database, weights: str = "recency=0.5", **asked: int) -> WeightsTrial:
    return try_weights(database, "trending", weights, now=NOW, **asked)


def names(trial: WeightsTrial) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which papers come in and drop out, and on how many days."""
    return (
        [(one.paper.paper_id, one.days) for one in trial.entered],
        [(one.paper.paper_id, one.days) for one in trial.left],
    )


def test_papers_that_come_in_and_drop_out_are_counted_over_the_days(
    database: Database, trending: MailingList
) -> None:
    one, two, three = papers = seed_papers(database, 3)
    for days_ago in (0, 1):
        frozen(database, trending, papers, (FRESH, FRESH, VOTED), days_ago=days_ago)
    frozen(database, trending, papers, (VOTED, VOTED, FRESH), days_ago=40)
    found = tried(database)
    assert [(day.day, day.same, day.size) for day in found.days] == [
        (DAY, 1, 2),
        (DAY - A_DAY, 1, 2),
    ]
    assert names(found) == ([(three, 2)], [(two, 2)])
    assert (found.same, found.deepest, found.size) == (1.0, 3, 2)
    assert tried(database, "recency=2").same == 2.0, "the usual weights change nothing"
    assert tried(database, days=1).same == 1.0
    assert one not in {paper for paper, _ in names(found)[0]}


def test_votes_are_those_of_a_week_later(database: Database, trending: MailingList) -> None:
    papers = seed_papers(database, 3)
    frozen(database, trending, papers, (FRESH, FRESH, VOTED), days_ago=10)
    frozen(database, trending, papers, (FRESH, FRESH, VOTED), days_ago=3)
    counts = {0: (10, 90), 1: (4, 4), 2: (40, 40)}
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        work[PaperStore].observe(
            feed.id,
            [
                (papers[place], observation(value, at=NOW - days * A_DAY))
                for place, (early, late) in counts.items()
                for value, days in ((early, 5), (late, 1))
            ],
        )
    assert tried(database).outcome == TrialOutcome(days=1, sent=7.0, tried=25.0)


def test_without_votes_there_is_no_outcome(database: Database, trending: MailingList) -> None:
    frozen(database, trending, seed_papers(database, 2), (FRESH, VOTED), days_ago=10)
    assert tried(database).outcome is None


def test_of_each_day_the_edition_that_most_readers_got_counts(
    database: Database, engine: Engine, trending: MailingList
) -> None:
    papers = seed_papers(database, 3)
    morning = frozen(database, trending, papers, (FRESH, FRESH, VOTED), cut="1")
    frozen(database, trending, papers, (FRESH, FRESH, VOTED), cut="3")
    assert tried(database).days[0].cut == "3", "nobody got any: the last one"
    [alice] = seed_subscribers(database, trending, ("alice",))
    plan(database, morning, [new_delivery(alice)])
    with engine.begin() as connection:
        connection.execute(update(db.deliveries).values(state=DeliveryState.SENT.value))
    assert tried(database).days[0].cut == "1"
    with engine.begin() as connection:
        connection.execute(update(db.editions).values(state=EditionState.CANCELLED.value))
    assert tried(database).days == []


def test_an_edition_with_other_constants_is_left_out_and_said_so(
    database: Database, trending: MailingList
) -> None:
    papers = seed_papers(database, 2)
    frozen(database, trending, papers, (FRESH, VOTED))
    shaped = f"trending-3({parse_weights('full_words=60').changes()})"
    frozen(database, trending, papers, (FRESH, VOTED), days_ago=1, ranker=shaped)
    found = tried(database)
    assert (len(found.days), found.incomparable) == (1, 1)


@pytest.mark.parametrize(
    ("weights", "days", "code"),
    [
        ("magic=1", 30, "weights"),
        ("settling_hours=2", 30, "weights"),
        ("votes=2", 0, "days"),
        ("votes=2", 91, "days"),
    ],
)
def test_what_cannot_be_tried_is_refused(
    database: Database, trending: MailingList, weights: str, days: int, code: str
) -> None:
    del trending
    with pytest.raises(InvalidInput) as refused:
        tried(database, weights, days=days)
    assert refused.value.code == code


def test_an_unknown_list_is_named(database: Database) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        try_weights(database, "nowhere", "votes=2", now=NOW)
