"""Enriching papers: what is asked, what becomes of the answers, and what keeps it polite."""

import json
from datetime import timedelta

import pytest

from paperround.core.errors import FetchFailed
from paperround.core.rates import Rate
from paperround.db.limits import Limiter, RateStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.system_mail_model import Alert
from paperround.editions.lists import Window
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.enrich import MOST_REFUSALS, REST, enrich
from paperround.feeds.fetcher import SHORTEST_BREAK
from paperround.feeds.health import LOST_AFTER
from paperround.feeds.model import FeedHealth, LiveFeed, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest
from paperround.ops.alerts import current_alerts
from paperround.papers.enrichment import Enricher
from paperround.papers.model import Paper
from paperround.papers.store.enrichment import EnrichmentStore
from paperround.papers.store.papers import PaperStore
from paperround.plugins.enrichers import CrossrefNews, Github, HuggingFace, OpenAlexNews
from tests.feeds.feed_context import HF, HOUR, MINUTE, NOW, Reply, Room
from tests.sample_database import fill, record

DAY = timedelta(days=1)
CODE = {"code": "https://github.com/ring/things"}
BOTH = (HuggingFace(), Github())


class Frugal(HuggingFace):
    """A service that is asked twice a day."""

    budget: tuple[Rate, ...] = (Rate(2, DAY),)


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def asked_of(room: Room, *services: Enricher) -> list[FetchRequest]:
    """Let the services enrich, and return what they were asked."""
    before = len(room.services.asked)
    enrich(room.feed_context, services or BOTH, now=room.clock.moment)
    return room.services.asked[before:]


def answer(number: int, **more: object) -> bytes:
    """What Hugging Face says of the paper `number`, in the words of its API."""
    said = {
        "id": f"2601.{number:05}",
        "title": f"Paper {number} there",
        "summary": "There.",
        "authors": [{"name": "Ada Ring"}],
        "upvotes": 12,
        "githubRepo": CODE["code"],
        "githubStars": 34,
    }
    return json.dumps(said | more).encode()


def stars(count: int) -> bytes:
    return json.dumps({"full_name": "ring/things", "stargazers_count": count}).encode()


def code_of(number: int) -> dict[str, str]:
    return {"code": f"https://github.com/ring/r{number}"}


def counted(room: Room, key: str) -> int:
    with room.database.reading() as work:
        return work[RateStore].count(key, DAY, now=room.clock.moment)


def spend(room: Room, key: str, times: int) -> None:
    with room.database.writing() as work:
        for _ in range(times):
            work[RateStore].hit(key, (), now=room.clock.moment)


def troubles_of(room: Room) -> list[Alert]:
    with room.database.reading() as work:
        return current_alerts(work, {}, now=room.clock.moment)


def feed_of(room: Room, name: str = "huggingface") -> LiveFeed:
    with room.database.reading() as work:
        feed = work[FeedStore].find(f"{name}-enricher")
    assert feed is not None
    return feed


def only_paper(room: Room) -> Paper:
    with room.database.reading() as work:
        found = work[PaperStore].load(
            list(work[PaperStore].find({("arxiv", "2601.00001")}).values())
        )
    return next(iter(found.values()))


def counts(room: Room) -> dict[str, list[int]]:
    with room.database.reading() as work:
        mailing_list = work[ListStore].default()
        assert mailing_list is not None
        window = Window(NOW - 30 * DAY, room.clock.moment)
        seen = work[CandidateStore].candidates(mailing_list, window)[0].observations
    found: dict[str, list[int]] = {}
    for one in seen:
        found.setdefault(one.signal, []).append(one.value)
    return found


@pytest.mark.accept("F05", part="enrichment")
def test_votes_stars_and_code_come_to_a_paper_that_is_here(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1)
    assert len(asked_of(room, HuggingFace())) == 1
    assert (feed_of(room).health, feed_of(room).reason) == ("fresh", "1 papers asked for")
    paper = only_paper(room)
    assert paper.links["code"] == CODE["code"]
    assert (paper.title, paper.abstract) == ("Paper 1", "We present paper 1.")
    assert counts(room) == {"upvotes": [12], "github_stars": [34]}


