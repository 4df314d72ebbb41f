"""A relay that cannot be reached: what the processes that send saw of it last."""

from datetime import datetime, timedelta

from paperround.domain.notices import Alert
from paperround.domain.times import format_instant
from paperround.domain.wording import counted
from paperround.jobs.ports import UnitOfWork

FAILED = "relay/no-session"
"""The beat of the last time that a mail got no session."""

LATELY = timedelta(hours=2)
"""A failure this long ago says nothing any more: a mail that waits is tried again within 72
minutes, so none waits."""

UNREACHED = "the relay cannot be reached"


def unreached(work: UnitOfWork, *, now: datetime) -> str | None:
    """Why the relay cannot be reached, None when it can or nobody tried for two hours."""
    relay = work.pacing.relay()
    if not relay.reason or relay.is_probing:
        return None
    failed = work.slots.last_beat(FAILED)
    return relay.reason if failed is not None and now - failed <= LATELY else None


def relay_alerts(work: UnitOfWork, *, now: datetime) -> list[Alert]:
    """The alert that the relay cannot be reached, if that is so."""
    reason = unreached(work, now=now)
    if reason is None:
        return []
    failed = work.slots.last_beat(FAILED)
    when = f"Last tried {format_instant(failed)}. " if failed is not None else ""
    waiting = work.ledger.totals(now=now).deferred + work.notices.totals(now=now).deferred
    mails = f"{counted(waiting, 'mail')} {'waits' if waiting == 1 else 'wait'}"
    return [
        Alert(
            key=f"unreached/{now:%Y-%m-%d}",
            subject=f"The relay cannot be reached: {reason}",
            lines=(
                f"{when}{mails} and nothing is lost: each is tried again by itself.",
                "Is PAPERROUND_SMTP_URL right, and does the relay run? `paperround doctor` looks.",
            ),
            stops_mail=True,
        )
    ]
