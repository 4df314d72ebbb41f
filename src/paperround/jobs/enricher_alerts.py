"""Services that papers are enriched from, and that answer nothing for long.

No digest waits for them, so an outage of some hours is nobody's trouble.
"""

from datetime import datetime, timedelta

from paperround.domain.enrichment import EnricherName, feed_name
from paperround.domain.feed_health import LOST_AFTER
from paperround.domain.feeds import LiveFeed
from paperround.domain.notices import Alert
from paperround.domain.times import format_instant
from paperround.store.unit_of_work import UnitOfWork

SILENT = timedelta(days=1)
"""How long a service must have answered nothing before that is worth an alert."""


def silent_enrichers(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """An alert for each of them. A new episode is a new alert."""
    found = ((name, work.feeds.find(feed_name(name))) for name in EnricherName)
    return [
        _alert(name, feed, _well(feed))
        for name, feed in found
        if feed is not None and feed.failures >= LOST_AFTER and now - _well(feed) > SILENT
    ]


def _well(feed: LiveFeed) -> datetime:
    return feed.last_good_at or feed.created_at


def _alert(name: str, feed: LiveFeed, well: datetime) -> Alert:
    since = format_instant(well)
    return Alert(
        key=f"enricher/{name}/{since}",
        subject=f"The service {name} answers nothing about papers",
        lines=(
            feed.reason,
            f"It has answered nothing since {since}; it is asked again every quarter of an hour.",
            "Digests go out without what it knows. PAPERROUND_ENRICH says who is asked.",
        ),
    )
