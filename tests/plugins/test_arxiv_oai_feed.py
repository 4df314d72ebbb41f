"""arXiv's OAI-PMH through a newsroom: what its records and deletions do to papers."""

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.papers.model import Paper
from paperround.papers.store.papers import PaperStore
from tests.feeds.feed_context import Room
from tests.plugins.arxiv_oai_samples import FULL, error, listed, record

OAI = NewFeed(name="oai", kind="arxiv-oai", settings={"sets": "cs"})
DELETED = ' status="deleted"'


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def paper(room: Room) -> Paper:
    with room.database.reading() as work:
        known = work[PaperStore].find([("arxiv", "2601.00001")])
        [found] = work[PaperStore].load(set(known.values())).values()
    return found


@pytest.mark.accept("F03", part="OAI-PMH deletions")
def test_a_deleted_record_withdraws_its_paper_and_leaves_its_texts(room: Room) -> None:
    room.answers["/oai?"] = listed(record())
    feed = room.add(OAI)
    assert [(one.new, one.health) for one in room.poll()] == [(1, FeedHealth.FRESH)]
    before = paper(room)
    room.answers["/oai?"] = listed(record("", status=DELETED))
    room.poll_next(feed)
    after = paper(room)
    assert (before.withdrawn, after.withdrawn) == (False, True)
    assert (after.title, after.abstract) == (before.title, before.abstract)


def test_a_deleted_record_of_an_unknown_paper_makes_none(room: Room) -> None:
    room.answers["/oai?"] = listed(record("", status=DELETED))
    room.add(OAI)
    room.poll()
    assert room.papers == 0


def test_pages_are_followed_to_the_end_and_nothing_changed_is_no_error(room: Room) -> None:
    room.answers["resumptionToken=more"] = listed(record(arxiv="2601.00001"))
    told = FULL.replace("2601.00001", "2601.00002").replace("10.1234/AB", "10.1234/CD")
    told = told.replace("A Study", "Quite another thing")
    other = record(told, arxiv="2601.00002")
    room.answers["/oai?"] = listed(other, token="<resumptionToken>more</resumptionToken>")
    feed = room.add(OAI)
    assert room.poll()[0].new == 2
    del room.answers["resumptionToken=more"]
    room.answers["/oai?"] = error("noRecordsMatch")
    assert room.poll_next(feed).error is None
