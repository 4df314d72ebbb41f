"""A database that runs out of room, or whose log somebody keeps from being emptied."""

from datetime import datetime

from paperround.domain.notices import Alert
from paperround.domain.status import MOST_LOG_BYTES, Storage


def storage_troubles(found: Storage, *, now: datetime) -> list[Alert]:
    """What is wrong with the room the database takes up; each is told once a day."""
    today = f"{now:%Y-%m-%d}"
    alerts = []
    if found.is_full:
        alerts.append(
            Alert(
                key=f"storage/full/{today}",
                subject="The disk of the database is full",
                lines=(
                    "No mail leaves before it can be recorded.",
                    "It goes on by itself once there is room.",
                    "`paperround doctor` tells how much is free, and where.",
                ),
                stops_mail=True,
            )
        )
    if found.log_is_long:
        alerts.append(
            Alert(
                key=f"storage/log/{today}",
                subject="The log of the database does not shrink",
                lines=(
                    f"It has {found.log_bytes or 0:,} bytes; {MOST_LOG_BYTES:,} are usual at most.",
                    "Somebody reads the database for long: an export, a backup, another program?",
                    "Writers wait for a moment each until the reader leaves.",
                ),
            )
        )
    return alerts
