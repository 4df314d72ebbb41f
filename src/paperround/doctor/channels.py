"""Channels: whether each can be posted to, as far as the last post told."""

from collections.abc import Sequence

from paperround.doctor.findings import Finding, ok, warn
from paperround.domain.channels import Channel
from paperround.domain.times import format_instant
from paperround.domain.wording import counted


def channels(found: Sequence[Channel]) -> list[Finding]:
    """One finding for each that is stopped, one for all others; nothing where there are none."""
    stopped = [one for one in found if one.stopped_at is not None]
    well = len(found) - len(stopped)
    said = [
        warn(
            "channels",
            f"{one.name} is stopped since {format_instant(one.stopped_at)}: {one.stopped_why}",
            f"`paperround channels edit {one.name} --hook -` gives it another hook",
        )
        for one in stopped
        if one.stopped_at is not None
    ]
    if well:
        said.append(ok("channels", f"{counted(well, 'channel')} can be posted to"))
    return said
