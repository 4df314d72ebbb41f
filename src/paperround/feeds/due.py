"""Poll feeds that are due or requested, and manage their settings.

A feed is leased to one poll at a time, for 15 minutes; each page renews the lease. The report of a
feed contains its errors.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from paperround.core.errors import InvalidInput
from paperround.core.interfaces import Advance, no_progress
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import LiveFeed, NewFeed
from paperround.feeds.poll import LEASE, PollReport, poll_feed, skipped_report
from paperround.feeds.sources.base import Source
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId

log = logging.getLogger(__name__)


def poll_due(
    context: FeedContext, *, now: datetime, told: Callable[[PollReport], None] = lambda _: None
) -> list[PollReport]:
    """Poll every feed that is due at `now`, one after another, and return the reports; `told` is
    called with each.

    Feeds are taken one by one, so that several processes share the work.
    """
    reports = []
    kinds = list(context.sources)

    def take(work: Transaction) -> LiveFeed | None:
        until = max(now, context.clock.now()) + LEASE
        return work[FeedStore].lease_due(kinds, context.processes, until=until, now=now)

    while (taken := write(context.database, take)) is not None:
        report = poll_feed(context, taken, now=max(now, context.clock.now()))
        told(report)
        reports.append(report)
    return reports


def log_poll(report: PollReport) -> None:
    """Log the health of a feed after a poll."""
    level = logging.INFO if report.error is None else logging.WARNING
    log.log(level, "the feed %s is %s: %s", report.feed, report.health.value, report.reason)


def run_now(context: FeedContext, feed_id: FeedId, *, now: datetime) -> PollReport:
    """Poll one feed at once, even when it is not due or switched off, unless it is being read.

    Raises NotFound, and InvalidInput for a feed without a source.
    """
    with context.database.reading() as work:
        feed = work[FeedStore].get(feed_id)
    if feed.kind not in context.sources:
        raise InvalidInput(
            f"the feed {feed.name} is of the kind {feed.kind}, which is not read by itself",
            code="kind",
        )
    until = max(now, context.clock.now()) + LEASE
    leased = write(
        context.database,
        lambda work: work[FeedStore].lease(feed.id, context.processes, until=until, now=now),
    )
    if leased is None:
        return skipped_report(feed, "it is being read already", feed.next_at or now)
    return poll_feed(context, leased, now=now)


def run_all_now(
    context: FeedContext,
    feeds: Iterable[LiveFeed],
    *,
    now: datetime,
    progress: Advance = no_progress,
) -> dict[str, str]:
    """Poll `feeds`, due or not; return why those that were not read to their end failed, by
    name."""
    failed: dict[str, str] = {}
    for feed in feeds:
        report = run_now(context, feed.id, now=now)
        if report.error or report.put_off:
            failed[feed.name] = report.error or report.reason
        progress(1)
    return failed


def feed_settings(feed: LiveFeed) -> NewFeed:
    """Return the settings an operator gave a feed."""
    return NewFeed(**{one.name: getattr(feed, one.name) for one in fields(NewFeed)})


def polled_feeds(work: Transaction) -> list[LiveFeed]:
    """Return every feed that is polled, leaving out files read by hand."""
    return [feed for feed in work[FeedStore].all() if feed.next_at is not None]


LONGEST_VALUE = 2000
"""Characters allowed in an address or the value of a setting."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def check_feed(sources: Mapping[str, Source[Any]], feed: NewFeed) -> None:
    """Raise InvalidInput, its code `name`, `kind`, `url`, or `settings.<name>`, if invalid."""
    if not _NAME.fullmatch(feed.name):
        raise InvalidInput(
            f"{feed.name!r:.80} cannot be a feed's name: use up to 60 letters, digits, "
            "dots, dashes and underscores, such as arxiv-ml",
            code="name",
        )
    if feed.kind not in sources:
        raise InvalidInput(
            f"there is no kind of feed called {feed.kind!r:.60}: use one of {', '.join(sources)}",
            code="kind",
        )
    settings = {f"settings.{key:.60}": value for key, value in feed.settings.items()}
    for code, text in {"url": feed.url or "", **settings}.items():
        if len(text) > LONGEST_VALUE:
            raise InvalidInput(
                f"{code} may have {LONGEST_VALUE:,} characters, not {len(text):,}", code=code
            )
    sources[feed.kind].check(feed.url, feed.settings)


def create_feed(context: FeedContext, feed: NewFeed, *, now: datetime) -> LiveFeed:
    """Store a new feed, due at once. Raises InvalidInput as `check_feed` does."""
    check_feed(context.sources, feed)
    return write(context.database, lambda work: work[FeedStore].create(feed, now=now))


def change_feed(
    context: FeedContext, feed_id: FeedId, change: Callable[[NewFeed], NewFeed], *, now: datetime
) -> LiveFeed:
    """Apply `change` to the settings of a feed and return it. Concurrent changes of different
    settings are both kept. Raises NotFound, and InvalidInput as `check_feed` does."""

    def apply(work: Transaction) -> LiveFeed:
        changed = change(feed_settings(work[FeedStore].get_for_update(feed_id)))
        check_feed(context.sources, changed)
        return work[FeedStore].update(feed_id, changed, now=now)

    return write(context.database, apply)


def delete_feed(context: FeedContext, feed_id: FeedId) -> None:
    """Delete a feed with its runs and rejects; its papers stay. Raises NotFound."""
    write(context.database, lambda work: work[FeedStore].delete(feed_id))


def live_feeds(context: FeedContext) -> list[LiveFeed]:
    """Return every feed with a source, by id."""
    with context.database.reading() as work:
        return [feed for feed in work[FeedStore].all() if feed.kind in context.sources]
