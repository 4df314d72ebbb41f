"""The bounce policy: when bounces pause sending to a reader, and when they suppress the address.

    evidence                 effect
    complaint                unsubscribed and suppressed
    gone                     suppressed
    likely gone              suppressed if a second message confirms it on another day in 30 days
    passing                  a point, at most one a day; five points pause sending for a week
    auto-reply, none         nothing

Points are halved for every week without another (GNU Mailman 3 drops them after one; its limit of
five is ours). A full mailbox is no reason to lose a reader, so points never suppress: sending is
paused, and the first message afterwards is a probe. If that bounces too, the next pause is twice as
long, up to four weeks; without a bounce for two weeks, the reader starts afresh.

If many readers are gone at once, the server is at fault: one of the largest replied "no such user"
for hours in December 2020. From then on each of them needs two days, too.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from paperround.delivery.model import Evidence

ENOUGH = 5
REST = timedelta(days=7)
LONGEST_REST = timedelta(days=28)
PROBING = timedelta(days=14)
"""How long after a pause a bounce counts as the reply to the probe: the first digest may be a
weekly one, and its delivery may take five days."""

LIKELY_FOR = timedelta(days=30)

SURGE_OF_A_DOMAIN = 5
SURGE = 25
"""Readers that single messages may suppress within a day: at one mail domain, and in all."""


class Effect(StrEnum):
    """The effect of an event on a reader."""

    NONE = "none"
    NOTED = "noted"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLAINED = "complained"


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


CLEAN = BounceScore()


def judged(
    standing: BounceScore, evidence: Evidence, *, mail: str, today: date, surge: bool = False
) -> tuple[BounceScore, Effect]:
    """Return the score after `mail` bounced with `evidence`, and the effect.

    In a `surge` no single message suppresses a reader.
    """
    match evidence:
        case Evidence.COMPLAINT:
            return standing, Effect.COMPLAINED
        case Evidence.GONE if not surge:
            return standing, Effect.STOPPED
        case Evidence.GONE | Evidence.LIKELY_GONE:
            return _likely(standing, mail, today)
        case Evidence.PASSING:
            return _passing(standing, today)
        case _:
            return standing, Effect.NONE


def points_on(standing: BounceScore, today: date) -> int:
    """Return the points left on `today`."""
    if standing.counted_on is None:
        return 0
    weeks = max(0, (today - standing.counted_on).days - 1) // 7
    return standing.points >> weeks


def _likely(standing: BounceScore, mail: str, today: date) -> tuple[BounceScore, Effect]:
    before = standing.likely_on
    if before is None or abs(today - before) > LIKELY_FOR:
        return _passing(replace(standing, likely_on=today, likely_mail=mail), today)
    if before != today and standing.likely_mail != mail:
        return standing, Effect.STOPPED
    return _passing(standing, today)


def _passing(standing: BounceScore, today: date) -> tuple[BounceScore, Effect]:
    until = standing.resting_until
    if until is not None and today < until:
        return standing, Effect.NOTED  # sent before the pause
    if until is not None and today <= until + PROBING:
        return _rested(standing, standing.rests + 1, today), Effect.PAUSED
    is_new = standing.counted_on is None or today > standing.counted_on  # else the same day or late
    points = points_on(standing, today) + is_new
    if points >= ENOUGH:
        return _rested(standing, 1, today), Effect.PAUSED
    counted = max(today, standing.counted_on or today)
    fresh = replace(standing, points=points, counted_on=counted, rests=0, resting_until=None)
    return fresh, Effect.NOTED


def _rested(standing: BounceScore, rests: int, today: date) -> BounceScore:
    # Two doublings reach the longest pause; more could overflow.
    length = min(REST * 2 ** min(rests - 1, 2), LONGEST_REST)
    return replace(standing, points=0, counted_on=today, rests=rests, resting_until=today + length)
