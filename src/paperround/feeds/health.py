"""Decide the health of feeds and when to poll them next.

    good poll:    unseen papers ─► fresh
                  none ─► holiday, empty, fresh until a batch is due, stale three hours later
                  stale ─► cross-check ─► stale, or empty when nothing was announced
    put off:      unchanged, stale three hours after a batch that could not be requested
    failed poll:  failed, one more failure ─► back-off; from the third on, restart
    good poll after failures ─► as above, no failures

Pure functions. A feed that is switched off is `paused`, whatever its last poll found. `volume`
judges whether the papers of a batch are unusual.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.times import format_instant, require_utc
from paperround.feeds.model import CrossChecked, FeedHealth, FeedShape, LiveFeed
from paperround.feeds.volume import MIN_PAPERS
from paperround.papers.model import Record

GRACE = timedelta(hours=3)
"""How late a batch may be before its feed is stale."""

LOST_AFTER = 3
"""Failed polls in a row after which editions no longer wait for a feed."""

SILENT = timedelta(days=60)
"""How long a feed without a schedule may bring nothing new before it is stale."""

_LONGEST_UNREAD = timedelta(days=1)
"""How long a feed without a schedule may go unread, because polls are put off."""

_PLACE = re.compile(r"https?://\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?::\d+)?", re.IGNORECASE)
"""Addresses and host names, which differ between feeds that fail for the same reason."""

_WATCHED = timedelta(hours=6)
"""How long after it was due a late batch is polled for more often."""

_SPREAD = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_DAILY_AFTER = 10
_DAY = timedelta(days=1)
_DAYS = tuple("Mon Tue Wed Thu Fri Sat Sun".split())
_MONTHS = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The result of a good poll. `unseen` counts papers the feed had not listed before.

    `batch` identifies the papers of the whole poll and `shape` describes them. Both are None when
    only a part was read: a page was unchanged, or the poll resumed an interrupted one. `ended` is
    false when pages are left for the next poll.
    """

    unseen: int
    batch: str | None
    shape: FeedShape | None = None
    ended: bool = True


def record_key(record: Record) -> str:
    """Return what identifies a record within a batch: its identifiers, else its title."""
    known = sorted(f"{kind}:{value}" for kind, value in record.identifiers.items())
    return " ".join(known) or f"title:{record.title}"


def batch_digest(names: Collection[str]) -> str:
    """Return `count:hash` for the keys of the records of a batch, in any order."""
    digest = hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "replace"))
    return f"{len(names)}:{digest.hexdigest()}"


def batch_size(batch: str | None) -> int:
    """Return the number of papers in a batch; 0 for none."""
    count = (batch or "").partition(":")[0]
    return int(count) if count.isdecimal() else 0


def health_after_poll(
    feed: LiveFeed, found: Findings, *, is_holiday: bool, now: datetime
) -> tuple[FeedHealth, str]:
    """Return the health of `feed` after a good poll, and the reason for the operator."""
    if found.unseen:
        return FeedHealth.FRESH, f"{found.unseen:,} new"
    since = _since(feed)
    if not found.ended:
        # The health stays: new papers may be on a page that is not read yet.
        if feed.health not in {FeedHealth.NEW, FeedHealth.FAILED}:
            return feed.health, feed.reason
        return FeedHealth.FRESH, f"more pages remain to be read; {since}"
    if is_holiday:
        return FeedHealth.HOLIDAY, f"no batch is expected today; {since}"
    if found.batch is not None and not batch_size(found.batch):
        return _without_papers(feed, found, since, now)
    return _without_news(feed, found, since, now)


def _without_news(
    feed: LiveFeed, found: Findings, since: str, now: datetime
) -> tuple[FeedHealth, str]:
    """Return the health after a poll with papers that were all known."""
    is_same_batch = found.batch is not None and found.batch == feed.progress.batch
    summary = f"the same papers again, {since}" if is_same_batch else since
    if feed.expects_at is not None and now > feed.expects_at + GRACE:
        return (
            FeedHealth.STALE,
            f"{summary}; a batch was expected at {_format_moment(feed.expects_at)}",
        )
    if _is_silent(feed, now):
        return FeedHealth.STALE, f"{summary}: does it still publish?"
    return FeedHealth.FRESH, summary


def _is_silent(feed: LiveFeed, now: datetime) -> bool:
    """Return whether a feed without a schedule had no news for longer than `SILENT`."""
    last = feed.last_news_at
    return feed.expects_at is None and last is not None and now - last > SILENT


def health_after_delay(
    feed: LiveFeed, why: str, *, is_holiday: bool, now: datetime
) -> tuple[FeedHealth, str]:
    """Return the health of a feed whose poll is put off, and the reason.

    The health is unchanged until the expected batch is three hours late with no good poll since. A
    feed without a schedule becomes stale after a day without a poll.
    """
    unchanged = feed.health, feed.reason
    expected, read_at = feed.expects_at, feed.last_good_at
    if is_holiday or feed.health in {FeedHealth.FAILED, FeedHealth.PAUSED}:
        return unchanged
    if expected is None:
        read_at = read_at or feed.created_at
        unread = FeedHealth.STALE, f"{why}; it has not been read since {_format_moment(read_at)}"
        return unchanged if now - read_at <= _LONGEST_UNREAD else unread
    if now <= expected + GRACE or (read_at and read_at > expected + GRACE):
        return unchanged
    reason = f"{why}; {_since(feed)}; a batch was expected at {_format_moment(expected)}"
    return FeedHealth.STALE, reason


