"""Learned models and the history they are learned from, on every database."""

import pytest

from paperround.core.errors import NotFound
from paperround.db.transactions import Database
from paperround.editions.store.history import HistoryStore
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import PaperId, Vote
from paperround.papers.store.papers import PaperStore
from paperround.ranking.models import ModelId, digest_of
from paperround.ranking.store import ModelStore
from tests.builders import DAY, HOUR, NOW, listing, observation, paper, seed_papers, write

BYTES = bytes(range(256)) * 300
"""Every byte, NUL included, and more than fits in a page of either database."""


def add(database: Database, *hours: int, name: str = "prior") -> list[ModelId]:
    """Store a model that was trained so many hours from NOW, for each of `hours`."""
    with database.writing() as work:
        return [
            work[ModelStore].add(name, "prior-1", BYTES, outcomes=700, now=NOW + one * HOUR)
            for one in hours
        ]


@pytest.mark.accept("F11", part="kept")
def test_a_model_comes_back_byte_for_byte(database: Database) -> None:
    (id_,) = add(database, 0)
    with database.reading() as work:
        kept = work[ModelStore].newest("prior", by=NOW)
        assert kept is not None
        assert work[ModelStore].content(kept.id) == BYTES
    assert (kept.id, kept.name, kept.version) == (id_, "prior", "prior-1")
    assert (kept.as_of, kept.fitted_at) == (NOW, NOW)
    assert (kept.outcomes, kept.size, kept.digest) == (700, len(BYTES), digest_of(BYTES))


@pytest.mark.accept("F11", part="never later")
def test_no_model_is_found_that_knows_more_than_may_be_known(database: Database) -> None:
    earlier, _ = add(database, -24, 0)
    with database.reading() as work:
        known = work[ModelStore].newest("prior", by=NOW - HOUR)
        assert known is not None
        assert known.id == earlier
        assert work[ModelStore].newest("prior", by=NOW - 25 * HOUR) is None


def test_of_models_that_know_as_much_the_last_made_counts(database: Database) -> None:
    ids = [*add(database, 0, -9, 0), *add(database, 0, name="other")]
    with database.reading() as work:
        newest = work[ModelStore].newest("prior", by=NOW)
    assert newest is not None
    assert newest.id == ids[2]


def test_the_last_made_are_kept_and_no_id_comes_again(database: Database) -> None:
    ids = [*add(database, 0, -1, -2, -3, -4), *add(database, 0, name="other")]
    with database.writing() as work:
        assert work[ModelStore].keep_last("prior", 2) == 3
        assert work[ModelStore].keep_last("prior", 2) == 0
    with database.reading() as work:
        assert [work[ModelStore].content(one) for one in (ids[3], ids[4], ids[5])] == [BYTES] * 3
        with pytest.raises(NotFound):
            work[ModelStore].content(ids[0])
    with database.writing() as work:
        work[ModelStore].keep_last("other", 0)
    assert add(database, 0)[0] > max(ids)


# --- history -----------------------------------------------------------------------------------


def test_papers_with_votes_are_found_newest_first(database: Database) -> None:
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        ages = {1: 5, 2: 30, 3: 1, 4: 9, 5: 7}
        papers = [
            paper(n, counts_from=NOW - hours * HOUR, withdrawn=n == 5) for n, hours in ages.items()
        ]
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
        ids = {n: real[PaperId(-n)] for n in ages}
        work[PaperStore].observe(feed.id, [(ids[n], observation(3)) for n in (1, 2, 3, 5)])
        work[PaperStore].observe(feed.id, [(ids[4], observation(3, signal="citations"))])
    with database.reading() as work:
        before = NOW - 2 * HOUR
        assert work[HistoryStore].voted(before=before, by=NOW, limit=9) == [ids[1], ids[2]]
        assert work[HistoryStore].voted(before=before, by=NOW, limit=1) == [ids[1]]
        assert work[HistoryStore].voted(before=before, by=NOW - HOUR, limit=9) == []


@pytest.mark.accept("F10", part="sources")
def test_votes_are_told_with_the_feed_and_its_day(database: Database) -> None:
    one, other = seed_papers(database, 2)
    with database.writing() as work:
        hf = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        lab = work[FeedStore].get_or_create("lab", "file", now=NOW)
        work[PaperStore].list_papers(lab.id, [listing(one, listed_on=None)], now=NOW)
        work[PaperStore].observe(
            hf.id, [(one, observation(3)), (one, observation(5, at=NOW + HOUR))]
        )
        work[PaperStore].observe(hf.id, [(one, observation(8, signal="comments"))])
        work[PaperStore].observe(lab.id, [(one, observation(4, at=NOW - HOUR))])
    with database.reading() as work:
        votes = work[HistoryStore].votes([one, other], by=NOW)
    assert set(votes) == {one}
    assert sorted(votes[one], key=lambda vote: vote.captured_at) == [
        Vote(feed=lab.id, listed_on=None, captured_at=NOW - HOUR, value=4),
        Vote(feed=hf.id, listed_on=DAY, captured_at=NOW, value=3),
    ]
