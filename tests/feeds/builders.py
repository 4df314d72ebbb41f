"""A live feed with good defaults. A test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from paperround.feeds.health import batch_digest
from paperround.feeds.model import FeedHealth, LiveFeed, PollProgress
from paperround.papers.model import FeedId

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BATCH = batch_digest([f"arxiv:2611.{n:05}" for n in range(80)])
EMPTY = batch_digest([])


def feed(health: FeedHealth = FeedHealth.FRESH, **changes: object) -> LiveFeed:
    """A feed whose last batch came yesterday at 05:10 and whose next is expected tomorrow."""
    standing = LiveFeed(
        id=FeedId(1),
        name="arxiv-ml",
        kind="arxiv",
        url=None,
        settings={},
        show=None,
        enabled=True,
        health=health,
        reason="34 new",
        progress=PollProgress(batch=BATCH),
        failures=0,
        next_at=NOW + HOUR,
        expects_at=NOW + 21 * HOUR,
        last_good_at=NOW - HOUR,
        last_news_at=datetime(2026, 11, 24, 5, 10, tzinfo=UTC),
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(standing, **changes)  # type: ignore[arg-type]
