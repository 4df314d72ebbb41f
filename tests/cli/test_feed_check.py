"""The live check of services, held against services that answer here."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paperround.cli.feed_lists import checks
from paperround.config import Settings
from paperround.core.errors import FetchFailed
from paperround.feeds.due import create_feed
from paperround.feeds.model import Alarm, AlarmKind, FeedHealth, NewFeed, PollProgress
from paperround.feeds.store.feeds import FeedStore
from tests.builders import NOW
from tests.plugins.biorxiv_samples import collection, row
from tests.web.admin import Staffed
from tests.web.conftest import HandClock, sql


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Staffed]:
    runtime = Staffed(Settings(data_dir=tmp_path), HandClock())
    yield runtime
    sql(runtime).dispose()


@pytest.mark.accept("F09", part="check --live")
def test_every_service_is_asked_and_told_of_by_itself(home: Staffed) -> None:
    for name, kind in (("bio", "biorxiv"), ("arxiv", "arxiv")):
        settings = {"categories": "cs.AI"} if kind == "arxiv" else {}
        create_feed(home.feed_context, NewFeed(name=name, kind=kind, settings=settings), now=NOW)
    home.service.says["biorxiv.org"] = collection(row())
    home.service.says["rss.arxiv.org"] = FetchFailed("rss.arxiv.org did not answer", status=503)
    found = {one.name: one for one in checks(home, None, live=True)}
    assert (found["bio"].trouble, found["bio"].papers) == (None, 1)
    assert (found["arxiv"].trouble, found["arxiv"].papers) == ("rss.arxiv.org did not answer", None)


@pytest.mark.accept("F09", part="check")
def test_a_feed_with_a_standing_alarm_or_whose_source_is_gone_is_not_fine(home: Staffed) -> None:
    alarm = Alarm(kind=AlarmKind.SHRUNK, words="only 3 papers where 80 are usual", since=NOW)
    well: dict[str, Any] = {"health": FeedHealth.FRESH, "reason": "3 new"}
    alarmed = {"reason": f"3 new; {alarm.words}", "progress": PollProgress(alarm=alarm)}
    gone = {"health": FeedHealth.FAILED, "reason": "status 410"}
    for name, state in (("well", well), ("shrunk", well | alarmed), ("gone", gone)):
        feed = create_feed(home.feed_context, NewFeed(name=name, kind="hf-daily"), now=NOW)
        with home.database.writing() as work:
            gone_at = NOW if name == "gone" else None
            work[FeedStore].record_poll(replace(feed, **state), gone_at=gone_at)
    found = {one.name: one.trouble for one in checks(home, None, live=False)}
    assert found == {
        "well": None,
        "shrunk": "fresh: 3 new; only 3 papers where 80 are usual",
        "gone": "paused: status 410",
    }
