"""What mails that come back add up to for one reader. Pure.

    evidence                 what follows
    complaint                they left, and are never mailed again
    gone                     they are stopped
    likely gone              stopped, where a second mail says so on another day within 30 days
    passing                  a point, one a day at most; at five mail rests for a week
    auto-reply, none         nothing

Points are halved for every week without another (GNU Mailman 3 forgets them after one; its limit
of five is ours). A full mailbox is no reason to forget a reader, so points stop nobody: mail rests,
and what is sent after it is a probe. Where that comes back too, the next rest is twice as long, up
to four weeks; where nothing comes back for two weeks, the reader stands as on the first day.

Where many readers are gone at once it is the server that is ill: one of the largest answered "no
such user" for hours in December 2020. From then on it takes two days for each of them, too.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from paperround.delivery.model import Evidence

ENOUGH = 5
REST = timedelta(days=7)
LONGEST_REST = timedelta(days=28)
PROBING = timedelta(days=14)
"""How long after a rest what comes back is taken for the answer to the probe: a weekly digest may
be the first one, and a server may try it for five days."""

LIKELY_FOR = timedelta(days=30)

SURGE_OF_A_DOMAIN = 5
SURGE = 25
"""Readers that one mail each may stop within a day: at one mail domain, and in all."""


class Effect(StrEnum):
    """What an event does to a reader."""

    NONE = "none"
    NOTED = "noted"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceScore:
    """What is held against one reader's address. Dates are UTC's.

    `likely_mail` names the mail that said on `likely_on` that the address is likely gone. Mail
    rests before `resting_until`; `rests` counts the rests in a row.
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
    """The standing after `mail` came back with `evidence`, and what follows from it.

    In a `surge` nobody is stopped by one mail alone.
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
    """The points that are left on `today`."""
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
        return standing, Effect.NOTED  # sent before the rest
    if until is not None and today <= until + PROBING:
        return _rested(standing, standing.rests + 1, today), Effect.PAUSED
    is_new = standing.counted_on is None or today > standing.counted_on  # or it is told late
    points = points_on(standing, today) + is_new
    if points >= ENOUGH:
        return _rested(standing, 1, today), Effect.PAUSED
    counted = max(today, standing.counted_on or today)
    fresh = replace(standing, points=points, counted_on=counted, rests=0, resting_until=None)
    return fresh, Effect.NOTED


def _rested(standing: BounceScore, rests: int, today: date) -> BounceScore:
    # Two doublings pass the longest rest; more would only make the number overflow.
    length = min(REST * 2 ** min(rests - 1, 2), LONGEST_REST)
    return replace(standing, points=0, counted_on=today, rests=rests, resting_until=today + length)
