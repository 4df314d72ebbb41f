"""What one GET may use: time, bytes, redirects, header lines, ports."""

import time
from dataclasses import dataclass

from paperround.core.errors import FetchFailed, FetchRefused

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of one GET with all its redirects. Times in seconds, sizes in bytes.

    `connect` covers the name and the TCP connection, `total` everything; both are wall-clock time.
    `wire` counts what is read after TLS and before decoding, headers included.
    """

    connect: float = 5.0
    total: float = 30.0
    wire: int = 15 * MIB
    decoded: int = 20 * MIB
    redirects: int = 3
    headers: int = 128
    header_bytes: int = 64 * 1024
    ports: frozenset[int] = frozenset({80, 443})


class Budget:
    """What is left of the time and of the wire of one GET."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.total
        self._wire = limits.wire

    def seconds(self) -> float:
        """How long the next wait may last. Raises FetchFailed when the time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.out_of_time()
        return left

    def spend(self, count: int) -> None:
        """Note `count` bytes as read. Raises FetchRefused when they were too many."""
        self._wire -= count
        if self._wire < 0:
            raise FetchRefused(
                f"sends more than {self._limits.wire / MIB:g} MiB, and we take no more"
            )

    def out_of_time(self) -> FetchFailed:
        """The error for an answer that is not complete in time."""
        return FetchFailed(f"was not done in {self._limits.total:g} seconds")
