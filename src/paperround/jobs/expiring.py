"""Why a mail expired that was never tried."""

from datetime import datetime

from paperround.domain.deliveries import DIGEST_LIFE, LIFE_OVER
from paperround.store.unit_of_work import UnitOfWork

WARM_UP = "warm-up"
"""Why a digest expired that a new domain was not allowed to send in its time."""


def untried(work: UnitOfWork, *, now: datetime) -> str:
    """The reason of mails that were never tried and whose life is over by `now`."""
    held_back = work.pacing.warming_up(since=now - DIGEST_LIFE)
    return WARM_UP if held_back else LIFE_OVER
