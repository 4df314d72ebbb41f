"""The commands are made from their functions once for a test process, and not at every call.

A process of Paperround runs one command; a test process runs a thousand, and each would read the
signatures of all commands anew: a third of what a test of a command costs.
"""

from functools import cache

from typer import testing
from typer.main import get_command


def start() -> None:
    """From now on."""
    vars(testing).update(_get_command=cache(get_command))
