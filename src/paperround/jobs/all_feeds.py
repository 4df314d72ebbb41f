"""The feeds of an installation, page by page, and what they brought of late."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from paperround.domain.feed_outlook import source_lines
from paperround.domain.feeds import LiveFeed
from paperround.domain.lists import MailingList
from paperround.domain.papers import FeedId
from paperround.store.unit_of_work import UnitOfWork

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
