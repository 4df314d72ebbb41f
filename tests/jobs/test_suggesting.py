"""Topics to choose from, of the installation's own papers."""

from datetime import timedelta

import pytest

from paperround.jobs.ports import Database
from paperround.jobs.suggesting import LASTING, SuggestedTopics
from tests.builders import NOW
from tests.jobs.conftest import fill, record

LATER = timedelta(minutes=1)


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
    assert "sensor fusion" in topics.now(now=NOW + LASTING)
