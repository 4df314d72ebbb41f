"""How a job says that it gets on, to whoever wants to know."""

from collections.abc import Callable

Advance = Callable[[int], None]
"""Called with how much more is done."""


def no_progress(_: int) -> None:
    """Nobody wants to know."""
