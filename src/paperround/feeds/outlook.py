"""Derive from the state of feeds whether an edition must wait, and what readers are told.

    feeds ─► may this cut be frozen? ─► why is there nothing? ─► the digest's footer

Pure functions. `health` decides the state of a single feed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from paperround.core.reasons import freeze
from paperround.core.times import format_instant
from paperround.feeds.health import GRACE, LOST_AFTER
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.papers.model import FeedId

FIRST_READ = timedelta(minutes=10)
"""How long an edition waits for a newly added feed when other feeds brought papers."""


def awaited(feeds: Sequence[LiveFeed], cut_at: datetime, *, now: datetime) -> bool:
    """Return whether a cut should wait for a feed that is due, being read, never read, or expects a
    batch at or before the cut.

    Feeds that are switched off, on holiday, stale, or failing for long are ignored: a batch that is
    three hours late may be a day late.
    """
    return any(_is_awaited(feed, cut_at, now) for feed in feeds if feed.enabled)


def _is_awaited(feed: LiveFeed, cut_at: datetime, now: datetime) -> bool:
    if feed.failures >= LOST_AFTER:
        return False
    is_due = feed.next_at is not None and feed.next_at <= now
    if is_due or feed.health is FeedHealth.NEW or feed.progress.cursor is not None:
        return True
    if feed.health in {FeedHealth.STALE, FeedHealth.HOLIDAY, FeedHealth.PAUSED}:
        return False
    return feed.expects_at is not None and feed.expects_at <= cut_at


def never_read(feeds: Sequence[LiveFeed], *, papers_known: bool, now: datetime) -> bool:
    """Return whether a new feed is unread; for `FIRST_READ` at most if the edition has papers."""
    return any(
        feed.enabled
        and feed.health is FeedHealth.NEW
        and (not papers_known or now < feed.created_at + FIRST_READ)
        for feed in feeds
    )


def quiet_reason(feeds: Sequence[LiveFeed], *, now: datetime) -> str | None:
    """Return why no papers arrive: `holiday` when every feed is on holiday, `feed-failed` or
    `feed-stale` when one of them fails or is stale; None when all feeds work.

    A failed poll shortly after a good one does not count. A feed that is gone for good counts until
    an operator changes it.
    """
    running = [feed for feed in feeds if feed.enabled]
    for feed in running:
        is_long_ago = feed.last_good_at is None or now - feed.last_good_at > GRACE
        is_out = is_long_ago or feed.failures >= LOST_AFTER
        if feed.health is FeedHealth.FAILED and is_out:
            return "feed-failed"
    if any(feed.gone_at for feed in feeds):
        return "feed-failed"
    healths = {feed.health for feed in running}
    if FeedHealth.STALE in healths:
        return "feed-stale"
    return "holiday" if healths == {FeedHealth.HOLIDAY} else None


def feed_summaries(feeds: Sequence[LiveFeed], brought: Mapping[FeedId, int]) -> tuple[str, ...]:
    """Return the frozen state of each feed that is enabled or gone.

    `brought` counts the papers a feed listed for the first time since the previous edition.
    """
    shown = (feed for feed in feeds if feed.enabled or feed.gone_at is not None)
    return tuple(_line(feed, brought.get(feed.id, 0)) for feed in shown)


def _line(feed: LiveFeed, brought: int) -> str:
    """Return the number of new papers, and the trouble if there is any."""
    trouble = "gone" if feed.gone_at is not None else _TROUBLES.get(feed.health)
    news = {"new": brought} if brought else {}
    if trouble is None:
        code = "new" if brought else _QUIET.get(feed.health, "nothing")
        return freeze(f"source.{code}", name=feed.name, **news)
    if brought:
        return freeze("source.new_now", name=feed.name, trouble=trouble, **news)
    if feed.last_news_at is None:
        return freeze("source.nothing_yet", name=feed.name, trouble=trouble)
    since = format_instant(feed.last_news_at)
    return freeze("source.nothing_since", name=feed.name, trouble=trouble, moment=since)


_TROUBLES = {FeedHealth.STALE: "stale", FeedHealth.FAILED: "failed"}
_QUIET = {FeedHealth.NEW: "unread", FeedHealth.EMPTY: "empty", FeedHealth.HOLIDAY: "holiday"}
