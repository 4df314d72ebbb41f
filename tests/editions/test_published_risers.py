"""Papers that came up since an edition of an earlier day, and say so."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.digests.publish import freeze_cuts, publish
from paperround.editions.model import Edition, EditionState
from paperround.editions.store.editions import EditionStore
from paperround.papers.model import Count
from paperround.ranking.trending import TrendingRanker
from paperround.self_service.preview import DigestPreviewer
from tests.builders import english
from tests.fakes import SENDER_IDENTITY, PlainRenderer
from tests.sample_database import IDENTITY, fill, record, subscribe

SIX = datetime(2026, 1, 29, 6, tzinfo=UTC)
"""A cut on a Thursday."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RISER = 15
ROSE = "Rose since yesterday: 99 votes, 94 new"

pytestmark = pytest.mark.accept("F14", part="risers")


def vote(database: SqlDatabase, votes: Mapping[int, int], at: datetime) -> None:
    """What a source says of these papers, an hour before the cut `at`."""
    records = [
        record(n, counts=(Count(signal="upvotes", value=value),), fingerprint=f"{n} {value}")
        for n, value in votes.items()
    ]
    fill(database, records, at - HOUR)


def freeze(database: SqlDatabase, at: datetime) -> Edition:
    (edition,) = freeze_cuts(database=database, ranker=TrendingRanker(), now=at)
    return edition


def told(edition: Edition) -> dict[str, str]:
    """The papers that say they rose."""
    said = {one.title: english(one.reason) for one in edition.papers}
    return {title: why for title, why in said.items() if "Rose" in why}


@pytest.fixture
def thursday(database: SqlDatabase) -> SqlDatabase:
    """Sixteen papers of which the fifteenth has the second fewest votes, and their edition."""
    vote(database, {n: 20 - n for n in range(1, 17)}, SIX)
    assert told(freeze(database, SIX)) == {}
    return database


def test_where_the_day_before_has_no_edition_the_day_of_the_newest_is_named(
    thursday: SqlDatabase,
) -> None:
    freeze(thursday, SIX + 12 * HOUR)
    vote(thursday, {RISER: 99}, SIX + 3 * DAY)
    sunday = freeze(thursday, SIX + 3 * DAY)
    assert told(sunday) == {"Paper 15": "Rose since Thursday: 99 votes, 94 new"}


@pytest.mark.parametrize("gone", ["cancelled", "empty"])
def test_an_edition_that_nobody_got_is_passed_over(database: SqlDatabase, gone: str) -> None:
    if gone == "empty":
        fill(database, [record(99)], SIX - 30 * DAY)
        assert freeze(database, SIX).papers == ()
        vote(database, {n: 20 - n for n in range(1, 17)}, SIX + 12 * HOUR)
    else:
        vote(database, {**{n: 20 - n for n in range(1, 15)}, RISER: 98, 16: 4}, SIX)
        cancelled = freeze(database, SIX)
        with database.writing() as work:
            work[EditionStore].set_state(cancelled.id, EditionState.CANCELLED)
        vote(database, {RISER: 5}, SIX + 12 * HOUR)
    freeze(database, SIX + 12 * HOUR)
    vote(database, {RISER: 99}, SIX + DAY)
    assert told(freeze(database, SIX + DAY)) == {"Paper 15": ROSE}


def test_what_is_sent_or_previewed_by_hand_says_it_too(thursday: SqlDatabase) -> None:
    subscribe(thursday, "ada")
    vote(thursday, {RISER: 99}, SIX + DAY)
    shown = DigestPreviewer(
        database=thursday,
        ranker=TrendingRanker(),
        identity=IDENTITY,
        sender_identity=SENDER_IDENTITY,
        renderer=PlainRenderer(),
    ).preview("trending", now=SIX + DAY)
    sent = publish(
        database=thursday,
        ranker=TrendingRanker(),
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=SIX + DAY,
    )
    assert told(shown.edition) == told(sent.edition) == {"Paper 15": ROSE}
    assert shown.mail is not None
    assert english(shown.mail.view.papers[0].reason) == ROSE


def test_a_paper_that_was_joined_since_is_the_one_that_stood_there(thursday: SqlDatabase) -> None:
    both = {"arxiv": "2601.00014", "doi": "10.5555/one"}
    few = (Count(signal="upvotes", value=1),)
    journal = record(77, identifiers={"doi": "10.5555/one"}, counts=few)
    fill(thursday, [journal], SIX + 11 * HOUR)
    frozen = freeze(thursday, SIX + 12 * HOUR)
    votes = (Count(signal="upvotes", value=99),)
    one = record(14, title="Paper 14", identifiers=both, counts=votes, fingerprint="joined")
    fill(thursday, [one], SIX + 35 * HOUR)
    with thursday.reading() as work:
        stood = work[EditionStore].get(frozen.id).papers
        assert [one.frozen_id is not None for one in stood].count(True) == 1
    found = told(freeze(thursday, SIX + 36 * HOUR))
    assert found == {"Paper 14": "Rose since yesterday: 99 votes, 93 new"}
