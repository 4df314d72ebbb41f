"""Polls of every source that is read page by page stop, go on, and begin anew."""

import json
from datetime import timedelta
from typing import Any

import pytest

from paperround.feeds.sources.base import Source
from paperround.feeds.sources.registry import SOURCES
from paperround.http.model import FetchRequest
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped

SETTINGS = {
    "arxiv": ({"categories": "cs.AI,hep-th", "via": "api"}, {"categories": "cs.AI"}),
    "arxiv-oai": ({"sets": "cs"}, {"sets": "math"}),
    "biorxiv": ({"server": "biorxiv,medrxiv"}, {"server": "medrxiv"}),
    "crossref": ({"query": "graphs"}, {"query": "trees"}),
    "hf-daily": ({}, {"days": "5"}),
    "openalex": ({"search": "graphs"}, {"search": "trees"}),
    "pubmed": ({"query": "asthma"}, {"query": "wheeze"}),
    "semantic-scholar": ({"query": "asthma"}, {"query": "wheeze"}),
}
LATER = NOW + timedelta(days=2)


@pytest.fixture(params=sorted(SETTINGS))
def source(request: pytest.FixtureRequest) -> Source[Any]:
    found = SOURCES[request.param]
    assert isinstance(found, Source)
    return found


def test_every_source_but_any_feed_is_read_page_by_page() -> None:
    assert set(SETTINGS) == set(SOURCES) - {"feed"}


def test_a_poll_that_stopped_keeps_the_days_it_began_with(source: Source[Any]) -> None:
    settings, _ = SETTINGS[source.kind]
    first = source.plan(state(**settings), NOW)
    again = source.plan(state(first.cursor, **settings), LATER)
    assert again == first
    assert source.plan(state(**settings), LATER).cursor != first.cursor


def test_a_poll_that_was_begun_with_other_settings_begins_anew(source: Source[Any]) -> None:
    settings, others = SETTINGS[source.kind]
    begun = source.plan(state(**others), NOW).cursor
    first = source.plan(state(**settings), LATER)
    assert source.plan(state(begun, **settings), LATER) == first


def test_what_is_no_cursor_begins_anew(source: Source[Any]) -> None:
    settings, _ = SETTINGS[source.kind]
    first = source.plan(state(**settings), NOW)
    fields = json.loads(first.cursor)
    wrong = [{**fields, name: ["wrong"]} for name in fields if name != "asked"]
    missing = [{name: it for name, it in fields.items() if name != gone} for gone in fields]
    broken = ("", "1", "0:0", "[]", "null", "{", "[" * 5000)
    cursors = [*broken, *map(json.dumps, [*wrong, *missing])]
    lists = ("categories", "include", "servers", "subjects", "sets", "fields")  # take any words
    cursors = [one for one in cursors if not any(f'"{name}": ["wrong"]' in one for name in lists)]
    for cursor in cursors:
        assert source.plan(state(cursor, **settings), NOW) == first, cursor


def test_a_cursor_of_another_source_is_a_mistake_of_ours(source: Source[Any]) -> None:
    request = FetchRequest(url="https://x.example", cursor="0:0")
    with pytest.raises(ValueError, match=f"is not a cursor of {source.kind}"):
        source.parse(page(request, b"{}"))


def test_a_date_of_a_cursor_must_be_one() -> None:
    source = SOURCES["pubmed"]
    assert isinstance(source, Source)
    cursor = stopped(source, {"query": "asthma"}, start=200).replace("2026-01-28", "2026-99-99")
    assert "start=" not in source.plan(state(cursor, query="asthma"), NOW).url
