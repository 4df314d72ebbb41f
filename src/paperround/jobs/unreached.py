"""A relay that cannot be reached: what the processes that send saw of it last."""

from datetime import datetime, timedelta

from paperround.domain.notices import Alert
from paperround.domain.text import counted
from paperround.domain.times import format_instant
from paperround.store.unit_of_work import UnitOfWork

FAILED = "relay/no-session"
"""The beat of the last time that a mail got no session."""

LATELY = timedelta(hours=2)
"""A failure this long ago says nothing any more: a mail that waits is tried again within 72
minutes, so none waits."""

UNREACHED = "the relay cannot be reached"


def unreached(work: UnitOfWork, *, now: datetime) -> str | None:
    """Why the relay cannot be reached, None when it can or nobody tried for two hours."""
    reason, _ = _last_failure(work, now)
    return reason


def relay_alerts(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """The alert that the relay cannot be reached, if that is so."""
    reason, failed = _last_failure(work, now)
    if reason is None or failed is None:
        return []
    waiting = work.ledger.totals(now=now).deferred + work.notices.totals(now=now).deferred
    mails = f"{counted(waiting, 'mail')} {'waits' if waiting == 1 else 'wait'}"
    return [
        Alert(
            key=f"unreached/{now:%Y-%m-%d}",
            subject=f"The relay cannot be reached: {reason}",
            lines=(
                f"Last tried {format_instant(failed)}. {mails}.",
                "Each is tried again by itself, a digest for 20 hours.",
                "Is PAPERROUND_SMTP_URL right, and does the relay run? `paperround doctor` looks.",
            ),
            stops_mail=True,
        )
    ]


def _last_failure(work: UnitOfWork, now: datetime) -> tuple[str | None, datetime | None]:
    """Why and when the last mail got no session; None twice where that says nothing now."""
    relay = work.pacing.relay()
    if not relay.reason or relay.is_probing:
        return None, None
    failed = work.slots.last_beat(FAILED)
    if failed is None or now - failed > LATELY:
        return None, None
    return relay.reason, failed
