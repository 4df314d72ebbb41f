"""Which other methods an evaluation compares ours with.

The command line reads it at its start, so it loads no numerical library.
"""

from enum import StrEnum


class Baselines(StrEnum):
    """Which other methods run beside ours: `fast` ones need nothing else and little time."""

    NONE = "none"
    FAST = "fast"
    ALL = "all"
