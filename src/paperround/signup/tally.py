"""Count sign-ups by day and list, for the operator's figures.

An unconfirmed sign-up is deleted after a week, so it is counted when it happens.
"""

from datetime import datetime

from paperround.db.counts import DayCountStore
from paperround.db.transactions import Transaction
from paperround.editions.lists import ListId

ASKED, CONFIRMED, REMINDED = "signups/asked", "signups/confirmed", "signups/reminded"
SIGNUPS = (ASKED, CONFIRMED, REMINDED)


def count_signup(work: Transaction, name: str, list_id: ListId, *, now: datetime) -> None:
    """Count a step of a sign-up, one of SIGNUPS. Call it last: the count stays locked."""
    work[DayCountStore].add(name, list_id, now=now)