def _without_papers(
    feed: LiveFeed, found: Findings, since: str, now: datetime
) -> tuple[FeedHealth, str]:
    """Return the health after a poll without papers. Where a large batch is usual, or all entries
    are rejects, the source probably changed its format or is broken."""
    rejects = found.shape.rejects if found.shape is not None else 0
    if rejects:
        return FeedHealth.STALE, f"none of {rejects:,} entries is usable; {since}"
    before = batch_size(feed.progress.batch)
    is_due = feed.expects_at is None or feed.expects_at <= now
    if before >= MIN_PAPERS and is_due:
        return FeedHealth.STALE, f"zero papers where the last batch had {before:,}; {since}"
    health = FeedHealth.STALE if _is_silent(feed, now) else FeedHealth.EMPTY
    return health, f"the source says it has no papers; {since}"


def apply_cross_check(
    reason: str, checked: CrossChecked, expects_at: datetime
) -> tuple[FeedHealth, str]:
    """Return the health of a stale feed after its cross-check: behind, or nothing announced."""
    day = f"{_DAYS[checked.day.weekday()]} {checked.day.day} {_MONTHS[checked.day.month - 1]}"
    if checked.readable_at >= expects_at:
        has = f"{checked.witness} has {day}, {checked.entries:,} entries: its feed is behind"
        return FeedHealth.STALE, f"{reason}; {has}"
    return FeedHealth.EMPTY, f"{checked.witness} still has {day}: nothing was announced since"


def is_arrival(feed: LiveFeed, found: Findings, expects_at: datetime | None) -> bool:
    """Return whether the poll brought the first batch, the expected one (`expects_at` is when the
    following batch is due), or any news of a feed without a schedule."""
    is_first = feed.last_news_at is None or feed.expects_at is None
    return bool(found.unseen) and (is_first or feed.expects_at != expects_at)


def _since(feed: LiveFeed) -> str:
    if feed.last_news_at is None:
        return "no papers yet"
    return f"no new papers since {_format_moment(feed.last_news_at)}"


def restarts(failures: int, *, is_refused: bool = False) -> bool:
    """Return whether the next poll restarts after `failures` in a row.

    It does from the third on, because new papers are on the first page, not behind one that cannot
    be read. It resumes after a 429 (`is_refused`), which is unrelated to the page: a long backlog
    must not restart every day.
    """
    return failures >= LOST_AFTER and not is_refused


def back_off(failures: int, retry_after: float | None = None) -> timedelta:
    """Return the pause after `failures` failed polls in a row: five minutes, doubling up to six
    hours, a day from the tenth on; never shorter than `retry_after` seconds."""
    pause = _FIRST_PAUSE * 2 ** min(failures - 1, 16)
    pause = _DAY if failures >= _DAILY_AFTER else min(pause, _LONGEST_PAUSE)
    return max(pause, timedelta(seconds=retry_after or 0))


def next_poll(
    feed: LiveFeed, *, interval: timedelta, expects_at: datetime | None, now: datetime
) -> datetime:
    """Return when to poll again after a good poll: every 20 to 30 minutes while a batch is late,
    else after the source's interval, or soon after the next batch is due.

    Feeds are spread over ten minutes, at most a sixth of the interval, so that the feeds of one
    installation and of all installations do not send requests in the same second.
    """
    delay = _whole_seconds(_SPREAD * _spread_fraction(feed))
    regular = now + interval - _whole_seconds(min(_SPREAD, interval / 6) * _spread_fraction(feed))
    if expects_at is None or now >= expects_at + _WATCHED:
        return regular
    if now < expects_at:
        return min(regular, expects_at + delay)
    return now + timedelta(minutes=20) + delay


def put_off_until(feed: LiveFeed, pause: timedelta, now: datetime) -> datetime:
    """Return when to retry a poll put off for `pause`: after it, or when the expected batch becomes
    late, so that this is reported. Retrying costs the service nothing."""
    retry_at = now + pause
    if feed.expects_at is None:
        return retry_at
    stale_at = feed.expects_at + GRACE + timedelta(minutes=1)
    return min(retry_at, stale_at) if stale_at > now else retry_at


def _spread_fraction(feed: LiveFeed) -> float:
    """Return a number from 0 to 1, constant for a feed and different between installations."""
    name = f"{feed.id} {feed.created_at.isoformat()}".encode()
    return hashlib.blake2b(name, digest_size=1).digest()[0] / 255


def _whole_seconds(pause: timedelta) -> timedelta:
    return timedelta(seconds=pause // timedelta(seconds=1))


def failure_cause(feed: LiveFeed) -> str:
    """Return what feeds with the same problem have in common: the reason without addresses, or the
    missing batch of one kind of source."""
    if feed.health is FeedHealth.STALE and feed.expects_at is not None:
        return f"{feed.kind}: no batch since {format_instant(feed.expects_at)}"
    return f"{feed.health.value}: {_PLACE.sub('', feed.reason)}"


def _format_moment(moment: datetime) -> str:
    """Return `24 Nov 05:10 UTC`, the same in every locale."""
    utc = require_utc(moment)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc:%H:%M} UTC"
