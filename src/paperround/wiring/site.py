"""What the public site needs of an installation beside its use cases."""

from typing import TYPE_CHECKING

from paperround.jobs.ports import Pulse

if TYPE_CHECKING:
    from paperround.wiring import Runtime


def pulse_of(home: "Runtime") -> Pulse:
    """What tells whether the database was written to, so that pages need not be made anew."""
    from paperround.store import pulse

    return pulse.pulse_of(home.engine)
