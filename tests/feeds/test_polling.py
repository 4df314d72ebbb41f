"""The days a poll asks for, whatever its source is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.model import FeedState
from paperround.feeds.sources.base import oldest_day
from paperround.feeds.sources.registry import SOURCES
from paperround.plugins.catalogues import PageCursor, is_cut_off
from paperround.plugins.crossref import Crossref
from tests.feeds.arxiv_samples import state

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
SETTINGS = {
    "arxiv": {"categories": "cs.AI", "via": "api"},
    "arxiv-oai": {"sets": "cs", "days": "3"},
    "crossref": {"query": "x"},
    "openalex": {"search": "x", "days": "3"},
    "pubmed": {"query": "x"},
    "semantic-scholar": {"query": "x", "days": "3"},
}


def good_at(moment: datetime | None) -> FeedState:
    return replace(state(), good_at=moment)


@pytest.mark.accept("F08", part="outage")
@pytest.mark.parametrize("kind", sorted(set(SOURCES) - {"feed"}))
def test_after_an_outage_every_source_asks_for_the_days_that_were_missed(kind: str) -> None:
    standing = replace(state(**SETTINGS.get(kind, {})), good_at=NOW - 10 * DAY)  # 18 January
    cursor = SOURCES[kind].plan(standing, NOW).cursor
    wanted = '"left":13' if kind == "hf-daily" else '"since":"2026-01-15"'  # three days back
    assert wanted in cursor


@pytest.mark.parametrize(
    ("silent", "days", "since"),
    [
        (None, 3, date(2026, 1, 25)),
        (0, 3, date(2026, 1, 25)),
        (0, 0, TODAY),
        (1, 0, date(2026, 1, 26)),
        (1, 3, date(2026, 1, 24)),
        (10, 3, date(2026, 1, 15)),
        (30, 30, date(2025, 11, 29)),
        (400, 3, date(2025, 12, 26)),
        (-2, 3, date(2026, 1, 25)),  # a clock that was set back
    ],
)
def test_an_outage_moves_the_days_back_up_to_a_month(
    silent: int | None, days: int, since: date
) -> None:
    last = None if silent is None else NOW - silent * DAY
    assert oldest_day(good_at(last), NOW, days=days) == since
    feed = replace(good_at(last), settings={"days": str(days)})
    assert Crossref().first(feed, NOW) == PageCursor(since=since, until=TODAY)


@given(silent=st.integers(0, 30 * 24), before=st.integers(0, 30 * 24), days=st.integers(1, 30))
def test_a_poll_after_an_outage_asks_for_all_that_the_missed_polls_would_have(
    silent: int, before: int, days: int
) -> None:
    last = NOW - timedelta(hours=silent)
    missed = last + timedelta(hours=min(before, silent))
    asked = oldest_day(good_at(last), NOW, days=days)
    assert asked <= oldest_day(good_at(missed), missed, days=days)


@pytest.mark.parametrize(
    ("seen", "total", "cut"),
    [
        (0, 0, False),
        (0, 1, True),
        (0, None, False),
        (99, 100, False),
        (98, 100, True),
        (7, 3, False),
    ],
)
def test_a_list_is_cut_off_when_more_than_a_hundredth_is_missing(
    seen: int, total: int | None, cut: bool
) -> None:
    assert is_cut_off(seen, total) is cut
