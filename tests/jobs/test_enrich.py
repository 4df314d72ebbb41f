"""Enriching papers: what is asked, what becomes of the answers, and what keeps it polite."""

import json
from datetime import timedelta

import pytest

from paperround.domain.errors import FetchFailed
from paperround.domain.lists import Window
from paperround.domain.papers import Paper
from paperround.jobs.enrich import REST, EnrichReport, enrich
from paperround.sources.enrich_github import Github
from paperround.sources.enrich_huggingface import HuggingFace
from paperround.store.unit_of_work import SqlDatabase
from tests.jobs.conftest import fill, record
from tests.jobs.newsroom import HOUR, MINUTE, NOW, Reply, Room

DAY = timedelta(days=1)
CODE = {"code": "https://github.com/ring/things"}
BOTH = (HuggingFace(), Github())


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def asked_of(room: Room, *services: HuggingFace | Github, requests: int = 20) -> list[EnrichReport]:
    return enrich(room.newsroom, services or BOTH, now=room.clock.moment, requests=requests)


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


def only_paper(room: Room) -> Paper:
    with room.database.reading() as work:
        found = work.papers.load(list(work.papers.find({("arxiv", "2601.00001")}).values()))
    return next(iter(found.values()))


def counts(room: Room) -> dict[str, list[int]]:
    with room.database.reading() as work:
        mailing_list = work.lists.default()
        assert mailing_list is not None
        window = Window(NOW - 30 * DAY, room.clock.moment)
        seen = work.papers.candidates(mailing_list, window)[0].observations
    found: dict[str, list[int]] = {}
    for one in seen:
        found.setdefault(one.signal, []).append(one.value)
    return found


@pytest.mark.accept("F05", part="enrichment")
def test_votes_stars_and_code_come_to_a_paper_that_is_here(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1)
    reports = asked_of(room, HuggingFace())
    assert [(one.papers, one.observations, one.error) for one in reports] == [(1, 2, None)]
    paper = only_paper(room)
    assert paper.links["code"] == CODE["code"]
    assert (paper.title, paper.abstract) == ("Paper 1", "We present paper 1.")
    assert counts(room) == {"upvotes": [12], "github_stars": [34]}


def test_a_text_that_differs_elsewhere_never_changes_a_paper(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    for day in range(3):
        room.answers["papers/2601.00001"] = answer(1, title=f"Title {day}", upvotes=day)
        room.clock.moment = NOW + day * DAY
        assert asked_of(room, HuggingFace())
    assert only_paper(room).title == "Paper 1"
    assert counts(room)["upvotes"] == [0, 1, 2]


def test_nothing_is_asked_when_it_is_nobodys_turn(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1)
    assert asked_of(room, HuggingFace())
    room.clock.moment += HOUR
    assert asked_of(room, HuggingFace()) == []
    assert len(room.services.asked) == 1


def test_a_paper_nobody_indexed_there_is_asked_for_again_a_day_later(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = FetchFailed("not found", status=404)
    assert [one.error for one in asked_of(room, HuggingFace())] == [None]
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment = NOW + DAY
    assert [one.observations for one in asked_of(room, HuggingFace())] == [2]


def test_a_service_that_fails_rests_and_keeps_nobody(room: Room) -> None:
    fill(room.database, [record(1, links=CODE)], NOW)
    room.answers["papers/2601.00001"] = FetchFailed("huggingface.co answered 500", status=500)
    room.answers["repos/ring/things"] = stars(7)
    failed, fine = asked_of(room)
    assert failed.error == "huggingface.co answered 500"
    assert (fine.error, fine.observations) == (None, 1)
    room.clock.moment += REST - MINUTE
    assert asked_of(room, HuggingFace()) == []
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment += 2 * MINUTE
    assert [one.observations for one in asked_of(room, HuggingFace())] == [2]


def test_nonsense_is_an_error_and_changes_nothing(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = b"<html>busy</html>"
    assert "no paper" in (asked_of(room, HuggingFace())[0].error or "")
    room.answers["papers/2601.00001"] = answer(2)
    room.clock.moment += DAY
    assert [one.observations for one in asked_of(room, HuggingFace())] == [0]
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


def test_a_service_that_is_asked_too_much_is_left_alone(room: Room) -> None:
    fill(room.database, [record(1), record(2)], NOW)
    room.answers["api/papers"] = FetchFailed("answered 429", status=429, retry_after=3600)
    asked_of(room, HuggingFace())
    room.clock.moment += 30 * MINUTE
    asked_of(room, HuggingFace())
    assert len(room.services.asked) == 1


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
        feed = work.feeds.find("huggingface-enricher")
        assert feed is not None
        runs = work.feeds.runs(feed.id, before=None, limit=5)
    assert [(run.state, run.counts["observations"]) for run in runs] == [("done", 2)]


def test_withdrawal_there_withdraws_the_paper_here(room: Room) -> None:
    fill(room.database, [record(1)], NOW)
    room.answers["papers/2601.00001"] = answer(1, withdrawnAt="2026-01-28T00:00:00.000Z")
    asked_of(room, HuggingFace())
    assert only_paper(room).withdrawn
    room.answers["papers/2601.00001"] = answer(1)
    room.clock.moment += DAY
    asked_of(room, HuggingFace())
    assert only_paper(room).withdrawn
