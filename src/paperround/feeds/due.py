"""Which feeds are read when: those that are due, or one that somebody names.

A feed is lent to one poll at a time, for a quarter of an hour that each page renews. What goes
wrong with one feed is a value in its report.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime

from paperround.core.errors import InvalidInput
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import LiveFeed, NewFeed, Source
from paperround.feeds.poll import LEASE, PollReport, not_ours, poll_feed
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId

log = logging.getLogger(__name__)


def poll_due(
    newsroom: FeedContext, *, now: datetime, told: Callable[[PollReport], None] = lambda _: None
) -> list[PollReport]:
    """Poll every feed that is due at `now`, one after another; `told` gets each report.

    Feeds are taken one by one, so that several processes share the work.
    """
    reports = []
    kinds = list(newsroom.sources)

    def take(work: Transaction) -> list[LiveFeed]:
        until = max(now, newsroom.clock.now()) + LEASE
        return work[FeedStore].take_due(kinds, newsroom.processes, until=until, now=now, limit=1)

    while taken := write(newsroom.database, take):
        report = poll_feed(newsroom, taken[0], now=max(now, newsroom.clock.now()))
        told(report)
        reports.append(report)
    return reports


def log_poll(report: PollReport) -> None:
    """Log how a feed is doing after a poll."""
    level = logging.INFO if report.error is None else logging.WARNING
    log.log(level, "the feed %s is %s: %s", report.feed, report.health.value, report.reason)


def run_now(newsroom: FeedContext, feed_id: FeedId, *, now: datetime) -> PollReport:
    """Poll one feed at once, due or not, even one that is switched off; not one that is being read.

    Raises NotFound, and InvalidInput for a feed that is not read by itself.
    """
    with newsroom.database.reading() as work:
        feed = work[FeedStore].get(feed_id)
    if feed.kind not in newsroom.sources:
        raise InvalidInput(
            f"the feed {feed.name} is of the kind {feed.kind}, which is not read by itself",
            code="kind",
        )
    until = max(now, newsroom.clock.now()) + LEASE
    lent = write(
        newsroom.database,
        lambda work: work[FeedStore].take(feed.id, newsroom.processes, until=until, now=now),
    )
    if lent is None:
        return not_ours(feed, "it is being read already", feed.next_at or now)
    return poll_feed(newsroom, lent, now=now)


def settings_of(feed: LiveFeed) -> NewFeed:
    """What an operator said of a feed, without how it is doing."""
    return NewFeed(**{one.name: getattr(feed, one.name) for one in fields(NewFeed)})


FEEDS = 500
"""Feeds read at a time."""


def every_feed(work: Transaction) -> Iterator[LiveFeed]:
    """Every feed by id, those of files too."""
    after = FeedId(0)
    while page := work[FeedStore].page(after, limit=FEEDS):
        yield from page
        after = page[-1].id


def polled_feeds(work: Transaction) -> list[LiveFeed]:
    """Every feed that is read by itself (files that were read by hand are feeds too)."""
    return [feed for feed in every_feed(work) if feed.next_at is not None]


LONGEST = 2000
"""Characters of an address, or of the value of a setting."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def check_feed(sources: Mapping[str, Source], feed: NewFeed) -> None:
    """Raise InvalidInput when no feed can be made of this, its code naming the field:
    `name`, `kind`, `url`, or `settings.<name>`."""
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
        if len(text) > LONGEST:
            raise InvalidInput(
                f"{code} may have {LONGEST:,} characters, not {len(text):,}", code=code
            )
    sources[feed.kind].check(feed.url, feed.settings)


def create_feed(newsroom: FeedContext, feed: NewFeed, *, now: datetime) -> LiveFeed:
    """Keep a new feed; it is due at once. Raises InvalidInput, as `check_feed` does."""
    check_feed(newsroom.sources, feed)
    return write(newsroom.database, lambda work: work[FeedStore].create(feed, now=now))


def change_feed(
    newsroom: FeedContext, feed_id: FeedId, change: Callable[[NewFeed], NewFeed], *, now: datetime
) -> LiveFeed:
    """Make of a feed what `change` makes of it. Two that change different things at once both
    have their way. Raises NotFound, and InvalidInput as `check_feed` does."""

    def do(work: Transaction) -> LiveFeed:
        changed = change(settings_of(work[FeedStore].hold(feed_id)))
        check_feed(newsroom.sources, changed)
        return work[FeedStore].update(feed_id, changed, now=now)

    return write(newsroom.database, do)


def delete_feed(newsroom: FeedContext, feed_id: FeedId) -> None:
    """Forget a feed with its runs and rejects; its papers stay. Raises NotFound."""
    write(newsroom.database, lambda work: work[FeedStore].delete(feed_id))


def live_feeds(newsroom: FeedContext) -> list[LiveFeed]:
    """Every feed that is read by itself, by id."""
    with newsroom.database.reading() as work:
        return [feed for feed in every_feed(work) if feed.kind in newsroom.sources]
