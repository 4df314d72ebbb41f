"""PubMed and Semantic Scholar through a newsroom: what their answers do to papers."""

from datetime import timedelta

import pytest

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.db.transactions import SqlDatabase
from paperround.editions.lists import Window
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.preview import preview_feed
from paperround.papers.model import Observation, Paper
from paperround.papers.store.papers import PaperStore
from tests.feeds.feed_context import NOW, Room
from tests.plugins.pubmed_samples import EXPIRED, article, articles, found
from tests.plugins.semantic_scholar_samples import bulk, paper

PUBMED = NewFeed(name="pubmed", kind="pubmed", settings={"query": "asthma"})
SCHOLAR = NewFeed(name="s2", kind="semantic-scholar", settings={"query": "asthma"})
DOI = '<ArticleId IdType="doi">10.1234/study.1</ArticleId>'


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def known(room: Room, kind: str, value: str) -> Paper:
    with room.database.reading() as work:
        [found_] = (
            work[PaperStore].load(set(work[PaperStore].find([(kind, value)]).values())).values()
        )
    return found_


@pytest.mark.accept("F05", part="pubmed")
def test_what_a_search_finds_is_stored_and_found_again_it_is_nothing_new(room: Room) -> None:
    room.answers["esearch.fcgi"] = found("2")
    room.answers["efetch.fcgi"] = articles(article("1"), article("2", title="Quite another"))
    feed = room.add(PUBMED)
    [first] = room.poll()
    assert (first.new, first.health) == (2, FeedHealth.FRESH)
    again = room.poll_next(feed)
    assert (again.new, again.unchanged, again.error) == (0, 2, None)


@pytest.mark.accept("F07", part="pubmed withdrawals")
def test_a_deleted_article_withdraws_its_paper_and_leaves_its_texts(room: Room) -> None:
    room.answers["esearch.fcgi"] = found("1")
    room.answers["efetch.fcgi"] = articles(article("7"))
    feed = room.add(PUBMED)
    room.poll()
    before = known(room, "pmid", "7")
    deleted = "<DeleteCitation><PMID>7</PMID><PMID>8</PMID></DeleteCitation>"
    room.answers["efetch.fcgi"] = articles(deleted)
    room.poll_next(feed)
    after = known(room, "pmid", "7")
    assert (before.withdrawn, after.withdrawn, room.papers) == (False, True, 1)
    assert (after.title, after.abstract) == (before.title, before.abstract)


@pytest.mark.accept("F05", part="pubmed restarts")
def test_a_list_that_pubmed_keeps_no_more_is_searched_for_again(room: Room) -> None:
    room.answers["esearch.fcgi"] = found("1")
    room.answers["efetch.fcgi"] = EXPIRED
    feed = room.add(PUBMED)
    [failed] = room.poll()
    assert (failed.health, failed.papers_total) == (FeedHealth.FAILED, 0)
    assert "Unable to obtain query" in (failed.error or "")
    room.clock.moment += timedelta(hours=6)
    room.answers["efetch.fcgi"] = articles(article())
    assert room.poll_next(feed).new == 1
    asked = [path.partition("?")[0] for path in room.services.paths]
    assert asked == ["esearch.fcgi", "efetch.fcgi"] * 2


@pytest.mark.accept("F09", part="preview of a search")
def test_a_preview_shows_what_the_search_found_and_stores_nothing(room: Room) -> None:
    room.answers["esearch.fcgi"] = found("42249")
    room.answers["efetch.fcgi"] = articles(article("1"))
    shown = preview_feed(room.feed_context, PUBMED, now=NOW)
    assert [one.record.identifiers for one in shown.papers] == [{"pmid": "1"}]
    assert [one.reason for one in shown.rejects] == ["too-many-found"]
    assert room.papers == 0


@pytest.mark.accept("F05", part="semantic-scholar citations")
def test_citations_become_observations_of_a_paper_that_pubmed_brought(room: Room) -> None:
    room.answers["esearch.fcgi"] = found("1")
    room.answers["efetch.fcgi"] = articles(article("1", ids=DOI))
    room.answers["search/bulk"] = bulk(paper(1, externalIds={"DOI": "10.1234/study.1"}))
    room.add(PUBMED)
    feed = room.add(SCHOLAR)
    assert {report.observations for report in room.poll()} == {0, 2}
    assert room.papers == 1
    assert known(room, "doi", "10.1234/study.1").identifiers["pmid"] == "1"
    more = paper(1, externalIds={"DOI": "10.1234/study.1"}, citationCount=9)
    room.answers["search/bulk"] = bulk(more)
    assert room.poll_next(feed).observations == 2
    counts = observed(room, known(room, "doi", "10.1234/study.1"))
    assert [one.value for one in counts if one.signal == "citations"] == [4, 9]


def observed(room: Room, of: Paper) -> list[Observation]:
    at = room.clock.now()
    with room.database.reading() as work:
        default = work[ListStore].default()
        assert default is not None
        candidates = work[CandidateStore].candidates(default, Window(NOW - timedelta(days=30), at))
    [seen] = [one.observations for one in candidates if one.paper.id == of.id]
    return sorted(seen, key=lambda one: one.captured_at)


@pytest.mark.accept("F05", part="semantic-scholar key")
def test_the_key_that_is_set_is_the_one_that_is_sent(room: Room) -> None:
    settings = Settings(semantic_scholar_key="k3y")
    source = AppContext(settings=settings, clock=room.clock).sources["semantic-scholar"]
    feed = room.feed(room.add(SCHOLAR))
    assert source.plan(feed.state, NOW).headers == {"x-api-key": "k3y"}
