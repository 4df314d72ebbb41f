"""The live check of services, held against services that answer here."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paperround.cli.feed_check import Checked, checks
from paperround.config import Settings
from paperround.domain.errors import FetchFailed
from paperround.domain.feeds import Alarm, AlarmKind, FeedHealth, NewFeed, Poll, Progress
from paperround.jobs.feed_admin import create_feed
from paperround.sources.shapes import shapes
from tests.builders import NOW
from tests.sources.arxiv_samples import item, rss
from tests.sources.biorxiv_samples import collection, row
from tests.web.admin import Staffed
from tests.web.conftest import HandClock, sql


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Staffed]:
    runtime = Staffed(Settings(data_dir=tmp_path), HandClock())
    yield runtime
    sql(runtime).dispose()


def live(home: Staffed, kind: str | None = None) -> dict[str, Checked]:
    return {one.name: one for one in checks(home, None, kind, live=True)}


@pytest.mark.accept("F09", part="check --live")
def test_without_feeds_every_service_is_asked_for_something_small(home: Staffed) -> None:
    home.service.says["biorxiv.org"] = collection(row())
    home.service.says["rss.arxiv.org"] = FetchFailed("rss.arxiv.org did not answer", status=503)
    found = live(home)
    assert found.keys() == {one.name for one in shapes()} - {"pubmed-search"}  # comes before them
    assert found["biorxiv"].trouble is None
    assert found["arxiv-rss"].trouble == "rss.arxiv.org did not answer"
    assert found["arxiv-rss"].papers is None
    assert home.service.asked[0].startswith("https://export.arxiv.org/api/query")


@pytest.mark.accept("F09", part="check")
def test_a_feed_with_a_standing_alarm_or_whose_source_is_gone_is_not_fine(home: Staffed) -> None:
    alarm = Alarm(kind=AlarmKind.SHRUNK, words="only 3 papers where 80 are usual", since=NOW)
    well = Poll(
        health=FeedHealth.FRESH,
        reason="3 new",
        progress=Progress(),
        failures=0,
        next_at=NOW,
        expects_at=None,
    )
    shrunk = replace(well, reason=f"3 new; {alarm.words}", progress=Progress(alarm=alarm))
    gone = replace(well, health=FeedHealth.FAILED, reason="status 410", gone_at=NOW)
    for name, poll in (("well", well), ("shrunk", shrunk), ("gone", gone)):
        feed = create_feed(home.newsroom, NewFeed(name=name, kind="hf-daily"), now=NOW)
        with home.database.writing() as work:
            work.feeds.record(feed.id, poll, lease=feed.lease)
    found = {one.name: one.trouble for one in checks(home, None, None, live=False)}
    assert found == {
        "well": None,
        "shrunk": "fresh: 3 new; only 3 papers where 80 are usual",
        "gone": "paused: status 410",
    }


def test_an_answer_of_another_form_that_is_read_all_the_same_is_told_and_no_trouble(
    home: Staffed,
) -> None:
    home.service.says["arxiv"] = rss(item())
    checked = live(home, "arxiv")["arxiv-rss"]
    assert (checked.trouble, checked.papers) == (None, 1)
    assert checked.differences == ("feed is missing", "rss is new")
