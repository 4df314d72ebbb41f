"""Requests that cost much: few at a time, refused with a reason, and never in the way of others."""

import anyio
import pytest
from anyio.to_thread import current_default_thread_limiter
from starlette.types import Message, Scope

from paperround.config import Settings
from paperround.web.context import DIGEST_COST, MOST_PAGES, SEARCH_COST, CostlyTurns
from tests.web.conftest import Site, running

OWN, OTHERS = "unknown", ("192.0.2.1", "192.0.2.2")
SEARCHES = ("/search?q=kites", "/api/v1/search?q=kites", "/feeds/search/kites.atom")
PREVIEW = "/subscribe/preview"


@pytest.fixture
def hurried(site: Site) -> Site:
    """A site where nobody waits for a turn."""
    site.app.state.turns = CostlyTurns(max_wait=0)
    site.app.state.stranger_turns = CostlyTurns(1, max_wait=0)
    return site


@pytest.mark.accept("S16", part="turns", mutant="any-number-of-costly-requests-run-at-once")
def test_two_costly_requests_run_at_a_time_and_one_of_each_client() -> None:
    turns = CostlyTurns()
    assert [turns.acquire(one) for one in ("a", "a", "b", "c")] == [True, False, True, False]
    turns.release("a")
    assert [turns.acquire(one) for one in ("b", "c")] == [False, True]


@pytest.mark.accept("S16", part="turns", mutant="a-search-takes-no-turn")
@pytest.mark.parametrize(
    "path", [*SEARCHES, "/topics/kites", "/authors/Ada", "/feeds/topics/a.rss"]
)
def test_while_others_have_all_turns_a_search_is_to_be_tried_again(
    hurried: Site, path: str
) -> None:
    for other in OTHERS:
        assert hurried.app.state.turns.acquire(other)
    answer = hurried.client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "Please try again in a moment" in answer.text
    assert hurried.client.get("/editions").status_code == 200
    hurried.app.state.turns.release(OTHERS[0])
    assert hurried.client.get(path).status_code == 200


@pytest.mark.accept("S16", part="turns")
def test_previews_of_strangers_take_no_turn_of_a_search(hurried: Site) -> None:
    assert hurried.app.state.stranger_turns.acquire(OTHERS[0])
    assert not hurried.app.state.stranger_turns.acquire(OTHERS[1])
    assert hurried.client.post(PREVIEW).status_code == 503
    assert hurried.client.get(SEARCHES[0]).status_code == 200


@pytest.mark.accept("S16", part="turns")
def test_only_so_many_pages_are_rendered_at_a_time_and_cached_ones_need_no_turn(
    settings: Settings,
) -> None:
    with running(settings, cache_seconds=60) as site:
        turns = site.app.state.page_turns = CostlyTurns(MOST_PAGES, max_wait=0)
        assert site.client.get("/editions").status_code == 200
        assert all(turns.acquire(f"192.0.2.{one}") for one in range(MOST_PAGES))
        for path in ("/trending", "/", "/papers/1", "/editions/trending/2026-03-02"):
            answer = site.client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert site.client.get("/editions").status_code == 200
        assert site.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PREVIEW),
        ("GET", "/preferences/x/preview"),
        ("POST", "/preferences/x/preview"),
        ("POST", "/preferences/x/library"),
    ],
)
def test_somebody_whose_request_still_runs_is_told_so(
    hurried: Site, method: str, path: str
) -> None:
    name = "stranger_turns" if path == PREVIEW else "turns"
    getattr(hurried.app.state, name).acquire(OWN)
    answer = hurried.client.request(method, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert "our previous request is still running" in answer.text


def test_a_turn_ends_with_the_request_whatever_comes_of_it(hurried: Site) -> None:
    for status, fields in ((422, {"list": "none"}), (422, {"keyword": '"'}), (200, {})):
        assert hurried.client.post(PREVIEW, data=fields).status_code == status
    assert hurried.client.get("/feeds/search/-.atom").status_code == 422
    assert hurried.client.get(SEARCHES[0]).status_code == 200


@pytest.mark.accept("S16", part="turns", mutant="the-turn-lasts-until-the-answer-was-read")
def test_a_turn_is_over_before_the_answer_leaves(hurried: Site) -> None:
    turns, is_free = hurried.app.state.turns, []

    async def send(_: Message) -> None:
        is_free.append(turns.acquire(OWN))
        turns.release(OWN)

    async def ask() -> None:
        await hurried.app(asking_for("/api/v1/search"), receive, send)

    anyio.run(ask)
    assert is_free == [True, True]


@pytest.mark.accept("S16", part="cost", mutant="a-digest-costs-as-much-as-a-page")
@pytest.mark.parametrize(
    ("cost", "path"), [(SEARCH_COST, SEARCHES[1]), (DIGEST_COST, "/preferences/x/preview")]
)
def test_a_costly_request_counts_as_several(settings: Settings, cost: int, path: str) -> None:
    limits = settings.model_copy(update={"rate_search_ip": f"{2 * cost}/m"})
    with running(limits) as site:
        answers = [site.client.get(path) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert cost > 1


@pytest.mark.accept("S16", part="health", mutant="health-waits-for-a-thread")
def test_health_needs_no_thread_and_no_database(site: Site) -> None:
    said = []

    async def send(message: Message) -> None:
        said.append(message.get("status"))

    async def ask() -> None:
        threads = current_default_thread_limiter()
        for place in range(int(threads.total_tokens)):
            threads.acquire_on_behalf_of_nowait(place)
        with anyio.fail_after(5):
            await site.app(asking_for("/healthz"), receive, send)

    anyio.run(ask)
    assert said == [200, None]


async def receive() -> Message:
    return {"type": "http.request", "body": b""}


def asking_for(path: str) -> Scope:
    """A GET as the server hands it to the application."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": ("localhost", 80),
    }
