"""The bounce policy: when bounces pause sending to a reader, and when they suppress the address.

    evidence                 effect
    complaint                unsubscribed and suppressed
    gone                     suppressed
    likely gone              suppressed if a second message confirms it on another day in 30 days
    passing                  a point, at most one a day; five points pause sending for a week
    auto-reply, none         nothing

Points are halved for every week without another (GNU Mailman 3 drops them after one; the limit of
five comes from there). A full mailbox is no reason to lose a reader, so points never suppress:
sending is paused, and the first message afterwards is a probe. If that bounces too, the next pause
is twice as long, up to four weeks; after two weeks without a bounce, the reader starts again.

If many readers are gone at once, the server is at fault: one of the largest replied "no such user"
for hours in December 2020. From then on, "gone" also needs a second message on another day.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from paperround.bounces.model import Did
from paperround.delivery.model import Evidence

POINTS_TO_PAUSE = 5
PAUSE = timedelta(days=7)
LONGEST_PAUSE = timedelta(days=28)
PROBE_PERIOD = timedelta(days=14)
"""How long after a pause a bounce counts as the reply to the probe: the first digest may be a
weekly one, and its delivery may take five days."""

LIKELY_FOR = timedelta(days=30)

SURGE_OF_A_DOMAIN = 5
SURGE = 25
"""The most readers that may be suppressed within a day by one bounce each: at one mail domain, and
in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceScore:
    """The bounces counted against one reader's address. Dates are in UTC.

    `likely_mail` is the message that bounced on `likely_on` as likely gone. Nothing is sent before
    `resting_until`; `rests` counts pauses in a row.
    """

    points: int = 0
    counted_on: date | None = None
    likely_on: date | None = None
    likely_mail: str | None = None
    rests: int = 0
    resting_until: date | None = None


NO_BOUNCES = BounceScore()


def apply_evidence(
    score: BounceScore, evidence: Evidence, *, mail: str, today: date, surge: bool = False
) -> tuple[BounceScore, Did]:
    """Return the score after `mail` bounced with `evidence`, and the effect.

    In a `surge` no single message suppresses a reader.
    """
    match evidence:
        case Evidence.COMPLAINT:
            return score, Did.COMPLAINED
        case Evidence.GONE if not surge:
            return score, Did.STOPPED
        case Evidence.GONE | Evidence.LIKELY_GONE:
            return _count_likely_gone(score, mail, today)
        case Evidence.PASSING:
            return _count_passing(score, today)
        case _:
            return score, Did.NOTED


def remaining_points(score: BounceScore, today: date) -> int:
    """Return the points left on `today`."""
    if score.counted_on is None:
        return 0
    weeks = max(0, (today - score.counted_on).days - 1) // 7
    return score.points >> weeks


def _count_likely_gone(score: BounceScore, mail: str, today: date) -> tuple[BounceScore, Did]:
    before = score.likely_on
    if before is None or abs(today - before) > LIKELY_FOR:
        return _count_passing(replace(score, likely_on=today, likely_mail=mail), today)
    if before != today and score.likely_mail != mail:
        return score, Did.STOPPED
    return _count_passing(score, today)


def _count_passing(score: BounceScore, today: date) -> tuple[BounceScore, Did]:
    until = score.resting_until
    if until is not None and today < until:
        return score, Did.NOTED  # sent before the pause
    if until is not None and today <= until + PROBE_PERIOD:
        return _pause(score, score.rests + 1, today), Did.PAUSED
    is_new = score.counted_on is None or today > score.counted_on  # else the same day or late
    points = remaining_points(score, today) + is_new
    if points >= POINTS_TO_PAUSE:
        return _pause(score, 1, today), Did.PAUSED
    counted = max(today, score.counted_on or today)
    fresh = replace(score, points=points, counted_on=counted, rests=0, resting_until=None)
    return fresh, Did.NOTED


def _pause(score: BounceScore, rests: int, today: date) -> BounceScore:
    # Two doublings reach the longest pause; more could overflow.
    length = min(PAUSE * 2 ** min(rests - 1, 2), LONGEST_PAUSE)
    return replace(score, points=0, counted_on=today, rests=rests, resting_until=today + length)
