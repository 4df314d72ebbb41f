"""Rate limits of expensive reads per visitor, counted in memory by each process.

Reading writes nothing to the database: a search must not wait for SQLite's single writer, nor store
data about visitors. Counts end with the process, and several processes permit a rate each.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from paperround.core.errors import RateLimited
from paperround.core.languages import marked
from paperround.core.rates import Rate, RateLimitStatus, VisitLimits

MOST_KEYS = 10_000
"""Addresses and networks that are tracked; the least recent are dropped."""


TOO_MANY = marked("too many requests from your network: wait a moment")


class InMemoryRateLimiter:
    """The visits to one process. Thread-safe."""

    def __init__(
        self, limits: VisitLimits, *, refusal: str = TOO_MANY, most_keys: int = MOST_KEYS
    ) -> None:
        self._limits = limits
        self._refusal = refusal
        self._most_keys = most_keys
        self._lock = Lock()
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()

    def check_rate_limit(self, client: str | None, *, now: datetime, cost: int = 1) -> None:
        """Count a visit of a client address and its network as `cost` visits; raise RateLimited,
        and count nothing, if that exceeds a limit."""
        address, network = client_and_network(client)
        counted = ((f"ip {address}", self._limits.ip), (f"net {network}", self._limits.net))
        with self._lock:
            wait = max(self._wait(key, rates, now, cost) for key, rates in counted)
            if wait > timedelta():
                raise RateLimited(self._refusal, retry_after=wait.total_seconds())
            for key, rates in counted:
                if rates:
                    longest = max(rate.count for rate in rates)
                    seen = self._seen.setdefault(key, deque(maxlen=longest))
                    seen.extend([now] * min(cost, longest))
                    self._seen.move_to_end(key)
            while len(self._seen) > self._most_keys:
                self._seen.popitem(last=False)

    def rate_limit_status(self, client: str | None, *, now: datetime) -> RateLimitStatus | None:
        """Return what a client address has left of the limit it is closest to; None without
        limits."""
        address, network = client_and_network(client)
        counted = ((f"ip {address}", self._limits.ip), (f"net {network}", self._limits.net))
        with self._lock:
            each = [self._status(key, rate, now) for key, rates in counted for rate in rates]
        return min(each, key=lambda one: one.remaining, default=None)

    def _status(self, key: str, rate: Rate, now: datetime) -> RateLimitStatus:
        recent = [at for at in self._seen.get(key, ()) if at > now - rate.period]
        back = (recent[0] + rate.period - now).total_seconds() if recent else 0
        return RateLimitStatus(
            limit=rate.count,
            window=int(rate.period.total_seconds()),
            remaining=max(0, rate.count - len(recent)),
            reset=ceil(back),
        )

    def _wait(self, key: str, rates: Sequence[Rate], now: datetime, cost: int) -> timedelta:
        """Return how long until every rate permits `cost` more, or the first visit for a cost above
        the rate: until enough of the counted visits have left its period."""
        seen = self._seen.get(key, ())
        kept = [(max(rate.count - cost, 0) + 1, rate.period) for rate in rates]
        full = (seen[-most] + period - now for most, period in kept if len(seen) >= most)
        return max(full, default=timedelta())


def client_and_network(written: str | None) -> tuple[str, str]:
    """Return a client address and its smallest network: IPv4 /24, IPv6 /56."""
    client, network, *_ = client_and_networks(written)
    return client, network


def client_and_networks(written: str | None) -> tuple[str, ...]:
    """Return a client address and its networks, smallest first: IPv4 /24; IPv6 /56 and /48."""
    try:
        ip = ip_address(written or "")
    except ValueError:
        return UNKNOWN_CLIENT, UNKNOWN_CLIENT
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    prefixes = (56, 48) if isinstance(ip, IPv6Address) else (24,)
    rests = ((prefix, ip.max_prefixlen - prefix) for prefix in prefixes)
    return str(ip), *(f"{type(ip)(int(ip) >> rest << rest)}/{prefix}" for prefix, rest in rests)


UNKNOWN_CLIENT = "unknown"
"""Clients with an unknown address share one count."""
