"""Sign-ups that limits refuse or drop, and those that nobody looks at."""

from datetime import datetime, timedelta

from paperround.domain.notices import Alert
from paperround.domain.requests import Drop, Limit, RequestTally
from paperround.domain.times import format_instant
from paperround.domain.wording import counted
from paperround.jobs.signup_limits import SLOW_LANE, tally
from paperround.store.unit_of_work import UnitOfWork

LATELY = timedelta(hours=1)

QUIET = frozenset({Limit.IP})
"""One visitor who presses a button too often: nothing to write to anybody about."""

SAID = {
    Limit.NET: "came too often from one network",
    Limit.DOMAIN: "came in a crowd for one mail provider",
    Limit.TOTAL: "came in a crowd",
    Drop.MAILBOX: "went to a mailbox that had its mails of the day",
    Drop.FAILED: "failed each time that they were looked at: the log says where",
}


def signup_troubles(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """What is wrong with sign-ups; each is told once a day."""
    found = tally(work, LATELY, now=now)
    return [*_refused(found, now), *_waiting(found, now)]


def _refused(found: RequestTally, now: datetime) -> list[Alert]:
    told = {one: n for one, n in found.refused.items() if n and one not in QUIET}
    lost = {one: n for one, n in found.dropped.items() if n}
    lines = [f"Refused: {n:,} that {SAID[one]}." for one, n in told.items()]
    lines += [f"Dropped: {n:,} that {SAID[one]}." for one, n in lost.items()]
    if not lines:
        return []
    number = sum((*told.values(), *lost.values()))
    return [
        Alert(
            key=f"signups/refused/{now:%Y-%m-%d}",
            subject=f"Limits kept back {counted(number, 'sign-up')} within an hour",
            lines=(
                *lines,
                "Who was refused was told so, and when to come again.",
                "Is it a program? `paperround digest status` shows the whole day.",
                "The limits are the settings PAPERROUND_RATE_SIGNUP_*.",
            ),
        )
    ]


def _waiting(found: RequestTally, now: datetime) -> list[Alert]:
    if found.oldest_due is None or now < found.oldest_due + SLOW_LANE:
        return []
    return [
        Alert(
            key=f"signups/waiting/{now:%Y-%m-%d}",
            subject=f"{counted(found.waiting, 'sign-up')} or the like waited for half an hour",
            lines=(
                f"The first of them is due since {format_instant(found.oldest_due)}.",
                "Nobody mails these people what they asked for. The log says why.",
            ),
        )
    ]
