"""A trial merges and ranks as an installation does, and keeps nothing."""

from datetime import timedelta
from pathlib import Path

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock
from paperround.core.errors import FetchFailed
from paperround.db.transactions import SqlDatabase
from paperround.digests.render.composer import MailRenderer
from paperround.feeds.due import create_feed, run_all_now
from paperround.feeds.model import NewFeed
from paperround.plugins.demo.trial import (
    digest_view,
    every_candidate,
    rank_for,
    temporary_installation,
)
from tests.digests.messages import sender_identity
from tests.feeds.feed_context import HF, Room
from tests.sample_database import NOW, fill, record

ARXIV = NewFeed(name="arxiv", kind="arxiv", settings={"categories": "cs.LG"})


def test_old_papers_count_too_because_somebody_gave_exactly_these(
    sqlite_database: SqlDatabase,
) -> None:
    fill(sqlite_database, [record(1, listed_on=(NOW - timedelta(days=900)).date())])
    candidates = every_candidate(sqlite_database, now=NOW)
    assert len(rank_for("paper", candidates, now=NOW).items) == 1


def test_a_paper_that_is_nowhere_on_the_web_has_no_link_that_leads_nowhere(
    sqlite_database: SqlDatabase,
) -> None:
    fill(sqlite_database, [record(1, identifiers={"local": "samples:1"})])
    ranking = rank_for("paper", every_candidate(sqlite_database, now=NOW), now=NOW)
    view = digest_view(ranking, title="Kites", limit=3, sender_identity=sender_identity(), now=NOW)
    assert [paper.page_url for paper in view.papers] == [""]


def test_a_digest_without_a_site_leads_to_none(sqlite_database: SqlDatabase) -> None:
    fill(sqlite_database, [record(1)])
    ranking = rank_for("paper", every_candidate(sqlite_database, now=NOW), now=NOW)
    sender = sender_identity()
    view = digest_view(ranking, title="Kites", limit=3, sender_identity=sender, now=NOW)
    rendered = MailRenderer(sender).render(view)
    for part in (rendered.text, rendered.html):
        assert sender.public_url not in part
        assert "Unsubscribe" not in part
        assert "there is no unsubscribe link" in " ".join(part.split())


def test_a_feed_that_fails_is_named_and_the_other_is_read(sqlite_database: SqlDatabase) -> None:
    room = Room(sqlite_database)
    room.answers["arxiv.org"] = FetchFailed("the network is down")
    room.answers["huggingface.co"] = (
        b'[{"paper": {"id": "2601.00001", "title": "Kites", "summary": "They fly."}}]'
    )
    now, context = room.clock.now(), room.feed_context
    feeds = [create_feed(context, one, now=now) for one in (ARXIV, HF)]
    failed = run_all_now(context, feeds, now=now)
    assert failed == {"arxiv": "the network is down"}
    assert room.papers == 1


def test_an_installation_for_a_trial_is_gone_afterwards(tmp_path: Path) -> None:
    context = AppContext(Settings(data_dir=tmp_path / "none"), FixedClock(NOW), creates=False)
    with temporary_installation(context) as temporary:
        fill(temporary.database, [record(1)])
        folder = temporary.settings.data_dir
        assert folder.is_dir()
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
