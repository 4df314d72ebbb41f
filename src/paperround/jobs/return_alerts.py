"""Alerts on how much of the mail comes back or is complained of, before receivers block us."""

from datetime import datetime

from paperround.domain.notices import Alert
from paperround.domain.returns import ReturnTally, TooMany

_COMPLAINTS = (
    "Gmail asks for less than 0.1 %, and blocks senders above 0.3 %.",
    "Were people imported who did not ask for this? `paperround bounces list` shows who complains.",
)
_BOUNCES = (
    "Providers ask for less than 2 % of addresses that are gone, and block senders above 5 %.",
    "Is an import old? `paperround bounces list` shows what the servers said.",
)


def rate_troubles(tally: ReturnTally, *, now: datetime) -> list[Alert]:
    """Too many complaints or bounces in seven days: told once a week, and again when worse."""
    return [_alert(tally, one, now) for one in tally.alarming]


def _alert(tally: ReturnTally, found: TooMany, now: datetime) -> Alert:
    is_of_complaints = found.what == "complaints"
    year, week, _ = now.isocalendar()
    return Alert(
        key=f"returns/{found.what}/{found.limit:g}/{year}-W{week:02}",
        subject=f"Too many {found.what}: {found.rate:.2%} of the mail of seven days",
        lines=(
            f"{found.count:,} of {tally.tried:,} digests; the limit is {found.limit:.1%}.",
            *(_COMPLAINTS if is_of_complaints else _BOUNCES),
        ),
    )
