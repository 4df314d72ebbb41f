"""Raise alarms when a batch has far fewer or far more papers than usual, or looks different.

    whole batch ─► shape ─► compared with the median of the last ten ─► alarm, or none
                     └────► remembered, when the batch was an expected one

Only whole batches are judged. A batch is remembered when it is the first news since one was due, so
the sizes of ten days are compared, not those of ten polls of one day. The factors exceed the
effects of weekdays, holidays and slow weeks. What lasts for six batches is the new usual. Pure
functions.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median

from paperround.feeds.model import Alarm, AlarmKind, FeedShape, PollProgress

MIN_PAPERS = 10
"""Smaller batches are not judged by size or shape."""

HISTORY_SIZE = 10
"""Number of batches whose median is the usual size."""

MIN_HISTORY = 5
"""Number of remembered batches needed before an alarm can be raised."""

MAX_UNJUDGED = 6
"""Number of batches without a judgement after which an alarm ends."""


def find_alarm(
    before: PollProgress, shape: FeedShape | None, *, is_arrival: bool, now: datetime
) -> Alarm | None:
    """Return the alarm after a batch of this shape, or None when it is as usual.

    An alarm of the same kind keeps its start time. When the batch is partial or too small to judge,
    the previous alarm continues, for six batches at most.
    """
    if shape is None or len(before.usual) < MIN_HISTORY:
        return _expire_alarm(before.alarm, is_arrival=is_arrival)
    found = _check_shape(before.usual, shape) or _check_size(
        before.usual, shape, is_arrival=is_arrival
    )
    alarm = before.alarm
    if found is not None:
        since = alarm.since if alarm is not None and alarm.kind is found[0] else now
        return Alarm(kind=found[0], words=found[1], since=since)
    if alarm is None:
        return None
    # Sizes are judged when the next batch arrives, shapes when a batch is large enough.
    is_unjudged = shape.entries < MIN_PAPERS if alarm.kind is AlarmKind.RESHAPED else not is_arrival
    return _expire_alarm(alarm, is_arrival=is_arrival) if is_unjudged else None


def add_volume(usual: Sequence[FeedShape], shape: FeedShape) -> tuple[FeedShape, ...]:
    """Return the last ten shapes, with `shape` as the newest."""
    return (*usual, shape)[-HISTORY_SIZE:]


def describe_size(progress: PollProgress, size: int) -> str:
    """Return what is unusual about the last batch, of `size` papers: the words of the alarm, or
    that a feed with too few batches for one has shrunk; empty if nothing is."""
    if progress.alarm is not None:
        return progress.alarm.words
    most = max((one.records for one in progress.usual), default=0)
    has_shrunk = most >= MIN_PAPERS and size * 5 < most
    if len(progress.usual) >= MIN_HISTORY or not has_shrunk:
        return ""
    return f"only {size:,} papers where there were {most:,}"


def _expire_alarm(alarm: Alarm | None, *, is_arrival: bool) -> Alarm | None:
    """End an alarm that could not be judged for six batches."""
    if alarm is None or not is_arrival:
        return alarm
    unjudged = alarm.unjudged + 1
    return None if unjudged >= MAX_UNJUDGED else replace(alarm, unjudged=unjudged)


def _check_size(
    usual: Sequence[FeedShape], shape: FeedShape, *, is_arrival: bool
) -> tuple[AlarmKind, str] | None:
    """Report fewer than a fifth, or more than ten times, of the usual papers (at least ten)."""
    middle = int(median(one.records for one in usual))
    if not is_arrival or middle < MIN_PAPERS:
        return None
    counts = f"{shape.records:,} papers where {middle:,} are usual"
    if shape.records * 5 < middle:
        return AlarmKind.SHRUNK, f"only {counts}"
    if shape.records > middle * 10:
        return AlarmKind.GROWN, counts
    return None


def _check_shape(usual: Sequence[FeedShape], shape: FeedShape) -> tuple[AlarmKind, str] | None:
    """Report when a quarter of the entries is rejected where at most 5 % usually are, or when a
    field that 90 % of the papers had is missing from most."""
    if shape.entries < MIN_PAPERS:
        return None
    known = [one for one in usual if one.entries]
    if shape.rejects * 4 >= shape.entries and _usual_share(known, "rejects") * 20 <= 1:
        rejects = f"{shape.rejects:,} of {shape.entries:,} entries could not be used"
        return AlarmKind.RESHAPED, f"{rejects}, which is not usual: see the feed's rejects"
    for field in ("abstracts", "authors"):
        having = getattr(shape, field)
        if (
            shape.records >= MIN_PAPERS
            and having * 2 < shape.records
            and _usual_share(known, field) * 10 >= 9
        ):
            without = f"{shape.records - having:,} of {shape.records:,} papers have no {field}"
            return AlarmKind.RESHAPED, f"{without}, which nearly all had"
    return None


def _usual_share(usual: Sequence[FeedShape], field: str) -> float:
    """Return the median share of entries, 0 to 1; 0 when there were none."""
    return median([float(getattr(one, field)) / one.entries for one in usual] or [0.0])