def test_a_paper_nobody_indexed_there_is_asked_for_again_a_day_later(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = FetchFailed("not found", status=404)
    asked_of(room, HuggingFace())
    assert feed_of(room).health is FeedHealth.FRESH
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment = NOW + DAY
    asked_of(room, HuggingFace())
    assert counts(room) == {"upvotes": [12], "github_stars": [34]}


def test_a_service_that_fails_rests_and_keeps_nobody(room: Room) -> None:
    fill(room.database, [record(1, links=CODE)], NOW)
    room.answers["papers/2601.00001"] = FetchFailed("huggingface.co answered 500", status=500)
    room.answers["repos/ring/things"] = stars(7)
    asked_of(room)
    assert feed_of(room).reason == "huggingface.co answered 500"
    assert feed_of(room, "github").health is FeedHealth.FRESH
    assert counts(room) == {"github_stars": [7]}
    room.clock.moment += REST - MINUTE
    assert asked_of(room, HuggingFace()) == []
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment += 2 * MINUTE
    asked_of(room, HuggingFace())
    assert counts(room)["upvotes"] == [12]


def test_nonsense_is_an_error_and_changes_nothing(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = b"<html>busy</html>"
    asked_of(room, HuggingFace())
    assert "no paper" in feed_of(room).reason
    room.answers["papers/2601.00001"] = answer(2)
    room.clock.moment += DAY
    assert len(asked_of(room, HuggingFace())) == 1
    assert counts(room) == {}


def test_a_budget_is_never_exceeded(room: Room) -> None:
    fill(room.database, [record(n, links=CODE) for n in range(1, 61)], NOW)
    room.answers["repos/ring/things"] = stars(7)
    per_hour = Github.budget[0].count
    for _ in range(58):
        asked_of(room, Github())
        room.clock.moment += MINUTE
    assert len(room.services.asked) == per_hour
    room.clock.moment += HOUR
    asked_of(room, Github())
    assert len(room.services.asked) == 60


def test_two_requests_to_a_service_are_apart(room: Room) -> None:
    fill(room.database, [record(n) for n in range(1, 5)], NOW)
    room.answers["api/papers"] = lambda request: Reply(answer(int(request.url[-5:])))
    asked_of(room, HuggingFace())
    assert room.clock.paused == [1.0, 1.0, 1.0]


def test_a_paper_without_what_a_service_asks_by_is_never_asked_for(room: Room) -> None:
    fill(room.database, [record(1, identifiers={"arxiv": "hep-th/9901001"}, links={})], NOW)
    assert asked_of(room) == []
    assert room.services.asked == []


def test_what_was_asked_is_kept_as_runs_of_the_service(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1)
    asked_of(room, HuggingFace())
    with room.database.reading() as work:
        feed = work[FeedStore].find("huggingface-enricher")
        assert feed is not None
        runs = work[FeedStore].runs(feed.id, before=None, limit=5)
    assert [(run.state, run.counts["observations"]) for run in runs] == [("done", 2)]


def test_withdrawal_there_withdraws_the_paper_here(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1, withdrawnAt="2026-01-28T00:00:00.000Z")
    asked_of(room, HuggingFace())
    assert only_paper(room).withdrawn
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment += DAY
    asked_of(room, HuggingFace())
    assert not only_paper(room).withdrawn


def test_nobody_is_asked_for_a_paper_that_others_withdrew(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    gone = record(1, title="", withdrawn=True, announces=False, fingerprint="gone")
    fill(room.database, [gone], NOW)
    assert asked_of(room, HuggingFace()) == []
    assert room.services.asked == []


@pytest.mark.parametrize("status", [400, 403, 410, 451])
def test_a_paper_that_a_service_refuses_keeps_no_other_from_it(room: Room, status: int) -> None:
    fill(room.database, [record(n, links=code_of(n)) for n in range(1, 6)], NOW)
    room.answers["repos/ring/r5"] = FetchFailed(f"answered {status}", status=status)
    room.answers["repos/ring"] = stars(7)
    asked_of(room, Github())
    feed = feed_of(room, "github")
    assert (feed.health, feed.reason) == ("fresh", "5 papers asked for")
    assert room.runs(feed.id)[0].counts["observations"] == 4
    with room.database.reading() as work:
        (refused,) = work[FeedStore].rejects(feed.id, before=None, limit=9)
    assert (refused.reason, refused.excerpt) == ("refused", "arxiv:2601.00005")
    room.clock.moment += HOUR
    assert asked_of(room, Github()) == []


def test_a_service_that_refuses_one_after_another_is_taken_to_refuse_us(room: Room) -> None:
    fill(room.database, [record(n, links=code_of(n)) for n in range(1, 9)], NOW)
    room.answers["repos/ring"] = FetchFailed("answered 403", status=403)
    assert len(asked_of(room, Github())) == MOST_REFUSALS
    assert feed_of(room, "github").reason == "answered 403"
    assert asked_of(room, Github()) == []


def test_a_paper_that_a_service_takes_ends_a_row_of_refusals(room: Room) -> None:
    fill(room.database, [record(n, links=code_of(n)) for n in range(1, 9)], NOW)
    for number in (1, 2, 4, 5, 7, 8):
        room.answers[f"repos/ring/r{number}"] = FetchFailed("answered 410", status=410)
    room.answers["repos/ring"] = stars(7)
    assert len(asked_of(room, Github())) == 8
    assert feed_of(room, "github").reason == "8 papers asked for"


def test_the_one_paper_of_a_batch_that_is_refused_is_found(room: Room) -> None:
    fill(room.database, [record(n, identifiers={"doi": f"10.5555/{n}"}) for n in range(1, 9)], NOW)

    def said(request: FetchRequest) -> Reply:
        if "10.5555/3" in request.url:
            raise FetchFailed("api.crossref.org answered 400", status=400)
        return Reply(b'{"status":"ok","message-type":"work-list","message":{"items":[]}}')

    room.answers["api.crossref.org"] = said
    assert len(asked_of(room, CrossrefNews())) == 7
    assert feed_of(room, "crossref").reason == "8 papers asked for"
    assert asked_of(room, CrossrefNews()) == []


def test_a_paper_that_a_service_always_fails_for_lets_others_go_first(room: Room) -> None:
    fill(room.database, [record(n) for n in range(1, 6)], NOW)
    room.answers["papers/2601.00005"] = FetchFailed("huggingface.co answered 500", status=500)
    room.answers["api/papers"] = lambda request: Reply(answer(int(request.url[-5:])))
    asked_of(room, HuggingFace())
    room.clock.moment += REST + MINUTE
    asked_of(room, HuggingFace())
    assert set(room.services.paths) == {f"2601.{n:05}" for n in range(1, 6)}


def test_the_halves_of_a_batch_that_failed_come_back_apart(room: Room) -> None:
    fill(room.database, [record(n, identifiers={"doi": f"10.5555/{n}"}) for n in range(1, 5)], NOW)
    room.answers["api.crossref.org"] = FetchFailed("api.crossref.org answered 500", status=500)
    for _ in range(2):
        asked_of(room, CrossrefNews())
        room.clock.moment += REST + timedelta(seconds=1)
    assert [request.url.count("10.5555") for request in room.services.asked] == [4, 2]


def test_a_budget_is_spent_on_requests_alone(room: Room) -> None:
    fill(room.database, [record(n, links=code_of(n)) for n in range(1, 60)], NOW)
    room.answers["repos/ring"] = stars(7)
    with room.database.writing() as work:
        work[Limiter].trip("github", until=NOW + 30 * MINUTE, now=NOW)
    for _ in range(32):
        asked_of(room, Github())
        room.clock.moment = NOW + MINUTE * ((room.clock.moment - NOW) // MINUTE + 1)
    assert room.services.asked
    assert counted(room, "enrich/github") == len(room.services.asked)


@pytest.mark.parametrize("status", [403, 500])
def test_a_pause_that_a_service_asks_for_is_kept_whatever_its_status(
    room: Room, status: int
) -> None:
    fill(room.database, [record(n, links=code_of(n)) for n in range(1, 4)], NOW)
    room.answers["repos/ring"] = FetchFailed("not now", status=status, retry_after=3600)
    for _ in range(4):
        asked_of(room, Github())
        room.clock.moment += 16 * MINUTE
    assert len(room.services.asked) == 1


def test_a_long_pause_that_an_enricher_is_told_is_not_that_of_the_feed(room: Room) -> None:
    feed = room.add(HF)
    fill(room.database, [record(1)], NOW)
    room.answers["daily_papers"] = b"[]"
    room.answers["api/papers"] = FetchFailed("answered 429", status=429, retry_after=86_400)
    asked_of(room, HuggingFace())
    assert [(one.put_off, one.id) for one in room.poll(MINUTE)] == [(True, feed)]
    assert [one.put_off for one in room.poll(SHORTEST_BREAK)] == [False]
    asked_of(room, HuggingFace())
    room.clock.moment = NOW + DAY - MINUTE
    asked_of(room, HuggingFace())
    assert [url for url in room.services.paths if url == "2601.00001"] == ["2601.00001"]
    room.clock.moment += 2 * MINUTE
    asked_of(room, HuggingFace())
    assert room.services.paths.count("2601.00001") == 2


def test_a_pause_that_a_feed_is_told_is_kept_by_the_enricher(room: Room) -> None:
    room.add(HF)
    fill(room.database, [record(1)], NOW)
    room.answers["daily_papers"] = FetchFailed("answered 429", status=429, retry_after=7200)
    room.poll()
    room.clock.moment += HOUR
    assert asked_of(room, HuggingFace()) == []


@pytest.mark.accept("F05", part="one budget")
def test_feeds_and_enrichers_of_one_service_share_what_it_grants(room: Room) -> None:
    settings = {"filter": "type:preprint"}
    feed = room.add(NewFeed(name="open", kind="openalex", settings=settings))
    fill(room.database, [record(1)], NOW)
    spend(room, "service/openalex", 99)
    room.answers["api.openalex.org"] = b'{"meta":{"count":0},"results":[]}'
    assert len(asked_of(room, OpenAlexNews())) == 1
    assert feed_of(room, "openalex").health is FeedHealth.FRESH
    (poll,) = room.poll()
    assert (poll.put_off, "budget of openalex" in poll.reason) == (True, True)
    assert len(room.services.asked) == 1
    room.clock.moment += DAY
    assert not room.poll_next(feed).put_off


def test_who_finds_nothing_left_of_what_a_service_grants_takes_no_papers_meanwhile(
    room: Room,
) -> None:
    fill(room.database, [record(1)], NOW)
    spend(room, "service/openalex", 100)
    assert asked_of(room, OpenAlexNews()) == []
    fill(room.database, [record(2)], NOW)
    room.clock.moment += DAY - MINUTE
    assert asked_of(room, OpenAlexNews()) == []
    room.answers["api.openalex.org"] = b'{"meta":{"count":0},"results":[]}'
    room.clock.moment += 2 * MINUTE
    assert len(asked_of(room, OpenAlexNews())) == 1
    assert feed_of(room, "openalex").reason == "2 papers asked for"


def test_a_service_that_fails_for_days_is_told_of(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["api/papers"] = FetchFailed("huggingface.co answered 500", status=500)
    seen = []
    for _ in range(5):
        asked_of(room, HuggingFace())
        seen += [troubles_of(room)]
        room.clock.moment += DAY
    assert [len(one) for one in seen] == [0, 0, 1, 1, 1]
    (alert,) = seen[-1]
    assert alert.subject == "The service huggingface does not answer"
    assert "huggingface.co answered 500." in alert.lines
    assert not alert.stops_mail
    assert [one.key for one in seen[-2]] == [alert.key]
    feed = feed_of(room)
    assert (feed.health, feed.failures, feed.reason) == (
        FeedHealth.FAILED,
        5,
        "huggingface.co answered 500",
    )
    room.answers["api/papers"] = answer(1)
    asked_of(room, HuggingFace())
    assert troubles_of(room) == []
    assert (feed_of(room).health, feed_of(room).failures) == (FeedHealth.FRESH, 0)


def test_a_service_that_fails_for_an_hour_is_no_trouble(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["api/papers"] = FetchFailed("huggingface.co answered 500", status=500)
    for _ in range(5):
        asked_of(room, HuggingFace())
        room.clock.moment += REST + MINUTE
    assert feed_of(room).failures > LOST_AFTER
    assert troubles_of(room) == []


def test_how_a_service_does_is_no_feeds_affair(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["api/papers"] = FetchFailed("huggingface.co answered 500", status=500)
    asked_of(room, HuggingFace())
    with room.database.reading() as work:
        assert polled_feeds(work) == []


def test_no_more_papers_are_taken_than_the_budget_lets_be_asked_for(room: Room) -> None:
    fill(room.database, [record(n) for n in range(1, 5)], NOW)
    room.answers["api/papers"] = lambda request: Reply(answer(int(request.url[-5:])))
    asked_of(room, Frugal())
    with room.database.writing() as work:
        left = work[EnrichmentStore].take_due(
            "huggingface", (), since=NOW - DAY, until=NOW, now=room.clock.moment, limit=9
        )
    assert len(left) == 2
