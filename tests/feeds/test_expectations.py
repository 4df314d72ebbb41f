"""When a next batch is due."""

from datetime import UTC, datetime

import pytest

from paperround.feeds.sources.arxiv import Arxiv
from paperround.feeds.sources.hugging_face import HfDaily
from paperround.plugins.arxiv_oai import ArxivOai
from paperround.plugins.biorxiv import Biorxiv


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.accept("F08", part="expectations")
@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-01-27T12:00", "2026-01-28T05:30"),  # Tuesday, winter time
        ("2026-07-14T12:00", "2026-07-15T04:30"),  # Tuesday, summer time
        ("2026-01-28T01:29", "2026-01-28T05:30"),
        ("2026-01-28T05:30", "2026-01-29T05:30"),
        ("2026-01-30T12:00", "2026-02-02T05:30"),  # Friday: nothing until Monday
        ("2026-03-06T12:00", "2026-03-09T04:30"),  # clocks go forward on the Sunday between
        ("2026-10-30T12:00", "2026-11-02T05:30"),  # and back
        ("2026-11-26T12:00", "2026-11-30T05:30"),  # Thanksgiving evening has no announcement
        ("2026-12-29T12:00", "2026-12-31T05:30"),
    ],
)
def test_arxiv_is_due_half_past_midnight_eastern(after: str, due: str) -> None:
    assert Arxiv().expects(utc(after)) == utc(due)


@pytest.mark.accept("F08", part="holidays")
@pytest.mark.parametrize(
    ("now", "rests"),
    [
        ("2026-01-19T12:00", False),  # the day itself still shows Sunday evening's batch
        ("2026-01-20T12:00", True),
        ("2026-01-21T04:59", True),  # not yet midnight in the East
        ("2026-01-21T05:00", False),
        ("2026-01-24T12:00", True),
        ("2026-01-26T04:00", True),  # still Sunday in the East
        ("2026-01-26T06:00", False),
    ],
)
def test_arxiv_rests_after_an_evening_without_announcement(now: str, rests: bool) -> None:
    assert Arxiv().holiday(utc(now)) is rests


@pytest.mark.accept("F08", part="expectations")
@pytest.mark.parametrize("source", [Arxiv(), ArxivOai()])
def test_a_batch_of_arxiv_that_comes_early_is_that_batch(source: Arxiv | ArxivOai) -> None:
    for early in ("2026-01-28T03:30", "2026-01-28T05:10", "2026-01-28T05:30"):  # 22:30, 00:10
        assert source.expects(utc(early)) == utc("2026-01-29T05:30")
    assert source.expects(utc("2026-01-28T01:00")) == utc("2026-01-28T05:30")  # 20:00, a late one


@pytest.mark.accept("F08", part="expectations")
def test_daily_papers_are_due_on_working_days_at_eight() -> None:
    source = HfDaily()
    assert source.expects(utc("2026-01-27T23:59")) == utc("2026-01-28T08:00")
    # on a slow day all papers may be listed before eight
    assert source.expects(utc("2026-01-28T00:10")) == utc("2026-01-29T08:00")
    assert source.expects(utc("2026-01-30T08:00")) == utc("2026-02-02T08:00")
    assert source.holiday(utc("2026-01-31T00:00"))
    assert not source.holiday(utc("2026-02-02T00:00"))


@pytest.mark.accept("F08", part="expectations")
@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-01-27T15:00", "2026-01-29T01:00"),  # Tuesday: the end of Wednesday in New York
        ("2026-01-28T03:00", "2026-01-29T01:00"),  # still Tuesday in New York
        ("2026-07-14T15:00", "2026-07-16T00:00"),  # summer time
        ("2026-01-30T15:00", "2026-02-03T01:00"),  # Friday: the end of Monday
        ("2026-01-31T15:00", "2026-02-03T01:00"),  # a paper of Saturday asks for none of Sunday
    ],
)
def test_biorxiv_is_due_after_a_whole_working_day(after: str, due: str) -> None:
    assert Biorxiv().expects(utc(after)) == utc(due)


@pytest.mark.accept("F08", part="holidays")
def test_biorxiv_owes_nothing_at_weekends() -> None:
    assert Biorxiv().holiday(utc("2026-01-31T12:00"))
    assert Biorxiv().holiday(utc("2026-02-02T04:59"))  # still Sunday in New York
    assert not Biorxiv().holiday(utc("2026-02-02T05:00"))
