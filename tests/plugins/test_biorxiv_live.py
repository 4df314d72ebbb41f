"""bioRxiv and medRxiv, read by themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.feeds.model import FeedState, PollProgress
from paperround.http.model import FetchRequest
from paperround.papers.model import ParsedBatch
from paperround.plugins.biorxiv import Biorxiv
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped
from tests.plugins.biorxiv_samples import NOTHING, collection, row

SOURCE = Biorxiv()
BASE = "https://api.biorxiv.org/details"
BOTH: dict[str, Any] = {"server": "biorxiv,medrxiv"}


def parsed(body: bytes, cursor: str | None = None, status: int = 200, **named: str) -> ParsedBatch:
    return SOURCE.parse(page(SOURCE.plan(state(cursor, **named), NOW), body, status))


@pytest.mark.accept("F04", part="cursor")
def test_a_poll_asks_for_each_server_page_after_page() -> None:
    answers = [
        collection(*map(row, range(30)), total="50"),
        collection(*map(row, range(30, 50)), total="50"),
        collection(row(50), total=2),
        collection(row(51), total=2),
    ]
    cursor: str | None = None
    requests: list[FetchRequest] = []
    titles: list[str] = []
    for body in answers:
        requests.append(SOURCE.plan(state(cursor, **BOTH), NOW))
        batch = SOURCE.parse(page(requests[-1], body))
        titles += [record.title for record in batch.records]
        cursor = batch.next
    assert cursor is None
    assert titles == [f"Study {number}" for number in range(52)]
    paths = ("biorxiv", 0), ("biorxiv", 30), ("medrxiv", 0), ("medrxiv", 1)
    assert [one.url for one in requests] == [
        f"{BASE}/{server}/2026-01-25/2026-01-28/{start}/json" for server, start in paths
    ]
    assert {(one.limiter, one.interval_seconds) for one in requests} == {("biorxiv", 1.0)}


@pytest.mark.accept("F04", part="cursor")
def test_rejects_and_other_subjects_count_for_where_the_next_page_begins() -> None:
    body = collection(row(1), "no paper", row(2, category="zoology"), total=9)
    batch = parsed(body, categories="Zoology")
    assert [record.title for record in batch.records] == ["Study 2"]
    assert len(batch.rejects) == 1
    assert batch.next == stopped(SOURCE, {"categories": "Zoology"}, start=3)


@pytest.mark.accept("F04", part="cursor")
@pytest.mark.parametrize("body", [NOTHING, collection(total="148231")])
def test_an_empty_page_ends_a_server_whose_total_was_too_high(body: bytes) -> None:
    assert parsed(body, stopped(SOURCE, BOTH, start=60), **BOTH).next == (
        stopped(SOURCE, BOTH, index=1)
    )
    assert parsed(body, stopped(SOURCE, BOTH, index=1, start=60), **BOTH).next is None


@pytest.mark.accept("F04", part="cursor")
def test_without_a_total_pages_are_asked_for_until_one_is_empty() -> None:
    assert parsed(collection(row(), total="unknown")).next == stopped(SOURCE, {}, start=1)


@pytest.mark.accept("F04", part="errors")
def test_a_first_page_that_came_back_empty_though_papers_are_announced_is_a_failure() -> None:
    with pytest.raises(FetchFailed, match="biorxiv returned no papers though it announced 1,234"):
        parsed(collection(total="1234"))


def test_a_server_that_ignores_the_cursor_is_noticed() -> None:
    with pytest.raises(FetchFailed, match="there are more than 100,000 papers"):
        parsed(collection(row(), total=10**7), stopped(SOURCE, {}, start=99_999))


def test_nothing_is_asked_for_conditionally_because_every_page_leads_to_the_next() -> None:
    url = "http://127.0.0.1:9/x/medrxiv/2026-01-28/2026-01-28/0/json"
    feed = FeedState(
        url="http://127.0.0.1:9/x/",
        settings={"server": "medRxiv", "days": "0"},
        progress=PollProgress(validators={url: {"etag": '"x"'}}),
    )
    request = SOURCE.plan(feed, NOW)
    assert (request.url, request.headers) == (url, {})


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"server": "arxiv"}, "settings.server", "server cannot be"),
        ({"server": ""}, "settings.server", "server cannot be"),
        ({"server": "biorxiv;medrxiv"}, "settings.server", "server cannot be"),
        ({"categories": "cel biology"}, "settings.categories", "did you mean 'cell biology'"),
        ({"categories": "zoology,cs.AI"}, "settings.categories", "categories cannot be 'cs.ai'"),
        ({"categories": "zoology:1"}, "settings.categories", "did you mean 'zoology'"),
        ({"categories": "\ud800"}, "settings.categories", "it knows addiction"),
        ({"categories": "(all)"}, "settings.categories", "it knows addiction"),
        ({"days": "31"}, "settings.days", "0 to 30"),
        ({"days": "many"}, "settings.days", "0 to 30"),
        ({"subject": "x"}, "settings.subject", "it knows server, categories, days"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], code: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        SOURCE.check(None, settings)
    assert caught.value.code == code
    str(caught.value).encode()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"server": " MedRxiv, bioRxiv ", "days": "0"},
        {"categories": "Cell Biology, cell_biology,HIV/AIDS,public-and-global-health"},
        {"categories": " , "},
    ],
)
def test_right_settings_pass_and_lead_to_a_cursor_that_is_read_again(
    settings: dict[str, str],
) -> None:
    SOURCE.check("https://mirror.example.org/details", settings)
    first = SOURCE.plan(state(**settings), NOW)
    assert SOURCE.plan(state(first.cursor, **settings), NOW) == first
    assert SOURCE.parse(page(first, collection(row(), total=2))).next is not None


@pytest.mark.accept("F04", part="hostile")
@given(total=st.integers() | st.text() | st.floats() | st.none(), count=st.integers(0, 3))
def test_no_total_leads_backwards_or_breaks_anything(total: Any, count: int) -> None:
    body = collection(*map(row, range(count)), total=total if total is not None else [])
    try:
        following = parsed(body, stopped(SOURCE, {}, start=5)).next
    except FetchFailed:
        return
    assert following in (None, stopped(SOURCE, {}, start=5 + count))
