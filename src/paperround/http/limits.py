"""Limits of one fetch: time, bytes, redirects, header fields, ports."""

import time
from dataclasses import dataclass

from paperround.core.errors import FetchFailed, FetchRefused

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Limits of one request with all its redirects. Times in seconds, sizes in bytes.

    `connect` covers the DNS lookup and the TCP connection, `total` everything; both are wall-clock
    time. `wire` limits the bytes read after TLS and before decoding, headers included.
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
    """The time and bytes that one request has left."""

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.total
        self._wire = limits.wire

    def seconds_left(self) -> float:
        """Return the seconds left. Raises FetchFailed when the time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.timeout_error()
        return left

    def count_bytes(self, count: int) -> None:
        """Count `count` bytes as read. Raises FetchRefused above the limit."""
        self._wire -= count
        if self._wire < 0:
            raise FetchRefused(
                f"sends more than {self._limits.wire / MIB:g} MiB, and we take no more"
            )

    def timeout_error(self) -> FetchFailed:
        """Return the error for a response that was not complete in time."""
        return FetchFailed(f"was not done in {self._limits.total:g} seconds")
