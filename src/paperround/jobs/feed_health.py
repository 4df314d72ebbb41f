"""How feeds are doing: what a poll says of its feed, when to ask again, what readers are told.

    what a poll found ─► judged ─► health, reason       what it failed with ─► back-off
    feeds ─► may this cut be frozen? ─► why is there nothing? ─► the digest's footer

Pure: values in, values out.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.feeds import FeedHealth, LiveFeed
from paperround.domain.papers import Record
from paperround.domain.times import require_utc

GRACE = timedelta(hours=3)
"""How late a batch may be before its feed is stale."""

MANY = 10
"""Papers in a batch that cannot shrink to none without somebody being told."""

LOST_AFTER = 3
"""Failed polls in a row after which nobody waits for a feed."""

_WATCHED = timedelta(hours=6)
"""How long after it was expected a batch is asked for more often than usual."""

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_DAILY_AFTER = 10
_DAY = timedelta(days=1)
_MONTHS = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a good poll found. `unseen` counts papers the feed had not listed before.

    `batch` names the papers of the whole poll, None when it saw only a part of them: a page was
    unchanged, or the poll went on where an earlier one was cut off.
    """

    unseen: int
    batch: str | None


def name_of(record: Record) -> str:
    """What a record is known by within a batch: its identifiers, else its title."""
    known = sorted(f"{kind}:{value}" for kind, value in record.identifiers.items())
    return " ".join(known) or f"title:{record.title}"


def batch_of(names: Collection[str]) -> str:
    """The name of a batch: how many records it has, and a hash of their names in any order."""
    digest = hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "replace"))
    return f"{len(names)}:{digest.hexdigest()}"


def size_of(batch: str | None) -> int:
    """How many papers a batch holds; 0 when there was none."""
    count = (batch or "").partition(":")[0]
    return int(count) if count.isdecimal() else 0


# --- after a poll ------------------------------------------------------------------------------


def judged(
    feed: LiveFeed, found: Findings, *, is_holiday: bool, now: datetime
) -> tuple[FeedHealth, str]:
    """The health of `feed` after a good poll, and why, in words for an operator."""
    if found.unseen:
        return FeedHealth.FRESH, f"{found.unseen:,} new"
    since = _since(feed)
    if is_holiday:
        return FeedHealth.HOLIDAY, f"no batch is expected today; {since}"
    if found.batch is not None and not size_of(found.batch):
        return _empty(feed, since, now)
    again = found.batch is not None and found.batch == feed.progress.batch
    what = f"the same papers again, {since}" if again else since
    if feed.expects_at is not None and now > feed.expects_at + GRACE:
        return FeedHealth.STALE, f"{what}; a batch was expected at {_spoken(feed.expects_at)}"
    return FeedHealth.FRESH, what


def _empty(feed: LiveFeed, since: str, now: datetime) -> tuple[FeedHealth, str]:
    """An empty answer in place of a large batch means that the source was reshaped or broke."""
    before = size_of(feed.progress.batch)
    if before >= MANY and is_expected(feed, now):
        return FeedHealth.STALE, f"zero papers where the last batch had {before:,}; {since}"
    return FeedHealth.EMPTY, f"the source says it has no papers; {since}"


def is_expected(feed: LiveFeed, now: datetime) -> bool:
    """Whether a batch ought to be there and was not seen yet."""
    return feed.expects_at is not None and feed.expects_at <= now


def _since(feed: LiveFeed) -> str:
    if feed.last_news_at is None:
        return "no papers yet"
    return f"no new papers since {_spoken(feed.last_news_at)}"


def next_poll(
    feed: LiveFeed, *, interval: timedelta, expects_at: datetime | None, now: datetime
) -> datetime:
    """When to poll again after a good poll: every 20 to 30 minutes while a batch is late, else
    after the source's own interval, or soon after its next batch ought to be there.

    The minutes differ from feed to feed, so that not all of them ask at once.
    """
    spread = timedelta(minutes=feed.id % 11)
    if expects_at is None:
        return now + interval
    if expects_at <= now < expects_at + _WATCHED:
        return now + timedelta(minutes=20) + spread
    if now < expects_at:
        return min(now + interval, expects_at + spread)
    return now + interval


def back_off(failures: int, retry_after: float | None = None) -> timedelta:
    """The pause after `failures` failed polls in a row: five minutes doubling to six hours, a day
    from the tenth on; never shorter than the source asked for."""
    pause = _FIRST_PAUSE * 2 ** min(failures - 1, 16)
    pause = _DAY if failures >= _DAILY_AFTER else min(pause, _LONGEST_PAUSE)
    return max(pause, timedelta(seconds=retry_after or 0))


# --- before a cut ------------------------------------------------------------------------------


def awaited(feeds: Sequence[LiveFeed], cut_at: datetime, *, now: datetime) -> bool:
    """Whether a cut should still wait: for a feed that is due, is being read, was never read, or
    expects a batch at or before the cut.

    Nobody waits for a feed that is switched off, on holiday, failing for long, or stale: a batch
    that is three hours late already may be a day late.
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


def quiet_reason(feeds: Sequence[LiveFeed], *, now: datetime) -> str | None:
    """What keeps papers away: `holiday` when every feed rests, `feed-failed` or `feed-stale` when
    one of them cannot be read or brings nothing; None when all is well.

    A poll that failed though the feed was good a moment ago is a hiccup and no reason.
    """
    running = [feed for feed in feeds if feed.enabled]
    if any(_is_out(feed, now) for feed in running):
        return "feed-failed"
    healths = {feed.health for feed in running}
    if FeedHealth.STALE in healths:
        return "feed-stale"
    return "holiday" if healths == {FeedHealth.HOLIDAY} else None


def _is_out(feed: LiveFeed, now: datetime) -> bool:
    if feed.health is not FeedHealth.FAILED:
        return False
    is_long_ago = feed.last_good_at is None or now - feed.last_good_at > GRACE
    return is_long_ago or feed.failures >= LOST_AFTER


def source_lines(feeds: Sequence[LiveFeed]) -> tuple[str, ...]:
    """One short line for each feed that is switched on: `arxiv-ml: 34 new`."""
    return tuple(f"{feed.name}: {_line(feed)}" for feed in feeds if feed.enabled)


def _line(feed: LiveFeed) -> str:
    if feed.health is FeedHealth.FRESH:
        return feed.reason
    words = {FeedHealth.NEW: "not read yet", FeedHealth.EMPTY: "no papers"}
    if feed.health not in {FeedHealth.STALE, FeedHealth.FAILED}:
        return words.get(feed.health, feed.health.value)
    how = "stale" if feed.health is FeedHealth.STALE else "cannot be read"
    if feed.last_news_at is None:
        return f"{how}, nothing yet"
    return f"{how}, nothing since {_spoken(feed.last_news_at)}"


def _spoken(moment: datetime) -> str:
    """`24 Nov 05:10 UTC`, the same in every locale."""
    utc = require_utc(moment)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc:%H:%M} UTC"
