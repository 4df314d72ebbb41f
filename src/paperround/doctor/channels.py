"""Channels: whether each can be posted to, as far as the last post told."""

from collections.abc import Mapping, Sequence

from paperround.doctor.findings import Finding, ok, warn
from paperround.domain.channels import Channel
from paperround.domain.deliveries import DeliveryState
from paperround.domain.ledger import DeliveryRecord
from paperround.domain.subscribers import SubscriberId
from paperround.domain.times import format_instant
from paperround.domain.wording import counted
from paperround.store.unit_of_work import UnitOfWork

LOOKED_AT = 10
"""Posts of a channel that are looked through for the last that came to something."""

_TELLING = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.EXPIRED})


def of_installation(
    work: UnitOfWork,
) -> tuple[Sequence[Channel], Mapping[SubscriberId, Sequence[DeliveryRecord]]]:
    """Every channel, and the newest posts of each."""
    found = work.channels.all()
    return found, {one.id: work.ledger.history(one.id, limit=LOOKED_AT) for one in found}


def channels(
    found: Sequence[Channel], posts: Mapping[SubscriberId, Sequence[DeliveryRecord]]
) -> list[Finding]:
    """One finding for each that is stopped, or whose last of `posts` (newest first) was not taken;
    one for all others; nothing where there are none. Of hooks that were lost with a secret, whoever
    looks at the keys says so."""
    stopped = [one for one in found if one.stopped_at is not None]
    running = [one for one in found if one.stopped_at is None and not one.hook.lost]
    refused = [(one, why) for one in running if (why := _trouble(posts[one.id]))]
    well = len(running) - len(refused)
    said = [
        warn(
            "channels",
            f"{one.name} is stopped since {format_instant(one.stopped_at)}: {one.stopped_why}",
            f"`paperround channels edit {one.name} --hook -` gives it another hook",
        )
        for one in stopped
        if one.stopped_at is not None
    ]
    said += [
        warn(
            "channels",
            f"the last post to {one.name} was not taken: {why}",
            f"`paperround channels history {one.name}` says more, `channels test` tries it",
        )
        for one, why in refused
    ]
    if well:
        said.append(ok("channels", f"{counted(well, 'channel')} can be posted to"))
    return said


def _trouble(posts: Sequence[DeliveryRecord]) -> str:
    last = next((one for one in posts if one.state in _TELLING), None)
    return "" if last is None or last.state is DeliveryState.SENT else last.reason or last.state
