"""The health of feeds: a small machine of states, and the pauses between its polls.

    good poll:    unseen papers ─► fresh
                  none ─► holiday, empty, fresh while none is due, stale three hours after
                  stale ─► another witness ─► stale, or empty when nothing was announced
    put off:      as it was, stale three hours after a batch that nobody could ask for
    failed poll:  failed, one failure more ─► back-off; from the third on it begins anew
    good poll after failures ─► as above, no failures

Pure: values in, values out. A feed that is switched off reads as paused, whatever its last poll
said. Whether what a feed brings is unusual is said by `feed_volume`.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.core.times import format_instant, require_utc
from paperround.feeds.model import Alarm, CrossChecked, FeedHealth, FeedShape, LiveFeed
from paperround.feeds.volume import MANY
from paperround.papers.model import Record

GRACE = timedelta(hours=3)
"""How late a batch may be before its feed is stale."""

LOST_AFTER = 3
"""Failed polls in a row after which nobody waits for a feed."""

SILENT = timedelta(days=60)
"""How long a source from which no batch is ever expected may bring nothing new."""

UNHEARD = timedelta(days=1)
"""How long such a source may go unread because nobody may ask it."""

_PLACE = re.compile(r"https?://\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?::\d+)?", re.IGNORECASE)
"""Where a feed is, which differs between feeds that fail for one reason."""

_WATCHED = timedelta(hours=6)
"""How long after it was expected a batch is asked for more often than usual."""

_SPREAD = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_DAILY_AFTER = 10
_DAY = timedelta(days=1)
_DAYS = tuple("Mon Tue Wed Thu Fri Sat Sun".split())
_MONTHS = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a good poll found. `unseen` counts papers the feed had not listed before.

    `batch` names the papers of the whole poll and `shape` says what they looked like, None when it
    saw only a part of them: a page was unchanged, or the poll went on where an earlier one was cut
    off. `ended` is false when pages are left for the next poll.
    """

    unseen: int
    batch: str | None
    shape: FeedShape | None = None
    ended: bool = True


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


# --- after a good poll -------------------------------------------------------------------------


def judged(
    feed: LiveFeed, found: Findings, *, is_holiday: bool, now: datetime
) -> tuple[FeedHealth, str]:
    """The health of `feed` after a good poll, and why, in words for an operator."""
    if found.unseen:
        return FeedHealth.FRESH, f"{found.unseen:,} new"
    since = _since(feed)
    if not found.ended:
        # As it was, but that it was read: what is new may stand on a page that was not read yet.
        is_news = feed.health in {FeedHealth.NEW, FeedHealth.FAILED}
        read = FeedHealth.FRESH, f"more pages are to be read; {since}"
        return read if is_news else (feed.health, feed.reason)
    if is_holiday:
        return FeedHealth.HOLIDAY, f"no batch is expected today; {since}"
    if found.batch is not None and not size_of(found.batch):
        return _without_papers(feed, found, since, now)
    return _without_news(feed, found, since, now)


def _without_news(
    feed: LiveFeed, found: Findings, since: str, now: datetime
) -> tuple[FeedHealth, str]:
    """Papers, and all of them known."""
    again = found.batch is not None and found.batch == feed.progress.batch
    what = f"the same papers again, {since}" if again else since
    if feed.expects_at is not None and now > feed.expects_at + GRACE:
        return FeedHealth.STALE, f"{what}; a batch was expected at {spoken(feed.expects_at)}"
    if _is_silent(feed, now):
        return FeedHealth.STALE, f"{what}: does it still bring any?"
    return FeedHealth.FRESH, what


def _is_silent(feed: LiveFeed, now: datetime) -> bool:
    """Whether a source without a rhythm has brought nothing for longer than a slow one does."""
    last = feed.last_news_at
    return feed.expects_at is None and last is not None and now - last > SILENT


def unheard(feed: LiveFeed, why: str, *, is_holiday: bool, now: datetime) -> tuple[FeedHealth, str]:
    """The health of a feed that may not be asked now, and why: as it was, until the batch that it
    expects is three hours late and no good poll told since whether it came; and where none is ever
    expected, until it was not read for a day."""
    as_it_was = feed.health, feed.reason
    expected, heard = feed.expects_at, feed.last_good_at
    if is_holiday or feed.health in {FeedHealth.FAILED, FeedHealth.PAUSED}:
        return as_it_was
    if expected is None:
        heard = heard or feed.created_at
        unread = FeedHealth.STALE, f"{why}; it was not read since {spoken(heard)}"
        return as_it_was if now - heard <= UNHEARD else unread
    if now <= expected + GRACE or (heard and heard > expected + GRACE):
        return as_it_was
    reason = f"{why}; {_since(feed)}; a batch was expected at {spoken(expected)}"
    return FeedHealth.STALE, reason


def _without_papers(
    feed: LiveFeed, found: Findings, since: str, now: datetime
) -> tuple[FeedHealth, str]:
    """An answer without papers in place of a large batch, or one of nothing but rejects, means
    that the source was reshaped or broke."""
    rejects = found.shape.rejects if found.shape is not None else 0
    if rejects:
        return FeedHealth.STALE, f"none of {rejects:,} entries could be used; {since}"
    before = size_of(feed.progress.batch)
    is_due = feed.expects_at is None or feed.expects_at <= now
    if before >= MANY and is_due:
        return FeedHealth.STALE, f"zero papers where the last batch had {before:,}; {since}"
    health = FeedHealth.STALE if _is_silent(feed, now) else FeedHealth.EMPTY
    return health, f"the source says it has no papers; {since}"


