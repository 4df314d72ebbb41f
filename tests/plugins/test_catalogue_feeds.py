"""Feeds of OpenAlex and Crossref over days: pages, citations, retractions, one paper of both."""

from datetime import timedelta

import pytest

from paperround.core.errors import FetchFailed
from paperround.db.transactions import SqlDatabase
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.http.model import FetchRequest
from paperround.papers.model import Paper
from paperround.papers.store.papers import PaperStore
from tests.feeds.feed_context import HOUR, Reply, Room
from tests.plugins.catalogue_samples import (
    crossref_list,
    crossref_work,
    openalex_list,
    openalex_work,
)

OPENALEX = NewFeed(name="oa", kind="openalex", settings={"filter": "primary_topic.field.id:17"})
CROSSREF = NewFeed(name="cr", kind="crossref", settings={"filter": "issn:1476-4687"})
AT_OPENALEX, AT_CROSSREF = "//api.openalex.org/", "//api.crossref.org/"


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def paper(room: Room, doi: str) -> Paper:
    with room.database.reading() as work:
        found = work[PaperStore].find({("doi", doi)})
        (one,) = work[PaperStore].load(set(found.values())).values()
        return one


def openalex_pages(request: FetchRequest) -> Reply:
    """Two pages, the first full."""
    if "cursor=*" in request.url:
        return Reply(openalex_list(*map(openalex_work, range(100)), next_cursor="second"))
    return Reply(openalex_list(openalex_work(100), count=101))


@pytest.mark.accept("F05", part="openalex poll")
def test_every_page_is_read_and_read_again_without_a_change(room: Room) -> None:
    feed = room.add(OPENALEX)
    room.answers[AT_OPENALEX] = openalex_pages
    (report,) = room.poll()
    assert (report.new, report.error, report.health) == (101, None, FeedHealth.FRESH)
    assert report.observations == 101
    assert room.feed(feed).progress.cursor is None
    (again,) = room.poll(12 * HOUR)
    assert (again.unchanged, again.new, again.changed, again.observations) == (101, 0, 0, 101)


@pytest.mark.accept("F05", part="crossref retractions")
def test_a_notice_of_a_retraction_flags_the_paper_and_is_none_itself(room: Room) -> None:
    room.add(CROSSREF)
    room.answers[AT_CROSSREF] = crossref_list(crossref_work(1), crossref_work(2))
    room.poll()
    updates = [{"DOI": f"10.1000/{name}", "type": "retraction"} for name in ("WORK.1", "unknown")]
    notice = crossref_work(3, title=["Retraction of work 1"], **{"update-to": updates})
    room.answers[AT_CROSSREF] = crossref_list(notice)
    (report,) = room.poll(6 * HOUR)
    assert (report.new, report.papers_total, report.error) == (0, 2, None)
    assert paper(room, "10.1000/work.1").withdrawn
    assert paper(room, "10.1000/work.1").title == "Work 1"
    assert not paper(room, "10.1000/work.2").withdrawn


@pytest.mark.accept("F07", part="catalogues")
def test_what_both_list_is_one_paper(room: Room) -> None:
    room.add(OPENALEX)
    room.add(CROSSREF)
    copies = [{"landing_page_url": "https://arxiv.org/abs/2601.00001v1"}]
    room.answers[AT_OPENALEX] = openalex_list(openalex_work(1, locations=copies))
    room.answers[AT_CROSSREF] = crossref_list(crossref_work(1))
    reports = room.poll()
    assert sorted(report.new for report in reports) == [0, 1]
    known = dict(paper(room, "10.1000/work.1").identifiers)
    known.pop("title_key")
    assert known == {"doi": "10.1000/work.1", "arxiv": "2601.00001", "pmid": "4001"}


@pytest.mark.accept("F05", part="catalogues politeness")
@pytest.mark.parametrize(("feed", "at"), [(OPENALEX, AT_OPENALEX), (CROSSREF, AT_CROSSREF)])
def test_a_service_that_is_asked_too_much_is_left_alone_as_long_as_it_says(
    room: Room, feed: NewFeed, at: str
) -> None:
    first = room.add(feed)
    room.answers[at] = FetchFailed("asked too much (status 429)", status=429, retry_after=7200)
    room.poll()
    due = room.feed(first).next_at
    assert due is not None
    assert due >= room.clock.now() + timedelta(hours=2)
    asked = len(room.services.asked)
    room.add(NewFeed(name="another", kind=feed.kind, settings=feed.settings))
    room.poll(HOUR)
    assert len(room.services.asked) == asked
