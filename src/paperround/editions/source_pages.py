"""Read the data of the sources page, which shows what each feed delivered.

It is public, so it shows no URLs and no error messages of feeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import MailingList
from paperround.editions.store.editions import EditionStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import AlarmKind, FeedHealth, LiveFeed
from paperround.feeds.outlook import feed_summaries
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore

WINDOW = timedelta(days=1)
SHOWN = timedelta(days=30)
"""How long a feed imported from files is shown after its last new paper."""

MOST_NAMES = 100

HEALTH: Mapping[FeedHealth, str] = {
    FeedHealth.NEW: marked("It has not been read yet."),
    FeedHealth.FRESH: marked("It is up to date."),
    FeedHealth.EMPTY: marked("It responds, but has nothing new."),
    FeedHealth.STALE: marked("It responds, but the papers expected by now have not arrived."),
    FeedHealth.HOLIDAY: marked("It announces nothing today: it is a weekend or a holiday."),
    FeedHealth.FAILED: marked("It cannot be read at the moment. We keep trying."),
    FeedHealth.PAUSED: marked("It is switched off."),
}
"""The public description of a feed's health."""

GONE = marked("It no longer exists.")
BY_HAND = marked("Its papers were imported from a file.")
ALARMS: Mapping[AlarmKind, str] = {
    AlarmKind.SHRUNK: marked("Its last batch was far smaller than usual."),
    AlarmKind.GROWN: marked("Its last batch was far larger than usual."),
    AlarmKind.RESHAPED: marked("Its last batch looked different from those before."),
}
TROUBLES = frozenset({FeedHealth.STALE, FeedHealth.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source: its status as text, its counts of the last day, and its last complete batch.

    `batch` is the number of papers in that batch, None if unknown. `good_at` is when it was last
    read completely, `news_at` when it last had a new paper.
    """

    name: str
    words: str
    alarm: str
    is_well: bool
    brought: int
    rejected: int
    batch: int | None
    good_at: datetime | None
    news_at: datetime | None
    expects_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesPage:
    """All sources, those with problems first."""

    sources: tuple[SourceLine, ...]
    as_of: datetime
    papers: int


def sources_page(database: Database, *, now: datetime) -> SourcesPage:
    """Return the status of every source at `now`, with its counts of the last 24 hours."""
    since = now - WINDOW
    with database.reading() as work:
        feeds = work[FeedStore].all()
        brought = work[FeedStore].brought(since=since, until=now)
        rejected = work[FeedStore].rejected(since=since, until=now)
        recent = work[FeedStore].brought(since=now - SHOWN, until=now)
        papers = work[PaperStore].count()
    shown = (one for one in feeds if one.next_at is not None or one.id in recent)
    lines = [_source_line(one, brought.get(one.id, 0), rejected.get(one.id, 0)) for one in shown]
    return SourcesPage(
        sources=tuple(sorted(lines, key=lambda one: (one.is_well, one.name))),
        as_of=now,
        papers=papers,
    )


def feed_names(database: Database) -> list[str]:
    """Return the names of the feeds with papers, sorted; at most MOST_NAMES."""
    with database.reading() as work:
        return sorted(one.name for one in work[FeedStore].all())[:MOST_NAMES]


def _source_line(feed: LiveFeed, brought: int, rejected: int) -> SourceLine:
    progress = feed.progress
    words = BY_HAND if feed.next_at is None else HEALTH[feed.health]
    if feed.gone_at is not None:
        words = GONE
    return SourceLine(
        name=feed.name,
        words=words,
        alarm=ALARMS[progress.alarm.kind] if progress.alarm else "",
        is_well=feed.gone_at is None and feed.health not in TROUBLES and progress.alarm is None,
        brought=brought,
        rejected=rejected,
        batch=progress.usual[-1].records if progress.usual else None,
        good_at=feed.last_good_at,
        news_at=feed.last_news_at,
        expects_at=feed.expects_at,
    )


def feeds_of(mailing_list: MailingList, feeds: Sequence[LiveFeed]) -> list[LiveFeed]:
    """Return the feeds of a list: those it names, or all."""
    return [feed for feed in feeds if not mailing_list.feeds or feed.id in mailing_list.feeds]


def source_status(
    work: Transaction, mailing_list: MailingList, *, cut_at: datetime, as_of: datetime
) -> tuple[str, ...]:
    """Return a status line for each source of the edition cut at `cut_at`.

    It counts new papers up to `as_of`, since the list's previous edition or for a day without one.
    """
    feeds = feeds_of(mailing_list, polled_feeds(work))
    if not feeds:
        return ()
    earlier = cut_at - timedelta(microseconds=1)
    before = work[EditionStore].newest(mailing_list.id, by=earlier, with_held=True)
    since = as_of - timedelta(days=1) if before is None else before.as_of
    return feed_summaries(feeds, work[FeedStore].brought(since=since, until=as_of))
