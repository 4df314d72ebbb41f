"""A trial merges and ranks as an installation does, and keeps nothing."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paperround.core.errors import FetchFailed
from paperround.editions.model import Ranking
from paperround.evaluate.playground import (
    Fetched,
    PaperSet,
    candidates_of,
    digest_view,
    fetch,
)
from paperround.feeds.model import NewFeed
from paperround.feeds.sources.registry import SOURCES
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import Count, ParsedBatch, Record
from tests.digests.messages import sender_identity
from tests.fakes import NewestFirst
from tests.sample_database import NOW, record

HF = NewFeed(name="hf", kind="hf-daily", settings={"days": "1"})
ARXIV = NewFeed(name="arxiv", kind="arxiv", settings={"categories": "cs.LG"})


def reading(*records: Record, at: datetime = NOW) -> PaperSet:
    return PaperSet(batch=ParsedBatch(records=records), captured_at=at)


def ranked(*records: Record) -> Ranking:
    candidates = candidates_of([reading(*records)], now=NOW)
    return NewestFirst().rank(candidates, background=(), as_of=NOW, submitter_cap=0)


# --- papers ------------------------------------------------------------------------------------


def test_a_paper_that_two_places_list_is_one_paper_with_the_counts_of_both() -> None:
    one = record(1, counts=(Count(signal="upvotes", value=3),))
    again = record(1, counts=(Count(signal="upvotes", value=8),), abstract="")
    later = NOW + timedelta(hours=1)
    [found] = candidates_of([reading(one), reading(again, at=later)], now=later)
    assert found.paper.abstract == "We present paper 1."
    assert [(seen.value, seen.captured_at) for seen in found.observations] == [(3, NOW), (8, later)]


def test_a_title_with_an_author_and_a_year_is_enough_to_be_the_same_paper() -> None:
    named = {"title": "On kites", "authors": ("Ada Ring",), "published_at": NOW}
    one = record(1, **named)
    other = record(2, **named, identifiers={"doi": "10.1000/kites"})
    [found] = candidates_of([reading(one, other)], now=NOW)
    assert {"arxiv", "doi"} <= set(found.paper.identifiers)


def test_old_papers_count_too_because_somebody_gave_exactly_these() -> None:
    old = record(1, listed_on=(NOW - timedelta(days=900)).date())
    assert len(ranked(old).items) == 1


# --- the digest --------------------------------------------------------------------------------


def test_a_paper_that_is_nowhere_on_the_web_has_no_link_that_leads_nowhere() -> None:
    ranking = ranked(record(1, identifiers={"local": "samples:1"}))
    view = digest_view(ranking, title="Kites", limit=3, sender_identity=sender_identity(), now=NOW)
    assert [paper.page_url for paper in view.papers] == [""]


# --- live --------------------------------------------------------------------------------------


@dataclass
class Web:
    """Answers by address; what is not there fails."""

    says: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request.url)
        body = next((said for part, said in self.says.items() if part in request.url), None)
        if body is None:
            raise FetchFailed("the network is down")
        return Page(
            request=request, url=request.url, status=200, headers={}, body=body, fetched_at=NOW
        )


def day_of_papers(number: int) -> bytes:
    paper = {"id": f"2601.{number:05}", "title": f"Paper {number}", "summary": "Kites fly."}
    return json.dumps([{"paper": paper, "title": paper["title"]}]).encode()


def read(web: Web, *feeds: NewFeed, pauses: list[float] | None = None) -> Fetched:
    pause = (pauses if pauses is not None else []).append
    return fetch(feeds, client=web, sources=SOURCES, now=NOW, pause=pause)


def test_every_page_of_a_feed_is_read_with_the_pause_its_service_wants() -> None:
    pauses: list[float] = []
    web = Web({"date=2026-01-30": day_of_papers(1), "date=2026-01-29": day_of_papers(2)})
    fetched = read(web, HF, pauses=pauses)
    assert len(candidates_of(fetched.readings, now=NOW)) == 2
    assert pauses == [1.0]
    assert fetched.failed == {}


def test_a_feed_that_fails_is_named_and_the_other_is_read() -> None:
    web = Web({"date=": day_of_papers(1)})
    fetched = read(web, ARXIV, HF)
    assert fetched.failed == {"arxiv": "the network is down"}
    assert len(fetched.readings) == 2
