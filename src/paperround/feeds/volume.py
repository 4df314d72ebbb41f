"""Alarms about what a source brings: far fewer papers than usual, far more, or other ones.

    whole batch ─► shape ─► compared with the median of the last ten ─► alarm, or none
                     └────► remembered, when the batch is one that was expected

Only a whole batch is judged, and one in which a source answered an expectation (its first news
since the batch was due) is remembered: so the sizes of ten days are compared, not those of ten
polls of one day. The factors are wider than what weekdays, holidays and a slow week do. What stays
unusual for six batches is the new usual. Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median

from paperround.feeds.model import Alarm, AlarmKind, FeedShape, PollProgress

MANY = 10
"""Papers in a batch below which nothing is said of its size or shape."""

REMEMBERED = 10
"""How many batches what is usual is the median of."""

ENOUGH = 5
"""Batches that must be remembered before anything is unusual."""

UNJUDGED = 6
"""Batches after which an alarm ends that none of them could confirm."""


def alarm_of(
    before: PollProgress, shape: FeedShape | None, *, is_arrival: bool, now: datetime
) -> Alarm | None:
    """The alarm that stands after a batch of this shape; None when all is as usual.

    One that stood before keeps its beginning: it is the same episode. Without a whole batch, or
    with one that is too small to tell, it stands, for six batches at most.
    """
    if shape is None or len(before.usual) < ENOUGH:
        return _waited_out(before.alarm, is_arrival=is_arrival)
    found = _reshaped(before.usual, shape) or _resized(before.usual, shape, is_arrival=is_arrival)
    alarm = before.alarm
    if found is not None:
        since = alarm.since if alarm is not None and alarm.kind is found[0] else now
        return Alarm(kind=found[0], words=found[1], since=since)
    if alarm is None:
        return None
    # A size is judged again when the next batch comes, a shape when there is enough of it.
    stands = shape.entries < MANY if alarm.kind is AlarmKind.RESHAPED else not is_arrival
    return _waited_out(alarm, is_arrival=is_arrival) if stands else None


def remembered(usual: Sequence[FeedShape], shape: FeedShape) -> tuple[FeedShape, ...]:
    """The last ten shapes, this one the newest."""
    return (*usual, shape)[-REMEMBERED:]


def _waited_out(alarm: Alarm | None, *, is_arrival: bool) -> Alarm | None:
    """What could not be judged for six batches is seen no more."""
    if alarm is None or not is_arrival:
        return alarm
    unjudged = alarm.unjudged + 1
    return None if unjudged >= UNJUDGED else replace(alarm, unjudged=unjudged)


def _resized(
    usual: Sequence[FeedShape], shape: FeedShape, *, is_arrival: bool
) -> tuple[AlarmKind, str] | None:
    """Under a fifth, or over ten times, of what is usual, where ten or more are usual."""
    middle = int(median(one.records for one in usual))
    if not is_arrival or middle < MANY:
        return None
    words = f"{shape.records:,} papers where {middle:,} are usual"
    if shape.records * 5 < middle:
        return AlarmKind.SHRUNK, f"only {words}"
    if shape.records > middle * 10:
        return AlarmKind.GROWN, words
    return None


def _reshaped(usual: Sequence[FeedShape], shape: FeedShape) -> tuple[AlarmKind, str] | None:
    """A quarter of the entries cannot be used where hardly any could not; or a field that nearly
    every paper had is missing from most."""
    if shape.entries < MANY:
        return None
    known = [one for one in usual if one.entries]
    if shape.rejects * 4 >= shape.entries and _share(known, "rejects") * 20 <= 1:
        rejects = f"{shape.rejects:,} of {shape.entries:,} entries could not be used"
        return AlarmKind.RESHAPED, f"{rejects}, which is not usual: see the feed's rejects"
    for field in ("abstracts", "authors"):
        having = getattr(shape, field)
        if shape.records >= MANY and having * 2 < shape.records and _share(known, field) * 10 >= 9:
            without = f"{shape.records - having:,} of {shape.records:,} papers have no {field}"
            return AlarmKind.RESHAPED, f"{without}, which nearly all had"
    return None


def _share(usual: Sequence[FeedShape], field: str) -> float:
    """The usual share of the entries, 0 to 1; of a source that brought none it is 0."""
    return median([float(getattr(one, field)) / one.entries for one in usual] or [0.0])
