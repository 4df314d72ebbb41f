"""Topics to choose from, of the installation's own papers."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from paperround.db.transactions import Database, Transaction
from paperround.subscribers.choices import CACHED_FOR, NONE_CACHED_FOR, SuggestedTopics
from tests.builders import NOW
from tests.sample_database import fill, record

LATER = NONE_CACHED_FOR


@pytest.mark.accept("F31", part="suggested topics")
def test_topics_are_what_the_papers_here_are_about(database: Database) -> None:
    topics = SuggestedTopics(database)
    assert topics.now(now=NOW) == ()
    places = ("ice", "fire", "air")
    fill(database, [record(n, title=f"Protein folding in {p}") for n, p in enumerate(places)], NOW)
    assert topics.now(now=NOW + LATER) == ("protein folding",)


def test_topics_are_found_again_after_some_hours(database: Database) -> None:
    places = ("ice", "fire", "air")
    fill(database, [record(n, title=f"Protein folding in {p}") for n, p in enumerate(places)], NOW)
    topics = SuggestedTopics(database)
    before = topics.now(now=NOW)
    fill(
        database, [record(9 + n, title=f"Sensor fusion in {p}") for n, p in enumerate(places)], NOW
    )
    assert topics.now(now=NOW + LATER) == before
    assert "sensor fusion" in topics.now(now=NOW + CACHED_FOR)


class Counted:
    """A database that counts how often somebody reads."""

    def __init__(self, database: Database) -> None:
        self._database, self.times = database, 0

    def reading(self) -> AbstractContextManager[Transaction]:
        self.times += 1
        return self._database.reading()

    def writing(self) -> AbstractContextManager[Transaction]:
        return self._database.writing()


def test_that_there_are_none_is_kept_for_a_while(database: Database) -> None:
    counted = Counted(database)
    topics = SuggestedTopics(counted)
    for seconds in range(50):
        assert topics.now(now=NOW + timedelta(seconds=seconds)) == ()
    assert counted.times == 1
