"""Channels: whether each can be posted to, as far as the last post told."""

from collections.abc import Sequence

from paperround.doctor.findings import Finding, ok, warn
from paperround.domain.channels import Channel
from paperround.domain.deliveries import DeliveryState
from paperround.domain.ledger import DeliveryRecord
from paperround.domain.text import counted
from paperround.domain.times import format_instant
from paperround.store.unit_of_work import UnitOfWork

LOOKED_AT = 10
"""Posts of a channel that are looked through for the last that came to something."""

_TELLING = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.EXPIRED})


def channels(work: UnitOfWork) -> list[Finding]:
    """One finding for each that is stopped, or whose last post was not taken; one for all others;
    nothing where there are none. Of hooks that were lost with a secret, the check of the keys
    says so."""
    readable = [one for one in work.channels.all() if one.stopped_at or not one.hook.lost]
    troubles = [_trouble(one, work.ledger.history(one.id, limit=LOOKED_AT)) for one in readable]
    found = [one for one in troubles if one is not None]
    if well := len(readable) - len(found):
        found.append(ok("channels", f"{counted(well, 'channel')} can be posted to"))
    return found


def _trouble(channel: Channel, posts: Sequence[DeliveryRecord]) -> Finding | None:
    """What is wrong with a channel; `posts` are its newest first."""
    name = channel.name
    if channel.stopped_at is not None:
        return warn(
            "channels",
            f"{name} is stopped since {format_instant(channel.stopped_at)}: {channel.stopped_why}",
            f"`paperround channels edit {name} --hook -` gives it another hook",
        )
    last = next((one for one in posts if one.state in _TELLING), None)
    if last is None or last.state is DeliveryState.SENT:
        return None
    return warn(
        "channels",
        f"the last post to {name} was not taken: {last.reason or last.state}",
        f"`paperround channels history {name}` says more, `channels test` tries it",
    )
