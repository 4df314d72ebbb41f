"""The ways out that are no mailbox, put together."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from paperround.domain.keys import COMMAND_LINE
from paperround.jobs.channel_delivery import ChannelContext, ChannelReport, deliver_channels
from paperround.jobs.channels import ChannelAdmin

if TYPE_CHECKING:
    from paperround.wiring import Runtime

SECONDS = 20.0
"""How long a post may take, all in all: Standard Webhooks wants 15 to 30."""


def channel_admin(
    runtime: "Runtime", *, now: datetime | None = None, by: str = COMMAND_LINE
) -> ChannelAdmin:
    """What changes channels on behalf of `by`."""
    return ChannelAdmin(
        database=runtime.database,
        sender=runtime.channel_sender,
        opened=runtime.settings.open_places,
        now=now or runtime.clock.now(),
        by=by,
    )


def post_channels(runtime: "Runtime") -> ChannelReport:
    """Post to channels what is due."""
    return deliver_channels(
        ChannelContext(
            database=runtime.database,
            sender=runtime.channel_sender,
            letterhead=runtime.letterhead,
            clock=runtime.clock,
            processes=runtime.processes,
            lease=timedelta(seconds=runtime.settings.lease_seconds),
            stopping=runtime.stopping.is_set,
            boot=runtime.boot,
            wait=runtime.stopping.wait,
            unwritten=runtime.unwritten,
            marks=runtime.send_marks,
        )
    )
