"""Alert about feeds that bring no papers, once for each cause.

feeds ─► failing or stale ─► grouped by cause ─► one alert: the cause and its feeds
     └─► gone for good, unusual ─► one alert each
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from paperround.core.times import format_instant
from paperround.delivery.system_mail_model import Alert
from paperround.feeds.health import LOST_AFTER, failure_cause
from paperround.feeds.model import Alarm, FeedHealth, LiveFeed

MOST_NAMED = 5
"""Feeds that an alert names; it counts the others."""

_HOW = {FeedHealth.FAILED: "failing", FeedHealth.STALE: "stale"}


def feed_alerts(feeds: Sequence[LiveFeed]) -> list[Alert]:
    """Return the alerts about `feeds`. A new episode is a new alert."""
    # The feeds of each cause. A feed that just failed counts once another one has failed for long
    # for the same cause.
    causes: dict[str, list[LiveFeed]] = {}
    for feed in feeds:
        if feed.health in _HOW:
            causes.setdefault(failure_cause(feed), []).append(feed)
    found = [
        _shared(cause, affected)
        for cause, affected in causes.items()
        if any(one.health is FeedHealth.STALE or one.failures >= LOST_AFTER for one in affected)
    ]
    for feed in feeds:
        if feed.gone_at is not None:
            found.append(_gone(feed, feed.gone_at))
        if feed.enabled and feed.progress.alarm is not None:
            found.append(_unusual(feed, feed.progress.alarm))
    return found


def _shared(cause: str, affected: Sequence[LiveFeed]) -> Alert:
    first, state = affected[0], _HOW[affected[0].health]
    named = ", ".join(feed.name for feed in affected[:MOST_NAMED])
    more = f" and {len(affected) - MOST_NAMED:,} more" if len(affected) > MOST_NAMED else ""
    many = len(affected) > 1
    episodes = []
    for feed in affected:  # each began when the feed was last well
        since = feed.last_news_at if feed.health is FeedHealth.STALE else feed.last_good_at
        episodes.append(f"feed/{feed.id}/{state}/{format_instant(since or feed.created_at)}")
    last_papers = "It has not brought any papers yet."
    if first.last_news_at is not None:
        last_papers = f"It last brought new papers at {format_instant(first.last_news_at)}."
    return Alert(
        key=f"feeds/{state}/{hashlib.sha256(cause.encode()).hexdigest()[:16]}",
        subject=f"{len(affected):,} feeds are {state} for one reason"
        if many
        else f"The feed {first.name} is {state}",
        lines=(
            first.reason,
            f"They are {named}{more}." if many else last_papers,
            "Digests go out with what the other feeds bring.",
        ),
        episodes=tuple(episodes),
    )


def _gone(feed: LiveFeed, since: datetime) -> Alert:
    """Alert about a feed that was switched off because its source reported it gone."""
    return Alert(
        key=f"feed/{feed.id}/gone/{format_instant(since)}",
        subject=f"The feed {feed.name} is gone for good, and switched off",
        lines=(
            feed.reason,
            f"Point it elsewhere (`paperround feeds edit {feed.name} --url ...`), or remove it.",
            "Digests go out with what the other feeds bring.",
        ),
    )


def _unusual(feed: LiveFeed, alarm: Alarm) -> Alert:
    """Alert about a feed that brings far less, far more, or something else than before."""
    return Alert(
        key=f"feed/{feed.id}/{alarm.kind.value}/{format_instant(alarm.since)}",
        subject=f"The feed {feed.name} has {alarm.kind.value}",
        lines=(
            f"It brought {alarm.words}.",
            "If the source changed for good, this is the new usual after six batches.",
            "`paperround feeds list` shows the feed, its runs show the papers.",
        ),
    )