def cross_checked(reason: str, said: CrossChecked, expects_at: datetime) -> tuple[FeedHealth, str]:
    """What becomes of a feed that looks stale once another witness was heard: it is behind, or
    nothing was announced and nobody should be alarmed."""
    day = f"{_DAYS[said.day.weekday()]} {said.day.day} {_MONTHS[said.day.month - 1]}"
    if said.readable_at >= expects_at:
        has = f"{said.witness} has {day}, {said.entries:,} entries: its feed is behind"
        return FeedHealth.STALE, f"{reason}; {has}"
    return FeedHealth.EMPTY, f"{said.witness} still has {day}: nothing was announced since"


def is_arrival(feed: LiveFeed, found: Findings, expects_at: datetime | None) -> bool:
    """Whether this poll brought the first batch, the next one that was expected (`expects_at` is
    when the one after it ought to come), or any news of a source from which none ever is."""
    is_first = feed.last_news_at is None or feed.expects_at is None
    return bool(found.unseen) and (is_first or feed.expects_at != expects_at)


def tells_size(feed: LiveFeed, found: Findings, *, arrives: bool) -> bool:
    """Whether how many papers this poll saw may be compared with what is usual. A source that
    expects no batch shows the same stretch of its papers at every poll, with news or without."""
    has_papers = found.shape is not None and found.shape.records > 0
    return arrives or (feed.expects_at is None and has_papers)


def with_alarm(reason: str, alarm: Alarm | None) -> str:
    """The reason, and what is unusual."""
    return reason if alarm is None else f"{reason}; {alarm.words}"


def _since(feed: LiveFeed) -> str:
    if feed.last_news_at is None:
        return "no papers yet"
    return f"no new papers since {spoken(feed.last_news_at)}"


# --- after a failed poll -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureState:
    """What a failed poll leaves: failures in a row, how long to pause, and whether the next poll
    begins anew instead of going on where this one stopped."""

    failures: int
    pause: timedelta
    begins_anew: bool


def set_back(
    failures: int, retry_after: float | None = None, *, is_refused: bool = False
) -> FailureState:
    """One failure more, after `failures` in a row.

    From the third on a poll begins anew, because what is new stands on the first page, not behind
    one that cannot be read. Not so where we were refused for asking too much: that says nothing of
    the page, and a long way back must not begin anew each day.
    """
    more = failures + 1
    pause = back_off(more, retry_after)
    begins_anew = more >= LOST_AFTER and not is_refused
    return FailureState(failures=more, pause=pause, begins_anew=begins_anew)


def back_off(failures: int, retry_after: float | None = None) -> timedelta:
    """The pause after `failures` failed polls in a row: five minutes doubling to six hours, a day
    from the tenth on; never shorter than the source asked for."""
    pause = _FIRST_PAUSE * 2 ** min(failures - 1, 16)
    pause = _DAY if failures >= _DAILY_AFTER else min(pause, _LONGEST_PAUSE)
    return max(pause, timedelta(seconds=retry_after or 0))


# --- when to ask again -------------------------------------------------------------------------


def next_poll(
    feed: LiveFeed, *, interval: timedelta, expects_at: datetime | None, now: datetime
) -> datetime:
    """When to poll again after a good poll: every 20 to 30 minutes while a batch is late, else
    within the source's own interval, or soon after its next batch ought to be there.

    Feeds differ by up to ten minutes, and by no more than a sixth of the interval, so that neither
    all feeds of an installation nor all installations ask in the same second.
    """
    later = _seconds(_SPREAD * _fraction(feed))
    earlier = now + interval - _seconds(min(_SPREAD, interval / 6) * _fraction(feed))
    if expects_at is None or now >= expects_at + _WATCHED:
        return earlier
    if now < expects_at:
        return min(earlier, expects_at + later)
    return now + timedelta(minutes=20) + later


def put_off_until(feed: LiveFeed, pause: timedelta, now: datetime) -> datetime:
    """When to try again what may not be asked for `pause`: then, or as soon as the batch it expects
    is late enough to be told. Trying costs the service nothing."""
    later = now + pause
    if feed.expects_at is None:
        return later
    late = feed.expects_at + GRACE + timedelta(minutes=1)
    return min(later, late) if late > now else later


def _fraction(feed: LiveFeed) -> float:
    """From 0 to 1, always the same for one feed; no two installations share their feeds'."""
    name = f"{feed.id} {feed.created_at.isoformat()}".encode()
    return hashlib.blake2b(name, digest_size=1).digest()[0] / 255


def _seconds(pause: timedelta) -> timedelta:
    return timedelta(seconds=pause // timedelta(seconds=1))


def cause_of(feed: LiveFeed) -> str:
    """What feeds in the same trouble share: the reason without the place, or the batch of one kind
    of source that did not come."""
    if feed.health is FeedHealth.STALE and feed.expects_at is not None:
        return f"{feed.kind}: no batch since {format_instant(feed.expects_at)}"
    return f"{feed.health.value}: {_PLACE.sub('', feed.reason)}"


def spoken(moment: datetime) -> str:
    """`24 Nov 05:10 UTC`, the same in every locale."""
    utc = require_utc(moment)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc:%H:%M} UTC"
