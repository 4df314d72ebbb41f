"""What tests of SMTP sessions share."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.delivery.slow_world import SlowWorld, Worlds


@pytest.fixture
def worlds() -> Iterator[Worlds]:
    """Make worlds; they are closed in the end."""
    with ExitStack() as stack:
        yield lambda *seconds, **more: stack.enter_context(closing(SlowWorld(*seconds, **more)))
