"""Which feeds are read when: those that are due, or one that somebody names.

A feed is lent to one poll at a time, for a quarter of an hour that each page renews. What goes
wrong with one feed is a value in its report.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from paperround.domain.errors import InvalidInput
from paperround.domain.feed_outlook import source_lines
from paperround.domain.feeds import LiveFeed, NewFeed
from paperround.domain.lists import MailingList
from paperround.domain.papers import FeedId
from paperround.jobs.newsroom import Newsroom
from paperround.jobs.poll import LEASE, PollReport, not_ours, poll_feed
from paperround.store.unit_of_work import UnitOfWork, write

log = logging.getLogger(__name__)


def poll_due(
    newsroom: Newsroom, *, now: datetime, told: Callable[[PollReport], None] = lambda _: None
) -> list[PollReport]:
    """Poll every feed that is due at `now`, one after another; `told` gets each report.

    Feeds are taken one by one, so that several processes share the work.
    """
    reports = []
    while (feed := _take(newsroom, now)) is not None:
        report = poll_feed(newsroom, feed, now=max(now, newsroom.clock.now()))
        told(report)
        reports.append(report)
    return reports


def log_poll(report: PollReport) -> None:
    """Log how a feed is doing after a poll."""
    level = logging.INFO if report.error is None else logging.WARNING
    log.log(level, "the feed %s is %s: %s", report.feed, report.health.value, report.reason)


def _take(newsroom: Newsroom, now: datetime) -> LiveFeed | None:
    until = _lent_until(newsroom, now)
    kinds = list(newsroom.sources)
    taken = write(
        newsroom.database,
        lambda work: work.feeds.take_due(kinds, newsroom.processes, until=until, now=now, limit=1),
    )
    return taken[0] if taken else None


def _lent_until(newsroom: Newsroom, now: datetime) -> datetime:
    return max(now, newsroom.clock.now()) + LEASE


def run_now(newsroom: Newsroom, feed_id: FeedId, *, now: datetime) -> PollReport:
    """Poll one feed at once, due or not, even one that is switched off; not one that is being read.

    Raises NotFound, and InvalidInput for a feed that is not read by itself.
    """
    with newsroom.database.reading() as work:
        feed = work.feeds.get(feed_id)
    if feed.kind not in newsroom.sources:
        raise InvalidInput(
            f"the feed {feed.name} is of the kind {feed.kind}, which is not read by itself",
            code="kind",
        )
    until = _lent_until(newsroom, now)
    lent = write(
        newsroom.database,
        lambda work: work.feeds.take(feed.id, newsroom.processes, until=until, now=now),
    )
    if lent is None:
        return not_ours(feed, "it is being read already", feed.next_at or now)
    return poll_feed(newsroom, lent, now=now)


def settings_of(feed: LiveFeed) -> NewFeed:
    """What an operator said of a feed, without how it is doing."""
    return NewFeed(
        name=feed.name,
        kind=feed.kind,
        url=feed.url,
        settings=feed.settings,
        show=feed.show,
        enabled=feed.enabled,
    )


FEEDS = 500
"""Feeds read at a time."""

_MOMENT = timedelta(microseconds=1)


def every_feed(work: UnitOfWork) -> Iterator[LiveFeed]:
    """Every feed by id, those of files too."""
    after = FeedId(0)
    while page := work.feeds.page(after, limit=FEEDS):
        yield from page
        after = page[-1].id


def polled_feeds(work: UnitOfWork) -> list[LiveFeed]:
    """Every feed that is read by itself (files that were read by hand are feeds too)."""
    return [feed for feed in every_feed(work) if feed.next_at is not None]


def feeds_of(mailing_list: MailingList, feeds: Sequence[LiveFeed]) -> list[LiveFeed]:
    """Those that a list draws on: the ones it names, or all."""
    return [feed for feed in feeds if not mailing_list.feeds or feed.id in mailing_list.feeds]


def sources_of(
    work: UnitOfWork, mailing_list: MailingList, *, cut_at: datetime, as_of: datetime
) -> tuple[str, ...]:
    """A line for each source of the edition that is cut at `cut_at` and knows what there is at
    `as_of`: what it brought since the list's edition before, or in a day when there is none, and
    how it is doing."""
    feeds = feeds_of(mailing_list, polled_feeds(work))
    if not feeds:
        return ()
    before = work.editions.newest(mailing_list.id, by=cut_at - _MOMENT)
    since = as_of - timedelta(days=1) if before is None else before.as_of
    return source_lines(feeds, work.feeds.brought(since=since, until=as_of))
