"""Evaluate the models on historical data, next to baselines. Not used to send email.

The command line imports this module at startup, so it must not import a numerical library.
"""

from enum import StrEnum


class Baselines(StrEnum):
    """The baselines to run: `fast` ones need no extra package and little time."""

    NONE = "none"
    FAST = "fast"
    ALL = "all"
